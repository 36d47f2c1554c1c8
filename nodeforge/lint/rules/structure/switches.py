"""A switch's branch is known before the run, and something feeds it."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.graph.model import Input, Mode
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.spec import Role

RULE = Rule(
    "NF107",
    Severity.ERROR,
    why=("Which branch is computed is decided before the run, so that the others cost nothing."),
    source="How runs are planned.",
    types=("graph.switch",),
)


def check(scene: LintContext) -> Iterator[Problem]:
    whole = scene.whole
    for path, node in whole.nodes.items():
        spec = scene.catalogue.get(node.type)
        if spec is None or spec.role is not Role.SWITCH or node.mode is not Mode.ACTIVE:
            continue
        if whole.source(Input(path, "choice")) is not None:
            if failure := scene.planned.failures.get(path):
                yield scene.problem(path, failure.fact, failure.way_out, port="choice")
            continue
        owner, port = scene.owner(path, "choice")
        values = (whole.nodes.get(owner) or whole.groups[owner]).values
        default = spec.input["choice"].default if "choice" in spec.input else 0
        choice = values.get(port, default)
        end = Input(path, "choices", choice) if type(choice) is int else None
        if end is None or (end not in whole.links and end not in whole.ports):
            yield scene.problem(
                path, f"nothing feeds branch {choice!r}.", "Choose another.", port="choice"
            )
