"""A model that was not distilled gets the steps that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
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


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        unknown = loop.family is None or (loop.variant is not None and loop.variant.distilled)
        if unknown or not loop.schedule or loop.steps is None or _hurries(scene, loop):
            continue
        least = loop.recommended.steps_range[0]
        if loop.steps < least:
            yield scene.problem(
                loop.schedule,
                f"is {loop.steps}; {loop.label} needs about {least} or more.",
                f"{loop.recommended.steps} is usual.",
                port="steps",
                fix=scene.set_value(loop.schedule, "steps", loop.recommended.steps),
            )


def _hurries(scene: LintContext, loop: Loop) -> bool:
    """Whether a LoRA for few steps, or something that is not known, acts on the model."""
    types = [scene.nodes[path].type for path in loop.upstream("model")]
    return "models.load_lora" in types or loop.settings.sampler in ("lcm", "tcd")
