"""A value that is planned before the run can be had: arithmetic, lists, texts."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.spec import Role

RULE = Rule(
    "NF117",
    Severity.ERROR,
    why=(
        "Numbers, texts and lists of nodes that are planned are computed before a run, as sizes, "
        "switches and the number of pictures hang on them. What cannot be computed then stops "
        "the run before its first step."
    ),
    source="How runs are planned.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path, failure in scene.planned.failures.items():
        spec = scene.nodes[path].spec
        if spec is not None and spec.role is Role.COMPUTE:  # others are other rules' matter
            yield scene.problem(path, failure.fact, failure.way_out)
