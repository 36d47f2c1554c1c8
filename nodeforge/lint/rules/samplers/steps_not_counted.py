"""The number of steps means something to the sampler."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF306",
    Severity.HINT,
    why=(
        "DPM adaptive chooses its steps by itself, about 100 calls of the model; Restart "
        "never makes fewer than 25."
    ),
    source="Measured on nano (docs/nodes.md); Xu et al. 2023, arXiv:2306.14878.",
    types=LOOPS,
)

_RESTARTS = 8


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        name = loop.settings.sampler
        if loop.sampler and name == "dpm_adaptive":
            fact = "chooses its steps by itself: about 100 calls of the model whatever is set."
        elif loop.sampler and name == "restart" and loop.steps and loop.steps < _RESTARTS:
            fact = f"goes back and repeats steps: {loop.steps} steps cost at least 25 calls."
        else:
            continue
        way_out = "Choose another sampler for a number of steps that counts."
        yield scene.problem(loop.sampler, fact, way_out, port="name")
