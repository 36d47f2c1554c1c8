"""A distilled model starts where it was taught to start."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.sampling_labels import SCHEDULE_LABELS

RULE = Rule(
    "NF309",
    Severity.WARNING,
    why=(
        "Turbo, Lightning and Hyper learned steps that begin at full noise (trailing "
        "spacing). 'Normal' begins below it, and pictures lose contrast."
    ),
    source="diffusers documentation, sdxl_turbo.md; model card of SDXL-Lightning.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_TRAILING = ("turbo", "lightning", "hyper")
_LEADING = ("normal", "ddim_uniform")
_OWN = ("lcm", "tcd")
"""Samplers that space their steps by themselves."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        leading = loop.schedule and scene.value(loop.schedule, "name") in _LEADING
        if leading and loop.model.variant in _TRAILING and loop.settings.sampler not in _OWN:
            usual = loop.recommended.schedule
            yield scene.problem(
                loop.schedule or "",
                f"{loop.label} needs a schedule that starts at full noise.",
                f"Choose {SCHEDULE_LABELS[usual]}.",
                port="name",
                fix=scene.set_value(loop.schedule or "", "name", usual),
            )
