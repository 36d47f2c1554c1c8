"""Videos from files, into files, and before one's eyes."""

from pathlib import Path
from typing import Annotated

from nodeforge import imaging, media
from nodeforge.api import File, Range, RunContext, Saves, Video, node

from .clips import audio_of, sound_of, video_of

_Side = Annotated[int, Range(0, 16384)]


@node("video.load", title="Load video")
def load(
    run: RunContext,
    file: Annotated[Path, File("video")],
    start: Annotated[float, Range(0.0)] = 0.0,
    end: Annotated[float, Range(0.0)] = 0.0,
    unit: media.TimeUnit = media.TimeUnit.SECONDS,
    every: Annotated[int, Range(1, 1000)] = 1,
    rate: Annotated[float, Range(0.0, 1000.0)] = 0.0,
    most: Annotated[int, Range(0, 1_000_000)] = 0,
    width: _Side = 0,
    height: _Side = 0,
) -> Video:
    """Load a video from a file: upright, in 8 bits, evenly spaced in time, with its sound.

    Frames at uneven times are repeated or left out by their presentation times. HDR is read as it
    is, without tone mapping.

    Args:
        file: MP4, MOV, WebM, MKV, AVI, GIF, APNG, animated WebP and others that FFmpeg reads.
        start: Where it begins.
        end: Where it ends, not part of it; 0 is the end of the file.
        unit: Whether start and end are seconds or frames.
        every: Take one of so many frames; the rate falls with it, the length stays.
        rate: Frames a second to bring it to, by repeating or leaving out frames; 0 keeps its own.
        most: How many frames at most; 0 is any number.
        width: Pixels; 0 goes by the height in proportion, or is its own.
        height: Pixels; 0 goes by the width in proportion, or is its own.
    """
    chosen = media.Selection(start, end, unit, rate, every, most, width, height)
    clip = media.read_video(file, chosen, check=run.progress)
    for remark in clip.remarks:
        run.notice(remark)
    return video_of(clip.frames, clip.rate, audio_of(clip.sound))


_ONE_FILE = {each.value: each.suffix for each in media.VideoFormat if each.suffix}


@node("video.save", title="Save video", effects=True, saves=Saves("video", _ONE_FILE))
def save(
    run: RunContext,
    video: Video,
    prefix: str = "nodeforge",
    format: media.VideoFormat = media.VideoFormat.MP4,
    quality: Annotated[int, Range(1, 100)] = 80,
) -> None:
    """Save a video as a new file, with its sound and the workflow inside.

    Args:
        video: The video.
        prefix: What the file's name starts with; a number follows. May name a subfolder, and
            hold {date}, {time}, {prompt}, {seed}, {model}, {sampler}, {schedule}, {steps},
            {scale}, {width} and {height}.
        format: MP4 (H.264) plays everywhere; WebM (VP9) on the web; MKV (FFV1) and APNG keep
            every pixel; GIF, APNG and WebP repeat and have no sound; PNG sequence is a folder of
            pictures.
        quality: Of MP4, WebM and WebP; WebP loses nothing at 100.
    """
    size = (video.width, video.height)
    media.check_video(*size, video.count, video.rate, format)
    name = imaging.output_name(prefix, run.stamp.get("parameters", ""), size)
    folder, stem = imaging.output_place(run.outputs, name)
    _tell_changes(run, video, format)
    for path in media.save_video(
        folder,
        stem,
        video.frames.numpy(),
        video.rate,
        format,
        sound_of(video.audio),
        run.stamp,
        quality,
        run.progress,
    ):
        run.saved(path)


def _tell_changes(run: RunContext, video: Video, format: media.VideoFormat) -> None:
    """Say what a format cannot hold of a video."""
    if format is media.VideoFormat.MP4 and (video.width % 2 or video.height % 2):
        run.notice(
            f"MP4 has even sides: the last row or column of {video.width} × {video.height} pixels "
            "is repeated."
        )
    silent = not format.holds_sound and format is not media.VideoFormat.SEQUENCE
    if video.audio is not None and silent:
        run.notice(f"{format.upper()} holds no sound: the video is saved without.")


@node("video.preview", shows=True, title="Preview video")
def preview(video: Video) -> Video:
    """Show a video, and pass it on.

    Args:
        video: The video.
    """
    return video
