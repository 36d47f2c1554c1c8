"""Frames of videos as pictures, and videos of pictures."""

from typing import Annotated, NamedTuple

import numpy as np
import torch

from nodeforge import imaging, media
from nodeforge.api import Audio, Image, Range, Video, node

from .clips import video_of


class Ends(NamedTuple):
    """The first and the last picture of a video."""

    first: Image
    last: Image


class Components(NamedTuple):
    """What a video consists of, but its frames."""

    rate: float
    frames: int
    seconds: float
    width: int
    height: int
    audio: Audio


def _image_of(frames: media.clip_edits.Bytes) -> Image:
    return Image(torch.from_numpy(imaging.to_float(frames)))


@node("video.from_images", title="Video from images")
def from_images(
    images: Image, rate: Annotated[float, Range(0.01, 1000.0)] = 24.0, audio: Audio | None = None
) -> Video:
    """Make a video of a batch of pictures, one frame each; transparency is left out.

    Args:
        images: The frames, in order.
        rate: Frames a second.
        audio: Its sound, from the first frame on; of a batch, the first.
    """
    media.check_clip(images.batch, images.width, images.height, rate)
    frames = np.empty((images.batch, images.height, images.width, 3), np.uint8)
    for index, pixels in enumerate(images.pixels.numpy()):
        frames[index] = imaging.to_bytes(pixels[..., :3])
    first = None if audio is None else Audio(audio.samples[:1], audio.rate)
    return video_of(frames, rate, first)


@node("video.to_images", title="Images from video")
def to_images(
    video: Video,
    start: Annotated[int, Range(-1_000_000, 1_000_000)] = 0,
    count: Annotated[int, Range(0, 1_000_000)] = 0,
) -> Image:
    """Make a batch of pictures of the frames of a video, which takes four times its memory.

    Args:
        video: The video.
        start: The first frame, counted from 0; -1 is the last, -2 the one before.
        count: How many; 0 is all that follow.
    """
    first = media.clip_edits.one_frame(video.count, start)
    last = min(first + count, video.count) if count else video.count
    media.check_clip((last - first) * 4, video.width, video.height, video.rate)
    return _image_of(video.frames[first:last].numpy())


@node("video.frame", title="Frame of video")
def frame(video: Video, number: Annotated[int, Range(-1_000_000, 1_000_000)] = 0) -> Image:
    """Take one frame of a video as a picture.

    Args:
        video: The video.
        number: Which one, counted from 0; -1 is the last, -2 the one before.
    """
    index = media.clip_edits.one_frame(video.count, number)
    return _image_of(video.frames[index : index + 1].numpy())


@node("video.ends", title="First and last frame")
def ends(video: Video) -> Ends:
    """Take the first and the last frame of a video as pictures, as to continue it.

    Args:
        video: The video.

    Returns:
        first: The first frame.
        last: The last frame.
    """
    return Ends(frame(video, 0), frame(video, -1))


@node("video.contact_sheet", title="Contact sheet")
def contact_sheet(
    video: Video,
    frames: Annotated[int, Range(1, 400)] = 9,
    columns: Annotated[int, Range(0, 100)] = 0,
    gap: Annotated[int, Range(0, 256)] = 4,
) -> Image:
    """Lay frames that are evenly spread over a video into one picture, row by row.

    Args:
        video: The video.
        frames: How many, from the first to the last.
        columns: How many beside each other; 0 makes about as many columns as rows.
        gap: Pixels between them.
    """
    chosen = media.clip_edits.spread(video.count, frames)
    imaging.check_pixels(video.width + gap, video.height + gap, len(chosen))
    pictures = [imaging.to_float(video.frames[index].numpy()) for index in chosen.tolist()]
    return Image(torch.from_numpy(imaging.grid(pictures, columns, gap)[None]))


@node("video.components", title="Video components")
def components(video: Video) -> Components:
    """Give the rate, length, size and sound of a video, for other nodes.

    Args:
        video: The video.

    Returns:
        rate: Frames a second.
        frames: How many frames.
        seconds: How long the frames last.
        width: Pixels.
        height: Pixels.
        audio: Its sound; silence of the same length, in stereo at 44100 Hz, where it has none.
    """
    audio = video.audio
    if audio is None:
        samples = media.sound_edits.silence(video.seconds, 44_100, 2)
        audio = Audio(torch.from_numpy(samples[None]), 44_100)
    return Components(video.rate, video.count, video.seconds, video.width, video.height, audio)
