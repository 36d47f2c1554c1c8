"""Between sounds and latents."""

from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import Audio, Latent, Range, RunContext, Vae, node


@node("latent.decode_audio", title="Decode audio")
def decode_audio(
    run: RunContext,
    vae: Vae,
    latent: Latent,
    seconds: Annotated[float | None, Range(0.1, 600.0, step=1.0, auto=True)] = None,
    tiled: bool = False,
) -> Audio:
    """Decode a latent to a sound.

    Args:
        vae: The model's own.
        latent: A latent of sounds.
        seconds: Length to cut it to; empty is the length that the latent was made for.
        tiled: Process in parts along time, where memory is short.
    """

    def fell_back() -> None:
        run.fell_back("memory did not suffice, so the sound was decoded in parts.")

    with run.use(vae) as loaded:
        return diffusion.decode_audio(
            loaded, latent, seconds=seconds, tiled=tiled, check=run.check, fell_back=fell_back
        )


@node("latent.encode_audio", title="Encode audio")
def encode_audio(run: RunContext, vae: Vae, audio: Audio) -> Latent:
    """Encode a sound to a latent.

    Args:
        vae: The model's own.
        audio: A sound at the VAE's rate, no longer than the model's sounds.
    """
    with run.use(vae) as loaded:
        return diffusion.encode_audio(loaded, audio, check=run.check)
