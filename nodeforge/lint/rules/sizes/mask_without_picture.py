"""A mask keeps something."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF512",
    Severity.WARNING,
    why=(
        "Where the mask is 0 the picture that the loop starts from is kept. Without one there "
        "is nothing to keep."
    ),
    source="How the loop works here.",
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.refines:
            continue
        if scene.feed(loop.path, "mask") and not scene.feed(loop.path, "latent"):
            yield scene.problem(
                loop.path,
                "has a mask, and no picture to keep outside of it.",
                "Link the encoded picture to 'latent'.",
                port="mask",
            )
