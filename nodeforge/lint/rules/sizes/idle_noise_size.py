"""A size that is set is used."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.graph.edits import Together
from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF507",
    Severity.HINT,
    why="Where a loop starts from a latent, that one's size counts.",
    source="How the loop works here.",
    fix=FixGrade.SAFE,
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        feed = scene.feed(loop.path, "latent")
        if feed is None or loop.noise is None or _feeds_another(scene, loop):
            continue
        values = scene.nodes[loop.noise].values
        if values.get("width") is not None or values.get("height") is not None:
            yield scene.problem(
                loop.noise,
                f"has a size, and '{scene.title(feed.node)}' gives another: that one counts.",
                "Leave width and height empty.",
                port="width",
                fix=Together(
                    "leave the size to the latent",
                    [scene.set_value(loop.noise, side, None) for side in ("width", "height")],
                ),
            )


def _feeds_another(scene: LintContext, loop: Loop) -> bool:
    """Whether the noise also starts a loop without a latent."""
    return any(
        each.noise == loop.noise and scene.feed(each.path, "latent") is None
        for each in loops(scene)
    )
