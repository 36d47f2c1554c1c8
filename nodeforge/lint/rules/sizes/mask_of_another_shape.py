"""A mask has the shape of the picture."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.graph.edits import Together
from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF511",
    Severity.WARNING,
    why=(
        "A mask is stretched to the picture: of another shape it marks something else than "
        "was drawn."
    ),
    source="How masks are scaled here.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

RECTANGLE = "mask.rectangle"
_MOST = 0.02


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        size = loop.size
        if size is None or min(size) < 1:
            continue
        for path in _rectangles(scene, loop):
            width, height = (scene.value(path, side) for side in ("width", "height"))
            if type(width) is not int or type(height) is not int or min(width, height) < 1:
                continue
            if abs(width / height / (size[0] / size[1]) - 1) > _MOST:
                yield scene.problem(
                    path,
                    f"is {width} × {height}; the picture is {size[0]} × {size[1]}.",
                    "Give the mask the picture's size.",
                    port="width",
                    fix=Together(
                        "give the mask the picture's size",
                        [
                            scene.set_value(path, "width", size[0]),
                            scene.set_value(path, "height", size[1]),
                        ],
                    ),
                )


def _rectangles(scene: LintContext, loop: Loop) -> Iterator[str]:
    """Rectangle masks of the loop's regions."""
    for place in loop.upstream("positive", "conditioning"):
        feed = scene.feed(place, "mask")
        if feed and scene.nodes[feed.node].type == RECTANGLE:
            yield feed.node
