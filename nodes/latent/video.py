"""Between videos and latents."""

from typing import Annotated, NamedTuple

import torch

from nodeforge import diffusion
from nodeforge.api import Image, Latent, Mask, Range, RequestError, RunContext, Vae, Video, node


class Start(NamedTuple):
    """What a video begins with, and what is to be drawn after it."""

    latent: Latent
    mask: Mask


Frames = Annotated[int, Range(2, 10000)]


@node("latent.decode_video", title="Decode video")
def decode_video(
    run: RunContext,
    vae: Vae,
    latent: Latent,
    rate: Annotated[float | None, Range(0.1, 240.0, step=1.0, auto=True)] = None,
    item: Annotated[int, Range(0, 63)] = 0,
    tiled: bool = False,
) -> Video:
    """Decode a latent to a video, a group of frames at a time.

    Args:
        vae: The model's own.
        latent: A latent with frames.
        rate: Frames a second; empty is what the model was trained on.
        item: Which clip of a batch, counted from 0.
        tiled: Process in tiles, for large frames.
    """

    def fell_back() -> None:
        run.fell_back("memory did not suffice, so the frames were decoded in tiles.")

    with run.use(vae) as loaded:
        return diffusion.decode_video(
            loaded,
            latent,
            item=item,
            rate=rate,
            tiled=tiled,
            check=run.check,
            fell_back=fell_back,
        )


@node("latent.encode_video", title="Encode video")
def encode_video(run: RunContext, vae: Vae, video: Video, tiled: bool = False) -> Latent:
    """Encode the frames of a video to a latent.

    Args:
        vae: The model's own.
        video: A video whose sides the VAE's scale divides.
        tiled: Process in tiles, for large frames.
    """
    with run.use(vae) as loaded:
        return diffusion.encode_video(loaded, video, tiled=tiled, check=run.check)


@node("latent.image_to_video", title="Image to video")
def image_to_video(run: RunContext, vae: Vae, image: Image, frames: Frames = 81) -> Start:
    """Begin a video with a picture: connect latent and mask to Denoise, with video noise.

    Args:
        vae: The model's own.
        image: The first frame, one picture whose sides the VAE's scale divides.
        frames: Of the whole video.

    Returns:
        latent: A latent that begins with the picture.
        mask: What is to be drawn.
    """
    if image.batch != 1:
        raise RequestError(
            f"a video begins with one picture, these are {image.batch}.",
            place="port 'image'",
            way_out="Choose one with 'Images from batch', or continue a video of them.",
        )
    pixels = (image.colours * 255).round().to(torch.uint8)
    with run.use(vae) as loaded:
        return Start(*diffusion.start_of_video(loaded, Video(pixels, 1.0), frames, run.check))


@node("latent.continue_video", title="Continue video")
def continue_video(
    run: RunContext,
    vae: Vae,
    video: Video,
    given: Annotated[int, Range(1, 1000)] = 5,
    frames: Frames = 81,
) -> Start:
    """Begin a video with the last frames of another: connect latent and mask to Denoise.

    Args:
        vae: The model's own.
        video: The video to continue, with sides that the VAE's scale divides.
        given: How many of its last frames; for a VAE along time one and a multiple of four.
        frames: Of the new video, those included.

    Returns:
        latent: A latent that begins with these frames.
        mask: What is to be drawn.
    """
    if given > video.count:
        raise RequestError(
            f"the video has {video.count} frames, fewer than {given}.",
            place="port 'given'",
            way_out=f"Give {video.count} or fewer.",
        )
    last = Video(video.frames[-given:], video.rate)
    with run.use(vae) as loaded:
        return Start(*diffusion.start_of_video(loaded, last, frames, run.check))
