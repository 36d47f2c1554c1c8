"""Settings that a workflow leaves to the model: sampler, schedule, steps, guidance, size.

One function, without torch: the denoise loop, the linter, the inspector, pictures' metadata and
the command line say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nodeforge.models.families import FAMILIES
from nodeforge.models.sampler_table import Levels, levels_of, sampler_table, walked
from nodeforge.values.sampling_labels import SAMPLER_LABELS, SCHEDULE_LABELS
from nodeforge.values.setting_names import AUTO, DIFFUSERS

_EVEN = "simple"
"""The schedule of models with noise levels of their own, in another number of steps."""


@dataclass(frozen=True)
class SamplingSettings:
    """What a denoise loop is told; `AUTO` and None are left to the model.

    Args:
        sampler: Its name.
        schedule: Its name.
        steps: Whole steps at strength 1.
        guidance: The usual scale, 1 is off.
        image_guidance: Of the picture that a model edits, 1 is off.
        width, height: Of the picture, pixels; 0 for sounds.
        frames: Of the video; None for pictures.
        convention: Whose numbers the loop follows.
    """

    sampler: str = AUTO
    schedule: str = AUTO
    steps: int | None = None
    guidance: float | None = None
    image_guidance: float | None = None
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    convention: str = DIFFUSERS

    @property
    def complete(self) -> bool:
        """Whether nothing that every model has is left to it."""
        numbers = (self.steps, self.guidance, self.width, self.height)
        return AUTO not in (self.sampler, self.schedule) and None not in numbers

    @property
    def label(self) -> str:
        """In words: ``Flow Euler, Simple, 8 steps, guidance 1, 1024 × 1024``."""
        sampler, schedule = SAMPLER_LABELS[self.sampler], SCHEDULE_LABELS[self.schedule]
        told = f"{sampler}, {schedule}, {self.steps} steps, guidance {self.guidance:g}"
        if self.image_guidance not in (None, 1):
            told += f", image guidance {self.image_guidance:g}"
        if not (self.width and self.height):
            return told
        size = f"{told}, {self.width} × {self.height}"
        return f"{size}, {self.frames} frames" if self.frames else size


def resolve(
    asked: SamplingSettings, family: str, variant: str = "", prediction: str = ""
) -> SamplingSettings:
    """`asked` with all that it leaves to the model.

    What is given holds, and the rest follows: first the sampler, then a schedule that it walks,
    steps, guidance, size.

    Args:
        asked: What the workflow says.
        family: The model's, a name in `FAMILIES`.
        variant: Which of the family's kinds of models it is.
        prediction: What it predicts; empty is its family's usual.
    """
    facts = FAMILIES[family]
    usual = facts.recommended_for(variant)
    native = facts.native_sides
    frames = facts.video.frames if facts.video else None
    levels = levels_of(family, prediction)
    sampler = asked.sampler
    if sampler == AUTO:
        sampler = _sampler(usual.sampler, asked.schedule, levels, asked.convention)
    schedule = asked.schedule
    if schedule == AUTO:
        fits = asked.steps in (None, usual.steps) or not usual.sigmas  # a list has its own steps
        schedule = _schedule(usual.schedule if fits else _EVEN, sampler, levels, asked.convention)
    return replace(
        asked,
        sampler=sampler,
        schedule=schedule,
        steps=usual.steps if asked.steps is None else asked.steps,
        guidance=usual.guidance if asked.guidance is None else asked.guidance,
        image_guidance=(
            usual.image_guidance if asked.image_guidance is None else asked.image_guidance
        ),
        width=native[0] if asked.width is None else asked.width,
        height=native[1] if asked.height is None else asked.height,
        frames=frames if asked.frames is None else asked.frames,
    )


def _sampler(usual: str, schedule: str, levels: Levels, convention: str) -> str:
    """The usual one where it walks the schedule; else the first that does."""
    for name in (usual, *sampler_table()):
        schedules = walked(name, levels, convention)["plain"]
        if schedule in schedules or (schedule == AUTO and schedules):
            return name
    return usual  # nothing walks it: the loop says so


def _schedule(usual: str, sampler: str, levels: Levels, convention: str) -> str:
    if sampler not in sampler_table():
        return usual  # the loop says so
    schedules = walked(sampler, levels, convention)["plain"]
    return next((name for name in (usual, *SCHEDULE_LABELS) if name in schedules), usual)
