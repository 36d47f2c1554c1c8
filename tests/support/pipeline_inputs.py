"""Inputs for comparing the denoise loop with diffusers' pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor

from nodeforge import diffusion
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Image, Latent, Mask

SEED = 5
SIZE = 64
STEPS = 4
SCALE = 6.0


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


def asked(**more: Any) -> dict[str, Any]:
    """Arguments of a pipeline, which then gives a latent."""
    return {
        "prompt": "a red cat",
        "negative_prompt": "blurry",
        "num_inference_steps": STEPS,
        "guidance_scale": SCALE,
        "generator": generator(),
        "output_type": "latent",
        **more,
    }


def picture() -> Pillow.Image:
    rng = np.random.default_rng(0)
    return Pillow.fromarray(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))


def as_image(pillow: Pillow.Image) -> Image:
    return Image(torch.from_numpy(np.asarray(pillow, np.float32) / 255)[None])


def hole() -> Pillow.Image:
    """White, where the picture may change; its sides lie inside of cells."""
    values = np.zeros((SIZE, SIZE), np.uint8)
    values[13:43, 21:60] = 255
    return Pillow.fromarray(values)


def as_mask(pillow: Pillow.Image) -> Mask:
    return Mask(torch.from_numpy(np.asarray(pillow, np.float32) / 255)[None])


def difference(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max())


def shown_to(conditioning: Conditioning, width: int, height: int, channels: int) -> Conditioning:
    """With a latent of noise as its picture, where the family takes pictures apart.

    Args:
        conditioning: The prompts.
        width, height: Of the picture, pixels.
        channels: Of the latent, of two pixels a cell.
    """
    family = FAMILIES[conditioning.family]
    if not family.layers:
        return conditioning
    seen = torch.randn(1, channels, height // 2, width // 2, generator=generator())
    return diffusion.with_references(conditioning, [Latent(seen, family.space, 2)])
