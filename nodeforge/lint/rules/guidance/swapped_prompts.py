"""What is meant as the negative prompt is linked as one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF206",
    Severity.WARNING,
    why=(
        "Swapped links draw what should not be there. Titles tell which prompt was meant for "
        "which input."
    ),
    source="Practice.",
    types=LOOPS,
)

_OTHER = {"positive": "negative", "negative": "positive"}


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        for port in ("positive", "negative"):
            feed = scene.feed(loop.path, port)
            title = scene.titles.get(feed.node, "").lower() if feed else ""
            other = _OTHER[port]
            if feed and port not in title and re.search(rf"\b{other}\b", title):
                yield scene.problem(
                    loop.path,
                    f"'{scene.title(feed.node)}' is linked as the {port} prompt.",
                    f"Link it to '{other}', or rename it.",
                    port=port,
                )
