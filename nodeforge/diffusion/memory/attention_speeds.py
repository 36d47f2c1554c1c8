"""How long a call of a denoiser takes with each attention kernel that is there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
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
_LEAST = 1e-12
"""Of the norm of a prediction, for networks that predict nothing."""


def attention_speeds(
    residency: Residency, recipe: Model, check: Callable[[], None] = lambda: None
) -> list[AttentionSpeed]:
    """Time calls of a denoiser with noise of its native size, with one kernel after another.

    Several rounds, the kernels in turn, so that what else the machine does meets all; the
    median counts.

    Args:
        residency: Has the network; it computes as before afterwards.
        recipe: Which denoiser.
        check: Called before each call; what it raises stops the measurement.

    Returns:
        What torch chooses by itself first. Kernels are left out that find no room, or whose
        predictions are no numbers. Empty where one call of each would take a minute.

    Raises:
        LoadingError: the model is gone, or lacks something.
    """
    device, policy = residency.device, residency.policy
    ways = [
        way for way in map(Attention, attention_backends(device)) if _able(residency, recipe, way)
    ]
    with residency.use(recipe, check=check) as model, torch.no_grad():
        network = model.network
        call = blank_call(recipe, network, policy.dtype_of(recipe, device), device, _noise)
        assert call is not None  # every denoiser has one
        before = dict(getattr(network, "attn_processors", {}))

        def timed(way: Attention) -> tuple[float, Tensor]:
            check()
            _have(network, way, before)
            with attention.use_attention(way, device):
                return _timed(call, device)

        try:
            first, _ = timed(Attention.AUTO)
            if first * len(ways) > _SECONDS:
                return []
            apart = _apart(timed, ways)
            rounds = max(1, min(_ROUNDS, int(_SECONDS / (first * len(ways)))))
            seconds = [{way: timed(way)[0] for way in apart} for _ in range(rounds)]
        finally:
            _have(network, policy.attention, before)
    return [
        AttentionSpeed(str(way), median(each[way] for each in seconds), difference)
        for way, difference in apart.items()
    ]


def _apart(
    timed: Callable[[Attention], tuple[float, Tensor]], ways: Sequence[Attention]
) -> dict[Attention, float]:
    """How far the predictions of kernels are from the first one's, relative to those; it warms
    the kernels up, too.
    """
    usual: Tensor | None = None
    found = {}
    for way in ways:
        try:
            made = timed(way)[1].float()
        except torch.OutOfMemoryError:
            continue
        usual = made if usual is None else usual
        difference = float((made - usual).norm() / usual.norm().clamp(min=_LEAST))
        if math.isfinite(difference):
            found[way] = difference
    return found


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
