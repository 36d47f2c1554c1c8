"""No two pictures start from the same noise."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import NOISE
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF805",
    Severity.HINT,
    why=(
        "A batch of n uses the seeds s to s + n - 1: another noise node within them makes the "
        "same picture again."
    ),
    source="How seeds are counted here, as in A1111.",
    fix=FixGrade.CHOICE,
    types=(NOISE,),
)


def check(scene: LintContext) -> Iterator[Problem]:
    spans: list[tuple[int, int, str]] = []
    for path, node in scene.nodes.items():
        seed, batch = (scene.value(path, port) for port in ("seed", "batch"))
        counts = type(seed) is int and type(batch) is int
        if node.type == NOISE and counts and scene.is_needed(path):
            spans.append((seed, seed + batch, path))
    spans.sort()
    for (first, end, one), (second, other_end, other) in pairwise(spans):
        alike = scene.nodes[one].values.get("width") == scene.nodes[other].values.get("width")
        if second < end and alike and (first, end) != (second, other_end):
            yield scene.problem(
                other,
                f"starts at {second}; '{scene.title(one)}' has the seeds {first} to {end - 1}.",
                f"Start at {end} or above.",
                port="seed",
                fix=scene.set_value(other, "seed", end),
            )
