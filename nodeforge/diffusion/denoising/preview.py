"""Rough previews of latents, by one matrix a family instead of its VAE."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from nodeforge.diffusion.networks.loading import LoadedVae
from nodeforge.settings import shipped
from nodeforge.values.latent import BCL, BCTHW


@dataclass(frozen=True)
class Factors:
    """`matrix` (channels, 3) and `bias` (3): latent to RGB, 0..1, float32."""

    matrix: Tensor
    bias: Tensor


@cache
def factors_of(family: str, channels: int) -> Factors:
    """What was fitted to the family's VAE, else its first three channels as red, green, blue."""
    file = shipped("resources") / "preview" / f"{family}.json"
    if file.is_file():
        told = json.loads(file.read_text("utf-8"))
        if len(told["matrix"]) == channels:
            return Factors(torch.tensor(told["matrix"]), torch.tensor(told["bias"]))
    return Factors(torch.eye(channels, 3) * 0.25, torch.full((3,), 0.5))


def preview(samples: Tensor, factors: Factors) -> np.ndarray:
    """A picture of one latent at the latent's own size, uint8 (height, width, 3).

    Args:
        samples: (channels, height, width), clean.
        factors: Of the latent's family.
    """
    pixels = torch.einsum("chw,cr->hwr", samples.float().cpu(), factors.matrix) + factors.bias
    return (pixels.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def clip_preview(samples: Tensor, layout: str, factors: Factors) -> np.ndarray:
    """`preview` of a picture's latent; of a video's, (frames, height, width, 3).

    A sound's latent is shown as it is: a row for each channel, (channels, length, 3), grey.

    Args:
        samples: One item, clean.
        layout: As `Latent.layout` has it.
        factors: Of the latent's family.
    """
    if layout == BCL:
        grey = (samples.float().cpu() * 0.25 + 0.5).clamp(0, 1) * 255
        return grey.round().to(torch.uint8)[..., None].expand(-1, -1, 3).contiguous().numpy()
    if layout != BCTHW:
        return preview(samples, factors)
    return np.stack([preview(samples[:, time], factors) for time in range(samples.shape[1])])


@torch.no_grad()
def fit(vae: LoadedVae, latents: Tensor) -> Factors:
    """Factors that come nearest, in least squares, to what the VAE makes of `latents`.

    Args:
        vae: The family's VAE.
        latents: (batch, channels, height, width), scaled as `Latent.samples`, of real pictures.
    """
    network = vae.network
    scaled = (latents / network.config["scaling_factor"]).to(network.device, network.dtype)
    decoded = network.decode(scaled, return_dict=False)[0].float().cpu()  # pyright: ignore[reportArgumentType]
    small = torch.nn.functional.interpolate(decoded, size=latents.shape[2:], mode="area")
    colours = (small * 0.5 + 0.5).permute(0, 2, 3, 1).reshape(-1, 3)
    cells = latents.float().permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    with_one = torch.cat([cells, torch.ones(len(cells), 1)], dim=1)
    solution = torch.linalg.lstsq(with_one, colours).solution
    return Factors(solution[:-1], solution[-1])
