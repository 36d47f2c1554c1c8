"""Sounds from files, into files, and changed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodeforge.media import (
    AudioFormat,
    ClipTooLargeError,
    MediaError,
    RangeError,
    SampleDepth,
    Sound,
    probe_audio,
    read_audio,
    read_media_text,
    save_audio,
    sound_edits,
    write_audio,
)
from support.media_files import tone, wav

TEXT = {"nodeforge": '{"format": 1, "title": "狐"}', "parameters": "a fox\nSteps: 3, Seed: 7"}


def written(folder: Path, sound: Sound, format: AudioFormat, **given) -> Path:
    path = folder / f"sound{format.suffix}"
    write_audio(path, sound, format, **given)
    return path


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("format", [AudioFormat.WAV, AudioFormat.FLAC])
def test_a_sound_survives(tmp_path: Path, format: AudioFormat, rate: int, channels: int):
    sound = Sound(tone(0.2, rate, channels), rate)
    read = read_audio(written(tmp_path, sound, format))
    assert read.rate == rate
    assert read.samples.shape == sound.samples.shape
    assert np.abs(read.samples - sound.samples).max() <= 2**-23


@pytest.mark.parametrize("channels", [1, 2])
def test_opus_is_near(tmp_path: Path, channels: int):
    sound = Sound(tone(1.0, 48_000, channels), 48_000)
    read = read_audio(written(tmp_path, sound, AudioFormat.OPUS))
    assert read.samples.shape == sound.samples.shape
    assert np.abs(read.samples - sound.samples)[:, 4800:-4800].max() < 0.05


def test_floats_keep_every_bit_and_what_is_louder_than_full_scale(tmp_path: Path):
    sound = Sound(tone(0.1) * 5, 44_100)
    read = read_audio(written(tmp_path, sound, AudioFormat.WAV, depth=SampleDepth.FLOAT_32))
    assert np.array_equal(read.samples, sound.samples)
    clipped = read_audio(written(tmp_path, sound, AudioFormat.WAV, depth=SampleDepth.BITS_16))
    assert np.abs(clipped.samples).max() <= 1


@pytest.mark.parametrize("depth", SampleDepth)
@pytest.mark.parametrize("format", [AudioFormat.WAV, AudioFormat.FLAC])
def test_another_library_reads_the_same(tmp_path: Path, format: AudioFormat, depth: SampleDepth):
    sound = Sound(tone(0.1), 44_100)
    path = written(tmp_path, sound, format, depth=depth)
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 44_100
    assert np.abs(samples.T - sound.samples).max() <= 2**-15
    bits = {SampleDepth.BITS_16: "PCM_16", SampleDepth.FLOAT_32: "FLOAT"}.get(depth, "PCM_24")
    if format is AudioFormat.WAV or depth is SampleDepth.BITS_16:
        assert soundfile.info(path).subtype == bits


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_wav_of_every_depth_is_read(tmp_path: Path, subtype: str):
    given = tone(0.1, channels=2)
    soundfile.write(tmp_path / "a.wav", given.T, 44_100, subtype=subtype)
    read = read_audio(tmp_path / "a.wav")
    assert np.abs(read.samples - given).max() <= (2**-7 if subtype == "PCM_U8" else 2**-15)


@pytest.mark.parametrize(("suffix", "subtype"), [(".ogg", "VORBIS"), (".mp3", "MPEG_LAYER_III")])
def test_packed_sounds_are_read(tmp_path: Path, suffix: str, subtype: str):
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, tone(1.0).T, 44_100, subtype=subtype)
    read = read_audio(path)
    assert (read.rate, read.samples.shape[0]) == (44_100, 2)
    assert read.seconds == pytest.approx(1.0, abs=0.06)


def test_all_24_bits_are_kept(tmp_path: Path):
    values = [0, 1, -1, 2**23 - 1, -(2**23), 12345]
    data = b"".join(each.to_bytes(3, "little", signed=True) for each in values)
    read = read_audio(wav(tmp_path / "a.wav", data, bits=24))
    assert (read.samples[0] * 2**23).tolist() == values
    again = read_audio(written(tmp_path, read, AudioFormat.FLAC))
    assert np.array_equal(again.samples, read.samples)


@pytest.mark.parametrize("format", AudioFormat)
def test_every_format_carries_the_texts(tmp_path: Path, format: AudioFormat):
    read = read_media_text(written(tmp_path, Sound(tone(0.1), 44_100), format, text=TEXT))
    assert {name: read.get(name) for name in TEXT} == TEXT


@pytest.mark.parametrize("format", AudioFormat)
def test_a_range_is_read(tmp_path: Path, format: AudioFormat):
    ramp = np.linspace(-0.5, 0.5, 96_000, dtype=np.float32)[None]
    path = written(tmp_path, Sound(ramp, 48_000), format)
    part = read_audio(path, 1.5, 1.75)
    assert part.samples.shape == (1, 12_000)
    if format is not AudioFormat.OPUS:
        assert np.abs(part.samples - ramp[:, 72_000:84_000]).max() < 1e-4
    assert read_audio(path, 0.5, rate=16_000).samples.shape == (1, 24_000)


def test_ranges_and_sizes_that_are_none_are_refused(tmp_path: Path):
    path = written(tmp_path, Sound(tone(1.0), 44_100), AudioFormat.WAV)
    for given in ({"start": 2.0}, {"start": 0.5, "end": 0.2}, {"start": -1.0}, {"rate": 3}):
        with pytest.raises(RangeError) as caught:
            read_audio(path, **given)
        assert caught.value.way_out
    with pytest.raises(ClipTooLargeError, match="GiB"):
        read_audio(path, most_bytes=1000)
    assert read_audio(path, end=0.001, most_bytes=40_000).samples.shape == (2, 44)


@pytest.mark.parametrize("shape", [(2, 0), (9, 100), (0, 100)])
@pytest.mark.parametrize("format", AudioFormat)
def test_what_no_file_holds_is_refused(tmp_path: Path, format: AudioFormat, shape):
    with pytest.raises(MediaError):
        save_audio(tmp_path, "a", Sound(np.zeros(shape, np.float32), 44_100), format)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [11_025, 22_050, 37_800])
def test_opus_takes_any_rate(tmp_path: Path, rate: int):
    path = written(tmp_path, Sound(tone(0.5, rate), rate), AudioFormat.OPUS)
    assert probe_audio(path).rate == 48_000
    assert read_audio(path).seconds == pytest.approx(0.5, abs=0.03)


def loudness(samples) -> float:
    return float(np.sqrt((samples.astype(np.float64) ** 2).mean()))


def test_a_part_counts_from_either_end():
    ramp = np.arange(100, dtype=np.float32)[None]
    assert sound_edits.trimmed(ramp, 10, 2, 5).tolist() == [[*range(20, 50)]]
    assert sound_edits.trimmed(ramp, 10, -2, 0).tolist() == [[*range(80, 100)]]
    assert sound_edits.trimmed(ramp, 10, 0, -9).tolist() == [[*range(10)]]
    for start, end in ((5, 5), (6, 5), (10, 0), (20, 30), (-1, -2)):
        with pytest.raises(RangeError, match="lasts 10"):
            sound_edits.trimmed(ramp, 10, start, end)


def test_gain_is_in_decibels():
    sound = tone(0.1)
    assert loudness(sound_edits.amplified(sound, -20)) == pytest.approx(loudness(sound) / 10)
    assert np.array_equal(sound_edits.amplified(sound, 0), sound)


def test_mixed_sounds_add_up_and_last_as_long_as_the_longer():
    first, second = tone(0.2), tone(0.1)
    made = sound_edits.mixed(first, second)
    assert made.shape == first.shape
    assert np.array_equal(made[:, :4410], first[:, :4410] + second)
    assert np.array_equal(made[:, 4410:], first[:, 4410:])


def test_joined_sounds_follow_one_another_and_fade():
    one, two = np.ones((2, 100), np.float32), np.zeros((2, 50), np.float32)
    assert sound_edits.joined([one, two]).shape == (2, 150)
    faded = sound_edits.joined([one, two], 20)
    assert faded.shape == (2, 130)
    assert np.all(np.diff(faded[0, 79:101]) < 0)
    with pytest.raises(RangeError):
        sound_edits.joined([one, two], 60)


def test_a_fade_begins_and_ends_in_silence():
    made = sound_edits.faded(np.ones((1, 100), np.float32), 10, 2, 3)
    assert (made[0, 0], made[0, -1], made[0, 50]) == (0, 0, 1)
    with pytest.raises(RangeError):
        sound_edits.faded(np.ones((1, 100), np.float32), 10, 6, 5)


@pytest.mark.parametrize("to_rate", [8_000, 22_050, 48_000])
def test_a_resampled_sound_has_the_same_pitch(to_rate: int):
    made = sound_edits.converted(tone(1.0)[None], 44_100, to_rate)
    assert made.shape == (1, 2, to_rate)
    spectrum = np.abs(np.fft.rfft(made[0, 0]))
    assert spectrum.argmax() == 440
    assert loudness(made[0, 0]) == pytest.approx(0.3535, rel=0.01)


@pytest.mark.parametrize(("own", "wanted"), [(1, 2), (1, 6), (2, 1), (6, 2)])
def test_channels_become_others(own: int, wanted: int):
    made = sound_edits.converted(tone(0.2, channels=own), 44_100, 44_100, wanted)
    assert made.shape == (wanted, 8820)
    assert loudness(made) > 0.05


@pytest.mark.parametrize("factor", [0.25, 0.5, 1.5, 2.0, 4.0])
def test_a_stretched_sound_keeps_its_pitch(factor: float):
    made = sound_edits.stretched(tone(2.0), 44_100, factor)
    assert made.shape == (2, round(88_200 / factor))
    middle = made[0, len(made[0]) // 4 : 3 * len(made[0]) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * 44_100 / len(middle) == pytest.approx(440, abs=8)


def test_silence_that_is_too_long_is_refused_before_it_is_made():
    with pytest.raises(ClipTooLargeError):
        sound_edits.silence(1e7, 48_000, 8)
