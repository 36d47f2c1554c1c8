"""A latent that still holds noise is not given more."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.graph.edits import Unlink
from nodeforge.graph.model import Input
from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF405",
    Severity.WARNING,
    why=(
        "The second of two loops that share a schedule goes on from where the first stopped. "
        "Noise on top of what is left draws another picture."
    ),
    source="How chains of loops work; ComfyUI's add_noise has the same trap.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.before and loop.before.stops_early and loop.has_noise and loop.first_step:
            yield scene.problem(
                loop.path,
                f"'{scene.title(loop.before.path)}' left noise in the latent, and more is added.",
                "Remove the link from 'Noise'.",
                port="noise",
                fix=Unlink(Input(loop.path, "noise")) if "/" not in loop.path else None,
            )
