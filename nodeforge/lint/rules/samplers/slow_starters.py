"""A sampler that starts slowly has the steps that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.measured import MeasuredLoop, measured
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.sampling_labels import SAMPLER_LABELS

RULE = Rule(
    "NF305",
    Severity.HINT,
    why=(
        "Samplers of high order take their first steps as simpler ones, or spend several "
        "calls a step: with few steps they are behind Euler."
    ),
    source=(
        "Measured on nano (docs/nodes.md): 12 to 56 % of the pictures named right where Euler "
        "has all; of a model that was measured here, its own distances."
    ),
    types=LOOPS,
)

_LEAST = {
    "ipndm": 16,
    "unipc_bh1": 16,
    "pndm": 16,
    "dpm2_a": 16,
    "dpm_fast": 16,
    "restart": 8,
    "sa_solver": 12,
    "dpmpp_2m_sde": 8,
    "dpmpp_3m_sde": 8,
}


_BEHIND = 1.3
"""How many times as far as Euler's picture one has to be to be seen, ..."""
_NEAR = 0.15
"""... unless it is nearer than this, which is not seen either."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if not (loop.schedule and loop.steps):
            continue
        if fact := _too_slow(loop, loop.settings.sampler, loop.steps):
            yield scene.problem(
                loop.schedule,
                fact,
                "Raise it, or choose Euler for few steps.",
                port="steps",
            )


def _too_slow(loop: Loop, name: str, steps: int) -> str:
    """What is wrong with so few steps of a sampler: as it was measured, or as with nano."""
    found = measured(loop)
    here = found.distance(steps) if found is not None else None
    there = _of_euler(found, steps) if found is not None else None
    if here is None or there is None:
        least = _LEAST.get(name, 0)
        return f"is {steps}; '{SAMPLER_LABELS[name]}' needs about {least}." if steps < least else ""
    if here <= max(_NEAR, _BEHIND * there):
        return ""
    return (
        f"is {steps}; with so few '{SAMPLER_LABELS[name]}' is behind Euler here: it differs from "
        f"the converged picture by {here:.0%} of what another seed does, Euler by {there:.0%}."
    )


def _of_euler(found: MeasuredLoop, steps: int) -> float | None:
    """The distance of Euler after `steps`; None where it was not measured."""
    distances = (found.measurement.distance(name, steps) for name in ("euler", "flow_euler"))
    return next((each for each in distances if each is not None), None)
