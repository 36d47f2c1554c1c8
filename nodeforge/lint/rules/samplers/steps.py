"""A denoise loop has at least one step to run, and guidance at least one to act in."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import GUIDANCE, SCHEDULE, number, steps_run
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF302",
    Severity.ERROR,
    why=(
        "Steps times strength are run, whole steps alone; guidance acts between its start and "
        "its end."
    ),
    source="diffusers documentation, image to image.",
    types=("sampling.schedule", "sampling.guidance", "sampling.denoise"),
)

LOOP = "sampling.denoise"


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.nodes.items():
        if node.type == SCHEDULE:
            yield from _empty_schedule(scene, path)
        elif node.type == GUIDANCE:
            yield from _empty_window(scene, path)
        elif node.type == LOOP:
            yield from _empty_loop(scene, path)


def _empty_schedule(scene: LintContext, path: str) -> Iterator[Problem]:
    run = steps_run(scene, path)
    if run is not None and run < 1 <= scene.value(path, "steps"):
        steps, strength = scene.value(path, "steps"), scene.value(path, "strength")
        yield scene.problem(
            path,
            f"{steps} steps at strength {strength:g} leave no step to run.",
            "Raise the strength or the number of steps.",
            port="strength",
        )


def _empty_window(scene: LintContext, path: str) -> Iterator[Problem]:
    start, end = number(scene.value(path, "start")), number(scene.value(path, "end"))
    if start is not None and end is not None and start >= end:
        yield scene.problem(
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
        yield scene.problem(path, fact, "Stop later than it starts.", port="stop_at")
    elif run is not None and 1 <= run <= first:
        fact = f"starts at step {first}, but the schedule has {run}: no step is run."
        yield scene.problem(path, fact, "Start earlier.", port="start_at")
