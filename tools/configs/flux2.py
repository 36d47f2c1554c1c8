"""Flux.2's autoencoder, which several families share: its config."""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl_flux2 import AutoencoderKLFlux2

PARAMETERS = {"vae": 84_046_115}
TOKENIZERS: dict[str, dict[str, str]] = {}
INDEX: dict[str, Any] = {"vae": ["diffusers", "AutoencoderKLFlux2"]}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {"vae": AutoencoderKLFlux2()}
