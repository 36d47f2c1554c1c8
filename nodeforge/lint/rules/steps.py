"""A denoise loop has at least one step to run, and guidance at least one to act in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity

RULE = "steps"
_MOST_STEPS = 10**6
SCHEDULE, GUIDANCE, LOOP = "sampling.schedule", "sampling.guidance", "sampling.denoise"


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.nodes.items():
        if node.type == SCHEDULE:
            yield from _empty_schedule(scene, path)
        elif node.type == GUIDANCE:
            yield from _empty_window(scene, path)
        elif node.type == LOOP:
            yield from _empty_loop(scene, path)


def steps_run(scene: LintContext, path: str) -> int | None:
    """How many steps a schedule node's schedule runs; None where only a run can tell."""
    steps, strength = scene.value(path, "steps"), scene.value(path, "strength")
    counted = type(steps) is int and steps <= _MOST_STEPS
    if not counted or not _is_number(strength) or not 0 <= strength <= 1:
        return None  # the rule `ranges` says so
    return int(steps * strength)


def _empty_schedule(scene: LintContext, path: str) -> Iterator[Problem]:
    run = steps_run(scene, path)
    if run is not None and run < 1 <= scene.value(path, "steps"):
        steps, strength = scene.value(path, "steps"), scene.value(path, "strength")
        yield scene.problem(
            RULE,
            path,
            f"{steps} steps at strength {strength:g} leave no step to run.",
            "Raise the strength or the number of steps.",
            port="strength",
        )


def _empty_window(scene: LintContext, path: str) -> Iterator[Problem]:
    start, end = scene.value(path, "start"), scene.value(path, "end")
    if _is_number(start) and _is_number(end) and start >= end:
        yield scene.problem(
            RULE,
            path,
            f"guidance starts at {start:g} and ends at {end:g}, so it never acts.",
            "Let it end later than it starts.",
            port="end",
            severity=Severity.WARNING,
        )


def _empty_loop(scene: LintContext, path: str) -> Iterator[Problem]:
    first, last = scene.value(path, "start_at"), scene.value(path, "stop_at")
    source = scene.feed(path, "schedule")
    known = source is not None and scene.nodes[source.node].type == SCHEDULE
    run = steps_run(scene, source.node) if source and known else None
    if type(first) is not int:
        return
    if type(last) is int and last <= first:
        fact = f"starts at step {first} and stops at step {last}: no step is run."
        yield scene.problem(RULE, path, fact, "Stop later than it starts.", port="stop_at")
    elif run is not None and 1 <= run <= first:
        fact = f"starts at step {first}, but the schedule has {run}: no step is run."
        yield scene.problem(RULE, path, fact, "Start earlier.", port="start_at")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)
