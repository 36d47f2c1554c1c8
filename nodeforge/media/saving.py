"""Saves videos and sounds as new files, under names that overwrite nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from nodeforge.imaging import PictureFormat, SaveError, encode, write_new
from nodeforge.media.colours import Bytes
from nodeforge.media.sound import Sound
from nodeforge.media.sound_writing import AudioFormat, SampleDepth, write_audio
from nodeforge.media.writing import VideoFormat, check_video, write_video

_ATTEMPTS = 100_000


def save_video(
    folder: Path,
    name: str,
    frames: Bytes,
    rate: float,
    format: VideoFormat,
    sound: Sound | None = None,
    text: Mapping[str, str] | None = None,
    quality: int = 80,
    check: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[Path]:
    """Save a video as ``name_00001.mp4``; gives its path, or those of a sequence's files.

    A sequence is a folder ``name_00001`` with a PNG for each frame, which carries `text`, and its
    sound as ``sound_00001.wav``.

    Args:
        folder: Where; it is made if need be.
        name: What the name starts with.
        frames: uint8, (frames, height, width, 3), sRGB.
        rate: Frames a second.
        format: Of the file.
        sound: Its sound, in formats that hold some.
        text: Texts by name that the file carries.
        quality: 1..100, of MP4, WebM and WebP.
        check: Called after each frame with how many are written and of how many; may raise.

    Raises:
        SaveError: the disk is full or the folder cannot be written; no part of a file is left.
        MediaError: the format cannot hold the video.
    """
    if format is not VideoFormat.SEQUENCE:
        fill = partial(
            write_video,
            frames=frames,
            rate=rate,
            format=format,
            sound=sound,
            text=text,
            quality=quality,
            check=check,
        )
        yield write_new(folder, f"{name}_{{}}{format.suffix}", fill)
        return
    check_video(frames.shape[2], frames.shape[1], len(frames), rate, format)
    made = _new_folder(folder, name)
    for index, pixels in enumerate(frames):
        yield write_new(made, "frame_{}.png", encode(pixels, PictureFormat.PNG, text))
        check(index + 1, len(frames))
    if sound is not None:
        fill = partial(write_audio, sound=sound, format=AudioFormat.WAV, text=text)
        yield write_new(made, "sound_{}.wav", fill)


def save_audio(
    folder: Path,
    name: str,
    sound: Sound,
    format: AudioFormat,
    depth: SampleDepth = SampleDepth.BITS_24,
    text: Mapping[str, str] | None = None,
    bitrate: int = 128,
) -> Path:
    """Save a sound as ``name_00001.flac``; its path. See `nodeforge.media.write_audio`.

    Raises:
        SaveError: the disk is full or the folder cannot be written; no part of a file is left.
        MediaError: the format cannot hold the sound.
    """
    fill = partial(write_audio, sound=sound, format=format, depth=depth, text=text, bitrate=bitrate)
    return write_new(folder, f"{name}_{{}}{format.suffix}", fill)


def _new_folder(folder: Path, name: str) -> Path:
    for number in range(1, _ATTEMPTS):
        made = folder / f"{name}_{number:05}"
        try:
            made.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise SaveError(
                f"cannot be written: {error.strerror}.",
                place=str(folder),
                way_out="Choose a folder that may be written.",
            ) from error
        return made
    raise SaveError(f"{_ATTEMPTS} names in a row are taken.", place=str(folder))
