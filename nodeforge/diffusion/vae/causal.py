"""Wan's autoencoders, which code a video causally: frame group after frame group.

Qwen-Image 2.1's is built like them, for pictures alone.

diffusers' own `encode` and `decode` do the same and keep the whole clip in floating point; here a
group at a time comes in and goes out. Each layer remembers what the next group needs of this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

FRAMES_IN_CELL = 4
"""Of every cell along time but the first, which is one frame."""


def is_causal(network: Any) -> bool:
    """Whether a VAE codes videos along time, too."""
    return "z_dim" in network.config


def frames_of(cells: int) -> int:
    """How many frames so many cells along time are."""
    return FRAMES_IN_CELL * (cells - 1) + 1


def decoded_groups(
    network: Any, samples: Tensor, check: Callable[[], None] = lambda: None
) -> Iterator[Tensor]:
    """The frames of each cell along time: (1, 3, frames, height, width), -1..1.

    Args:
        network: diffusers' `AutoencoderKLWan`.
        samples: As its decoder reads them, (1, channels, cells, height, width).
        check: Called before each group; what it raises stops the work.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    network.clear_cache()
    cells = network.post_quant_conv(samples)
    for at in range(samples.shape[2]):
        check()
        network._conv_idx = [0]  # the layer that comes next: this is what its own loop does
        first = {"first_chunk": True} if at == 0 else {}
        frames = network.decoder(
            cells[:, :, at : at + 1],
            feat_cache=network._feat_map,
            feat_idx=network._conv_idx,
            **first,
        )
        if network.config.patch_size is not None:
            frames = unpatchify(frames, patch_size=network.config.patch_size)
        yield frames.clamp(-1.0, 1.0)
    network.clear_cache()


def decoded_picture(network: Any, samples: Tensor) -> Tensor:
    """A picture as the first frame of a video, of which no layer need remember anything.

    Args:
        network: diffusers' `AutoencoderKLWan` or `AutoencoderKLQwenImage21`.
        samples: As its decoder reads them, (batch, channels, height, width).

    Returns:
        (batch, 3 or 4, height, width), -1..1.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    frame = network.decoder(network.post_quant_conv(samples[:, :, None]), first_chunk=True)
    if network.config.patch_size is not None:
        frame = unpatchify(frame, patch_size=network.config.patch_size)
    return frame[:, :, 0].clamp(-1.0, 1.0)


def encoded_picture(network: Any, pixels: Tensor) -> Tensor:
    """What the encoder says of a picture, (batch, twice the channels, height, width).

    Args:
        network: As in `decoded_picture`.
        pixels: (batch, 3 or 4, height, width), -1..1.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import patchify

    frame = pixels[:, :, None]
    if network.config.patch_size is not None:
        frame = patchify(frame, patch_size=network.config.patch_size)
    return network.quant_conv(network.encoder(frame))[:, :, 0]


def encoded(network: Any, groups: Iterator[Tensor]) -> Tensor:
    """What the encoder says of frames: (1, twice the channels, cells, height, width).

    Args:
        network: diffusers' `AutoencoderKLWan`.
        groups: (1, 3, frames, height, width), -1..1: first one frame, then `FRAMES_IN_CELL` each.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import patchify

    network.clear_cache()
    cells = []
    for frames in groups:
        network._enc_conv_idx = [0]
        if network.config.patch_size is not None:
            frames = patchify(frames, patch_size=network.config.patch_size)
        made = network.encoder(
            frames, feat_cache=network._enc_feat_map, feat_idx=network._enc_conv_idx
        )
        cells.append(made)
    moments = network.quant_conv(torch.cat(cells, 2))
    network.clear_cache()
    return moments
