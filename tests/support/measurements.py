"""A measurement of nano, as `nodeforge measure nano` found it on a processor, in short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nodeforge.models import Conditions, Measurement, fingerprint
from nodeforge.models.measurements.measurement import Cell
from nodeforge.models.measurements.store import Measurements
from nodeforge.settings import shipped

STEPS = (4, 8, 12, 20, 30, 40)
DISTANCES: Mapping[str, Sequence[float]] = {
    "dpmpp_2m": (1.104, 0.296, 0.149, 0.072, 0.046, 0.036),
    "euler": (0.707, 0.271, 0.174, 0.116, 0.076, 0.065),
    "unipc": (1.262, 0.507, 0.251, 0.069, 0.043, 0.034),
}
A_STEP = 0.095
"""Seconds."""


def conditions(key: str, size: int = 256) -> Conditions:
    return Conditions(
        key=key,
        family="nano",
        variant="",
        device="cpu",
        device_kind="cpu",
        width=size,
        height=size,
        guidance=3.0,
        schedule="normal",
        samplers=tuple(DISTANCES),
        steps=STEPS,
        reference_steps=100,
        stochastic=("euler_a",),
        stochastic_steps=20,
        prompts=("a fox",),
    )


def measurement(key: str, size: int = 256) -> Measurement:
    cells = [
        Cell(sampler, steps, 0, A_STEP * steps, distance)
        for sampler, distances in DISTANCES.items()
        for steps, distance in zip(STEPS, distances, strict=True)
    ]
    stochastic = Cell("euler_a", 20, 0, A_STEP * 20)
    return Measurement(conditions(key, size), "nano", {0: 0.07}, (*cells, stochastic))


def keep_nano(home: Path, size: int = 256) -> Measurement:
    """Keep it in a home, for the nano that ships."""
    made = measurement(fingerprint(shipped("resources") / "models" / "nano"), size)
    Measurements(home).keep(made)
    return made
