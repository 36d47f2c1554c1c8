"""What a workflow silences are rules that there are."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF115",
    Severity.HINT,
    why="A misspelt code silences nothing, and a rule of a later version is not known here.",
    source="The rules of this version.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path, keys in scene.silences.items():
        for key in keys:
            if key not in scene.rules:
                near = get_close_matches(key[:80], scene.rules, n=1)
                hint = f"Did you mean '{near[0]}'? " if near else ""
                yield scene.problem(
                    path,
                    f"'{key[:80]}' is silenced, which is no rule.",
                    f"{hint}'nodeforge lint --explain all' lists them.",
                )
