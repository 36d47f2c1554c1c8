"""A model is distilled once."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.loras import LoadedLora, loras
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF704",
    Severity.WARNING,
    why=(
        "Two LoRAs for few steps, or one on a model that is already distilled, shorten the "
        "same way twice: pictures are flat or burnt."
    ),
    source="Practice.",
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        hurried = [each for each in loras(scene, loop) if each.hurries and each.weight]
        if len(hurried) > 1:
            fact = f"'{hurried[1].name}' also makes the model draw in few steps."
        elif hurried and _is_another(loop, hurried[0]):
            fact = f"{loop.label} already draws in few steps."
        else:
            continue
        yield scene.problem(hurried[0].path, fact, "Keep one of them.", port="file")


def _is_another(loop: Loop, lora: LoadedLora) -> bool:
    """Whether the model is distilled, in another way than the LoRA's name says of its base."""
    distilled = loop.variant is not None and loop.variant.distilled
    return distilled and lora.way_to_hurry != (loop.model.variant or "")
