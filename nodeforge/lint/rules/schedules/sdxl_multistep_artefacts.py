"""DPM++ on SDXL ends on a schedule that falls gently."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.sampling_labels import SAMPLER_LABELS
from nodeforge.values.setting_names import DIFFUSERS

RULE = Rule(
    "NF310",
    Severity.WARNING,
    why=(
        "DPM++ 2M on evenly spaced steps draws coloured spots on SDXL in its last step, below "
        "about 50 steps. Karras spacing has small last steps; ComfyUI's convention ends with "
        "a step of first order."
    ),
    source="diffusers documentation, stable_diffusion_xl.md; diffusers issue 5433.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_MULTISTEP = ("dpmpp_2m", "dpmpp_3m_sde", "dpmpp_2m_sde")
_EVEN = ("normal", "sgm_uniform", "simple", "ddim_uniform")
_FEWEST, _MOST = 15, 50
"""Below, the last steps are of first order anyway; from here on they are small enough."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        made = loop.settings
        plain = loop.family is not None and loop.family.spots_at_even_steps
        plain = plain and not loop.model.variant
        even = made.schedule in _EVEN and made.convention == DIFFUSERS
        even = even and not (loop.model.info and loop.model.info.zero_snr)
        if not (loop.schedule and plain and even and made.sampler in _MULTISTEP and loop.steps):
            continue
        if _FEWEST <= loop.steps < _MOST:
            yield scene.problem(
                loop.schedule,
                f"leaves spots with '{SAMPLER_LABELS[made.sampler]}' at {loop.steps} steps.",
                "Choose Karras.",
                port="name",
                fix=scene.set_value(loop.schedule, "name", "karras"),
            )
