"""Videos cut, joined and played otherwise: in other order, at another speed or size."""

from enum import StrEnum
from typing import Annotated

import numpy as np
import torch

from nodeforge import imaging, media
from nodeforge.api import Audio, NodeForgeError, Range, Video, node

from .clips import changed, part_of, video_of


class Length(StrEnum):
    """How long a video and its new sound last together."""

    VIDEO = "video"
    SHORTEST = "shortest"
    LONGEST = "longest"


@node("video.trim", title="Trim video")
def trim(
    video: Video,
    start: float = 0.0,
    end: float = 0.0,
    unit: media.TimeUnit = media.TimeUnit.SECONDS,
) -> Video:
    """Take a part of a video, with the sound under it.

    Args:
        video: The video.
        start: Where it begins; negative counts from the end.
        end: Where it ends, not part of it; negative counts from the end, 0 is the end.
        unit: Whether start and end are seconds or frames.
    """
    first, last = media.clip_edits.frame_range(video.count, video.rate, start, end, unit)
    seconds = (last - first) / video.rate
    audio = part_of(video.audio, first / video.rate, seconds)
    return video_of(video.frames[first:last].numpy().copy(), video.rate, audio)


@node("video.join", title="Join videos")
def join(
    videos: list[Video],
    sizes: imaging.BatchSizes = imaging.BatchSizes.EQUAL,
    crossfade: Annotated[float, Range(0.0, 600.0, step=0.1)] = 0.0,
) -> Video:
    """Put videos one after another, at the size and rate of the first one.

    Args:
        videos: The videos, in the order of the inputs.
        sizes: What becomes of videos of another size than the first: they are refused,
            stretched, or brought to it in proportion and cropped or padded.
        crossfade: Seconds over which each fades into the next, with its sound.
    """
    if not videos:
        raise NodeForgeError("there is no video.", way_out="Link at least one.")
    rate = videos[0].rate
    same = [_at_rate(each, rate) for each in videos]
    overlap = round(crossfade * rate)
    frames = media.clip_edits.joined([each.frames.numpy() for each in same], sizes, overlap)
    return video_of(frames, rate, _joined_sound(same, overlap / rate))


@node("video.crossfade", title="Crossfade videos")
def crossfade(
    first: Video,
    second: Video,
    seconds: Annotated[float, Range(0.0, 600.0, step=0.1)] = 0.5,
    sizes: imaging.BatchSizes = imaging.BatchSizes.EQUAL,
) -> Video:
    """Let one video fade into another, with its sound; the rate is the first one's.

    Args:
        first: The video before.
        second: The video after.
        seconds: How long both are seen.
        sizes: What becomes of the second where it has another size: it is refused, stretched, or
            brought to it in proportion and cropped or padded.
    """
    return join([first, second], sizes, seconds)


def _at_rate(video: Video, rate: float) -> Video:
    if abs(video.rate - rate) < 1e-6 * rate:
        return video
    chosen = media.clip_edits.resampled_frames(video.count, video.rate / rate)
    media.check_clip(len(chosen), video.width, video.height, rate)
    return video_of(video.frames.numpy()[chosen], rate, video.audio)


def _joined_sound(videos: list[Video], overlap: float) -> Audio | None:
    """The sounds one after another, silence where a video has none; None where none has any."""
    sounds = [each.audio for each in videos if each.audio is not None]
    if not sounds:
        return None
    rate, channels = sounds[0].rate, max(each.channels for each in sounds)
    edits, made = media.sound_edits, list[media.Samples]()
    for each in videos:
        if each.audio is None:
            made.append(edits.silence(each.seconds, rate, channels)[None])
        else:
            samples = edits.converted(each.audio.samples.numpy(), each.audio.rate, rate, channels)
            made.append(edits.lasting(samples, rate, each.seconds))
    return Audio(torch.from_numpy(edits.joined(made, round(overlap * rate))), rate)


@node("video.speed", title="Video speed")
def speed(
    video: Video,
    factor: Annotated[float, Range(0.05, 20.0, step=0.05)] = 2.0,
    change: media.SpeedChange = media.SpeedChange.KEEP_RATE,
) -> Video:
    """Play a video faster or slower; its sound keeps its pitch.

    Args:
        video: The video.
        factor: Above 1 is faster, 0.5 half as fast.
        change: Keep the rate and leave out or repeat frames, or keep all frames at another rate.
    """
    audio = video.audio
    if audio is not None:
        samples = media.sound_edits.stretched(audio.samples.numpy(), audio.rate, factor)
        audio = changed(audio, samples)
    if change is media.SpeedChange.KEEP_FRAMES:
        media.clip_edits.check_rate(video.rate * factor)
        return Video(video.frames, video.rate * factor, audio)
    chosen = media.clip_edits.resampled_frames(video.count, factor)
    media.check_clip(len(chosen), video.width, video.height, video.rate)
    return video_of(video.frames.numpy()[chosen], video.rate, audio)


@node("video.rate", title="Change rate")
def change_rate(video: Video, rate: Annotated[float, Range(0.01, 1000.0)] = 24.0) -> Video:
    """Bring a video to another rate by repeating or leaving out frames; its length stays.

    Args:
        video: The video.
        rate: Frames a second.
    """
    return _at_rate(video, rate)


@node("video.reverse", title="Reverse video")
def reverse(video: Video, sound: bool = True) -> Video:
    """Play a video backwards.

    Args:
        video: The video.
        sound: Whether its sound is played backwards, too; else it stays as it is.
    """
    audio = video.audio
    if audio is not None and sound:
        samples = media.sound_edits.lasting(audio.samples.numpy(), audio.rate, video.seconds)
        audio = changed(audio, samples[..., ::-1])
    return video_of(video.frames.numpy()[::-1], video.rate, audio)


@node("video.resize", title="Resize video")
def resize(
    video: Video,
    width: Annotated[int, Range(0, 16384)] = 832,
    height: Annotated[int, Range(0, 16384)] = 480,
    fit: imaging.Fit = imaging.Fit.CROP,
    method: imaging.Method = imaging.Method.LANCZOS,
) -> Video:
    """Bring the frames of a video to another size.

    Args:
        video: The video.
        width: Pixels; 0 goes by the height in proportion.
        height: Pixels; 0 goes by the width in proportion.
        fit: What becomes of other proportions: stretched, cropped, or padded with black.
        method: How pixels between pixels are made.
    """
    frames = media.clip_edits.resized(video.frames.numpy(), width, height, fit, method)
    return video_of(frames, video.rate, video.audio)


@node("video.set_audio", title="Set sound of video")
def set_audio(video: Video, audio: Audio, length: Length = Length.VIDEO) -> Video:
    """Give a video another sound, from its first frame on.

    Args:
        video: The video.
        audio: The sound; of a batch, the first.
        length: How long both last: as the frames (the sound is cut, or followed by silence), as
            the shorter one, or as the longer one (the last frame is held).
    """
    seconds = {
        Length.VIDEO: video.seconds,
        Length.SHORTEST: min(video.seconds, audio.seconds),
        Length.LONGEST: max(video.seconds, audio.seconds),
    }[length]
    count = max(1, round(seconds * video.rate))
    media.check_clip(count, video.width, video.height, video.rate)
    frames = video.frames
    if count != video.count:
        frames = frames[torch.from_numpy(np.minimum(np.arange(count), video.count - 1))]
    first = audio.samples[:1].numpy()
    sound = media.sound_edits.lasting(first, audio.rate, count / video.rate)
    return Video(frames, video.rate, changed(audio, sound))
