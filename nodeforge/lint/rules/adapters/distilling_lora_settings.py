"""A LoRA for few steps gets few steps and little guidance."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.loras import loras
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF703",
    Severity.WARNING,
    why=(
        "LCM, Lightning, Hyper and Turbo LoRAs make a model draw in 2 to 8 steps without "
        "guidance. More of either burns the picture."
    ),
    source=(
        "diffusers documentation, latent_consistency_models.md: scale 1 to 2; cards of "
        "SDXL-Lightning and Hyper-SD."
    ),
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_MOST_GUIDANCE, _MOST_STEPS = 2.5, 12
_LEAST_WEIGHT = 0.7
"""Below, it is mixed in for its look."""
_KEEPS_GUIDANCE = re.compile(r"(?i)cfg(?!.*distil)")
"""Hyper-SD has LoRAs that were distilled with guidance, and say so."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        found = (each for each in loras(scene, loop) if (each.weight or 0) >= _LEAST_WEIGHT)
        hurried = next((each for each in found if each.hurries), None)
        if hurried is None or loop.family is None:
            continue
        guided = loop.scale is not None and loop.scale > _MOST_GUIDANCE
        if loop.scale is not None and guided and not _KEEPS_GUIDANCE.search(hurried.name):
            yield _problem(scene, loop, "guidance", "scale", f"{loop.scale:g}", hurried.name, 1.0)
        if loop.steps is not None and loop.steps > _MOST_STEPS:
            yield _problem(scene, loop, "schedule", "steps", f"{loop.steps}", hurried.name, 8)


def _problem(
    scene: LintContext, loop: Loop, role: str, port: str, value: str, lora: str, usual: float
) -> Problem:
    node = loop.guidance if role == "guidance" else loop.schedule
    why = f"with '{lora}', which draws in few steps without guidance."
    if node is None:
        fact = f"{port} of {value} are the model's usual, {why}"
        return scene.problem(loop.path, fact, f"Link a node that says {usual:g}.", port=role)
    fix = scene.set_value(node, port, usual)
    return scene.problem(node, f"is {value}, {why}", f"{usual:g} is usual.", port=port, fix=fix)
