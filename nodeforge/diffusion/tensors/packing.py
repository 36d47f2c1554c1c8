"""Folds latents into tokens, two by two cells each, and back: Flux.1 and its kin."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def pack(x: Tensor) -> Tensor:
    """(batch, channels, height, width) as (batch, height / 2 * width / 2, 4 * channels)."""
    batch, channels, height, width = x.shape
    x = x.reshape(batch, channels, height // 2, 2, width // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return x.reshape(batch, height // 2 * (width // 2), channels * 4)


def unpack(tokens: Tensor, height: int, width: int) -> Tensor:
    """The reverse of `pack`; `height` and `width` count cells of the latent."""
    batch, _, channels = tokens.shape
    x = tokens.reshape(batch, height // 2, width // 2, channels // 4, 2, 2)
    return x.permute(0, 3, 1, 4, 2, 5).reshape(batch, channels // 4, height, width)


def in_sequence(tokens: Sequence[Tensor]) -> Tensor:
    """Tokens of several pictures, (batch, tokens, channels) each, one after the other.

    One alone stays as it lies in memory, which decides the last bit of what is made of it.
    """
    return tokens[0] if len(tokens) == 1 else torch.cat(list(tokens), dim=1)


def place_ids(
    height: int, width: int, device: torch.device, dtype: torch.dtype, picture: int = 0
) -> Tensor:
    """Where each token lies: (tokens, 3), its picture, its row and its column.

    Args:
        height, width: In tokens.
        device, dtype: Of the result.
        picture: 0 is the one that is made, references count from 1.
    """
    ids = torch.zeros(height, width, 3)
    ids[..., 0] = picture
    ids[..., 1] += torch.arange(height)[:, None]
    ids[..., 2] += torch.arange(width)[None]
    return ids.reshape(-1, 3).to(device, dtype)
