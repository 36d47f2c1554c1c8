"""Between videos and latents."""

from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import Latent, Range, RunContext, Vae, Video, node


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
