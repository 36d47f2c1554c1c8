"""The encoded silence that ACE-Step is told, for files that come without it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.weights.configs import scale_of

_ENCODED = 100
"""Cells that are encoded: the VAE hears less than half as far."""


@torch.no_grad()
def encoded_silence(vae: Any, cells: int) -> Tensor:
    """What a VAE makes of silence, (1, cells, channels): its start, then the same in every cell.

    Args:
        vae: An `AutoencoderOobleck`.
        cells: How many are told.
    """
    samples = min(_ENCODED, cells) * scale_of(vae.config)
    silence = torch.zeros(1, vae.config.audio_channels, samples, device=vae.device, dtype=vae.dtype)
    made = vae.encode(silence, return_dict=False)[0].mode()[..., : _ENCODED // 2]
    steady = made[..., -1:].expand(-1, -1, cells - made.shape[-1])
    return torch.cat([made, steady], -1).transpose(1, 2).contiguous()
