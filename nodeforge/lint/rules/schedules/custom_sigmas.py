"""Sigmas that a person writes are numbers that fall to 0."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import CUSTOM_SCHEDULE
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.custom_sigmas import ScheduleError, parse_sigmas

RULE = Rule(
    "NF314",
    Severity.ERROR,
    why=(
        "The loop goes from each level to the next lower one, and the last one must leave no noise."
    ),
    source="The node's declaration.",
    types=(CUSTOM_SCHEDULE,),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(CUSTOM_SCHEDULE):
        text = scene.value(path, "sigmas")
        if type(text) is not str:
            continue
        try:
            parse_sigmas(text)
        except ScheduleError as error:
            yield scene.problem(path, error.fact, error.way_out, port="sigmas")
