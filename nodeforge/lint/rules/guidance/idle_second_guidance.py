"""Each of two combined guidances acts somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import GUIDANCE, number
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

COMBINE = "sampling.combine_guidance"

RULE = Rule(
    "NF210",
    Severity.WARNING,
    why=(
        "The first of two guidances acts in its steps, the second in the others. Where the "
        "first has them all the second never acts."
    ),
    source="How guidances are combined here.",
    types=(COMBINE,),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(COMBINE):
        feed = scene.feed(path, "first")
        if feed is None or scene.nodes[feed.node].type != GUIDANCE:
            continue
        start, end = (number(scene.value(feed.node, port)) for port in ("start", "end"))
        if start == 0 and end == 1:
            yield scene.problem(
                path,
                "the first guidance acts in all steps, so the second never does.",
                "Let the first one end before 1, or start after 0.",
                port="second",
            )
