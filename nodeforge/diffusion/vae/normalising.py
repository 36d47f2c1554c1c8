"""Between what a VAE encodes and latents as denoisers know them: scale, shift, statistics."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def as_latent(network: Any, encoded: Tensor, *, divided: bool = False) -> Tensor:
    """What the encoder of `network` says, (batch, channels, height, width), as a latent.

    Args:
        network: The VAE.
        encoded: What its encoder says.
        divided: Divide by the spread of each channel, as pipelines do with references, where others
            multiply by its reciprocal: it decides the last bit.
    """
    if hasattr(network, "bn"):
        mean, spread = _statistics(network, encoded)
        return (_folded(encoded, *network.config.patch_size) - mean) / spread
    if (told := _statistics_of_channels(network, encoded)) is not None:
        mean, spread = told
        return (encoded - mean) / spread if divided else (encoded - mean) * (1.0 / spread)
    shift, factor = _shift_and_factor(network)
    return (encoded if shift is None else encoded - shift) * factor


def as_encoded(network: Any, latent: Tensor, *, multiplied: bool = False) -> Tensor:
    """The reverse of `as_latent`, for the decoder of `network`, in its dtype.

    Args:
        network: The VAE.
        latent: (batch, channels, height, width), or of a video or sound.
        multiplied: As `nodeforge.models.LatentSpace` has it.
    """
    if hasattr(network, "bn"):
        mean, spread = _statistics(network, latent)
        return _unfolded(latent * spread + mean, *network.config.patch_size).to(network.dtype)
    if (told := _statistics_of_channels(network, latent.to(network.dtype))) is not None:
        mean, spread = told
        numbers = latent.to(network.dtype)
        return (numbers * spread if multiplied else numbers / (1.0 / spread)) + mean
    shift, factor = _shift_and_factor(network)
    samples = latent / factor
    return (samples if shift is None else samples + shift).to(network.dtype)


def cells_folded(network: Any) -> int:
    """Cells of what the encoder says that make one cell of the latent, along each side."""
    return network.config.patch_size[0] if hasattr(network, "bn") else 1


def _statistics_of_channels(network: Any, like: Tensor) -> tuple[Tensor, Tensor] | None:
    """Mean and spread of each channel, of Wan's and Qwen's VAEs; None of others."""
    config = network.config
    if "z_dim" not in config:
        return None
    shape = (1, config["z_dim"], *[1] * (like.ndim - 2))
    mean, spread = torch.tensor(config["latents_mean"]), torch.tensor(config["latents_std"])
    return mean.view(shape).to(like), spread.view(shape).to(like)


def _shift_and_factor(network: Any) -> tuple[float | None, float]:
    return getattr(network.config, "shift_factor", None), network.config.scaling_factor


def _statistics(network: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread of each channel, which Flux.2's VAE keeps as those of a batch norm."""
    mean = network.bn.running_mean.view(1, -1, 1, 1).to(like)
    variance = network.bn.running_var.view(1, -1, 1, 1).to(like)
    return mean, torch.sqrt(variance + network.config.batch_norm_eps)


def _folded(x: Tensor, down: int, across: int) -> Tensor:
    """Neighbouring cells as channels."""
    batch, channels, height, width = x.shape
    x = x.reshape(batch, channels, height // down, down, width // across, across)
    return x.permute(0, 1, 3, 5, 2, 4).reshape(
        batch, channels * down * across, height // down, width // across
    )


def _unfolded(x: Tensor, down: int, across: int) -> Tensor:
    batch, channels, height, width = x.shape
    x = x.reshape(batch, channels // (down * across), down, across, height, width)
    return x.permute(0, 1, 4, 2, 5, 3).reshape(batch, -1, height * down, width * across)
