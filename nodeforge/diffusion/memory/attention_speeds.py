"""How long a call of a denoiser takes with each attention kernel that is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.memory.blank_calls import blank_call
from nodeforge.diffusion.memory.residency import Residency
from nodeforge.diffusion.tensors import attention
from nodeforge.diffusion.tensors.attention import AttentionError, attention_backends
from nodeforge.models.measurements.measurement import AttentionSpeed
from nodeforge.settings import Attention
from nodeforge.values import Model

_ROUNDS = 5
_SECONDS = 60.0
"""A model that is so slow that all kernels once would take longer is not measured."""


def attention_speeds(residency: Residency, recipe: Model) -> list[AttentionSpeed]:
    """Time calls of a denoiser with noise of its native size, with one kernel after another.

    Several rounds, the kernels in turn, so that what else the machine does meets all; the
    median counts.

    Args:
        residency: Has the network; it computes as before afterwards.
        recipe: Which denoiser.

    Returns:
        What torch chooses by itself first. Empty where one call of each would take a minute.

    Raises:
        LoadingError: the model is gone, or lacks something.
    """
    device, policy = residency.device, residency.policy
    ways = [
        way for way in map(Attention, attention_backends(device)) if _able(residency, recipe, way)
    ]
    with residency.use(recipe) as model, torch.no_grad():
        network = model.network
        call = blank_call(recipe, network, policy.dtype_of(recipe, device), device, _noise)
        assert call is not None  # every denoiser has one
        before = dict(getattr(network, "attn_processors", {}))

        def timed(way: Attention) -> tuple[float, Tensor]:
            _have(network, way, before)
            with attention.use_attention(way, device):
                return _timed(call, device)

        try:
            first, _ = timed(Attention.AUTO)
            if first * len(ways) > _SECONDS:
                return []
            made = {way: timed(way)[1] for way in ways}  # warms them up, too
            rounds = max(1, min(_ROUNDS, int(_SECONDS / (first * len(ways)))))
            seconds = [{way: timed(way)[0] for way in ways} for _ in range(rounds)]
        finally:
            _have(network, policy.attention, before)
    usual = made[Attention.AUTO].float()
    return [
        AttentionSpeed(
            str(way),
            median(each[way] for each in seconds),
            float((made[way].float() - usual).norm() / usual.norm()),
        )
        for way in ways
    ]


def _able(residency: Residency, recipe: Model, way: Attention) -> bool:
    """Whether the network can compute attention that way."""
    try:
        policy = replace(residency.policy, attention=way)
        attention.check_network(policy, recipe, residency.device)
    except AttentionError:
        return False
    return True


def _have(network: Any, way: Attention, before: dict[str, Any]) -> None:
    """Have `network` compute attention that way, from the processors that it was loaded with."""
    if before:
        network.set_attn_processor(dict(before))
    attention.prepare(network, way)


def _timed(call: Callable[[], Any], device: torch.device) -> tuple[float, Tensor]:
    wait = torch.get_device_module(device).synchronize if device.type != "cpu" else lambda: None
    wait()
    start = time.perf_counter()
    made = call()
    wait()
    return time.perf_counter() - start, made


def _noise(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Other numbers than zeros, so that kernels can differ; the same each time."""
    if not dtype.is_floating_point:
        return torch.zeros(shape, dtype=dtype, device=device)
    made = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return made.to(device, dtype)
