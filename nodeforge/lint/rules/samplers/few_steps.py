"""A model that was not distilled gets the steps that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.measured import measured
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF307",
    Severity.HINT,
    why="Below about six steps pictures of such models are blurred, whatever the sampler.",
    source=(
        "Lu et al. 2022, arXiv:2211.01095, table 1; measured on nano (docs/nodes.md), which "
        "needs fewer."
    ),
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_FAR = 0.5
"""The measured distance from which a picture is another one than that of more steps."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        unknown = loop.family is None or (loop.variant is not None and loop.variant.distilled)
        if unknown or not loop.schedule or loop.steps is None or _hurries(scene, loop):
            continue
        if fact := _too_few(loop, loop.steps):
            yield scene.problem(
                loop.schedule,
                fact,
                f"{loop.recommended.steps} is usual.",
                port="steps",
                fix=scene.set_value(loop.schedule, "steps", loop.recommended.steps),
            )


def _too_few(loop: Loop, steps: int) -> str:
    """What is wrong with so few steps: as it was measured, or as is usual; empty for nothing."""
    least = loop.recommended.steps_range[0]
    found = measured(loop)
    distance = found.distance(steps) if found is not None else None
    if distance is None:
        return f"is {steps}; {loop.label} needs about {least} or more." if steps < least else ""
    if distance <= _FAR or steps >= loop.recommended.steps:
        return ""
    return (
        f"is {steps}; with so few the picture differs from the converged one by {distance:.0%} of "
        "what another seed does, as measured here."
    )


def _hurries(scene: LintContext, loop: Loop) -> bool:
    """Whether a LoRA for few steps, or something that is not known, acts on the model."""
    types = [scene.nodes[path].type for path in loop.upstream("model")]
    return "models.load_lora" in types or loop.settings.sampler in ("lcm", "tcd")
