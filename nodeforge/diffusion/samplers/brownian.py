"""Brownian noise for samplers that split a step: the same path however it is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from nodeforge.diffusion.tensors.noise import DrawnNoise

# The outer sigmas come back rounded to float32, which torchsde mentions at every run.
warnings.filterwarnings("ignore", message="Should have t[ab][<>]=t[01]", module="torchsde")

Brownian = Callable[[Tensor, Tensor], Tensor]
"""Standard normal noise for the way between two sigmas."""


def brownian(drawn: DrawnNoise, sigmas: Tensor, device: torch.device) -> Brownian:
    """Noise that grows from each item's seed, made on the CPU so that the device does not matter.

    The path is fixed by seed, shape and the outer sigmas: built again, it goes on where it was.

    Args:
        drawn: Shape and seeds. Items that are drawn together have one path.
        sigmas: The whole schedule.
        device: Where the noise is wanted.
    """
    from diffusers.schedulers.scheduling_dpmsolver_sde import BrownianTreeNoiseSampler

    lowest, highest = float(sigmas[sigmas > 0].min()), float(sigmas.max())
    like, seeds = drawn.start.cpu().new_zeros(drawn.drawn_shape), list(drawn.seeds)
    seed = seeds if drawn.whole is None else seeds[0]
    tree = BrownianTreeNoiseSampler(like, lowest, highest, seed)  # pyright: ignore[reportArgumentType]
    return lambda sigma, sigma_next: tree(sigma, sigma_next).to(device)  # pyright: ignore[reportArgumentType]
