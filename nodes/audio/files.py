"""Sounds from files, into files, and before one's ears."""

from pathlib import Path
from typing import Annotated

import torch

from nodeforge import imaging, media
from nodeforge.api import Audio, File, Range, RunContext, Saves, node


@node("audio.load", title="Load audio")
def load(
    file: Annotated[Path, File("audio")],
    start: Annotated[float, Range(0.0)] = 0.0,
    end: Annotated[float, Range(0.0)] = 0.0,
    rate: Annotated[int, Range(0, 768_000)] = 0,
) -> Audio:
    """Load the sound of a sound file or a video, with all its channels.

    Args:
        file: WAV, FLAC, Opus, Ogg, MP3, AAC, a video, and others that FFmpeg reads.
        start: Seconds from the beginning.
        end: Seconds from the beginning, not part of it; 0 is the end of the file.
        rate: Samples a second to bring it to; 0 keeps its own.
    """
    sound = media.read_audio(file, start, end, rate)
    return Audio(torch.from_numpy(sound.samples[None]), sound.rate)


_SAVES = Saves("audio", {each.value: each.suffix for each in media.AudioFormat}, per_item=True)


@node("audio.save", title="Save audio", effects=True, saves=_SAVES)
def save(
    run: RunContext,
    audio: Audio,
    prefix: str = "nodeforge",
    format: media.AudioFormat = media.AudioFormat.FLAC,
    depth: media.SampleDepth = media.SampleDepth.BITS_24,
    bitrate: Annotated[int, Range(6, 510)] = 128,
) -> None:
    """Save every sound of a batch as a new file, with the workflow inside.

    Args:
        audio: The sounds.
        prefix: What the files' names start with; a number follows. May name a subfolder, and
            hold {date}, {time}, {prompt}, {seed}, {model}, {sampler}, {schedule}, {steps} and
            {scale}.
        format: WAV and FLAC keep every sample; Opus is smaller.
        depth: Bits of a sample of WAV and FLAC; FLAC has no floats and takes 24 instead. Floats
            alone hold what is louder than full scale.
        bitrate: Of Opus, thousand bits a second.
    """
    parameters = run.stamp.get("parameters", "")
    for index, samples in enumerate(audio.samples.numpy()):
        run.check()
        name = imaging.output_name(prefix, parameters, (0, 0), index)
        folder, stem = imaging.output_place(run.outputs, name)
        sound = media.Sound(samples, audio.rate)
        stamp = imaging.item_stamp(run.stamp, index)
        run.saved(media.save_audio(folder, stem, sound, format, depth, stamp, bitrate))


@node("audio.preview", shows=True, title="Preview audio")
def preview(audio: Audio) -> Audio:
    """Show a sound, and pass it on.

    Args:
        audio: The sound.
    """
    return audio
