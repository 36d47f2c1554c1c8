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

_SIDES = ("width", "height", "frames")


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        feed = scene.feed(loop.path, "latent")
        if feed is None or loop.noise is None or _feeds_another(scene, loop):
            continue
        values = scene.nodes[loop.noise].values
        sides = [side for side in _SIDES if values.get(side) is not None]
        what = "number of frames" if sides == ["frames"] else "size"
        if sides:
            yield scene.problem(
                loop.noise,
                f"has a {what}, and '{scene.title(feed.node)}' gives another: that one counts.",
                f"Leave {' and '.join(sides)} empty.",
                port=sides[0],
                fix=Together(
                    "leave the size to the latent",
                    [scene.set_value(loop.noise, side, None) for side in sides],
                ),
            )


def _feeds_another(scene: LintContext, loop: Loop) -> bool:
    """Whether the noise also starts a loop without a latent."""
    return any(
        each.noise == loop.noise and scene.feed(each.path, "latent") is None
        for each in loops(scene)
    )
