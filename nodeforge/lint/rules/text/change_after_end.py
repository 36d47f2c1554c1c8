"""A word changes while the loop still runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import encoders
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF609",
    Severity.WARNING,
    why="A change at a step that is not run never comes.",
    source="The prompt editor's help.",
    types=LOOPS,
)

_CHANGE = re.compile(r"\[[^\[\]]*:\s*([1-9]\d{0,3})\s*\]")


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.steps_run is None:
            continue
        for path in (*encoders(scene, loop, "positive"), *encoders(scene, loop, "negative")):
            text = scene.value(path, "text")
            for match in _CHANGE.finditer(text) if type(text) is str else ():
                if int(match[1]) >= loop.steps_run:
                    yield scene.problem(
                        path,
                        f"'{match[0][:60]}' changes at step {match[1]} of {loop.steps_run}.",
                        "Name an earlier step, or a share such as 0.5.",
                        port="text",
                        words=match[0],
                    )
                    break
