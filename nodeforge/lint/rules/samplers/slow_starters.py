"""A sampler that starts slowly has the steps that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
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
        "has all."
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


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        name = loop.settings.sampler
        least = _LEAST.get(name)
        if loop.schedule and least and loop.steps and loop.steps < least:
            yield scene.problem(
                loop.schedule,
                f"is {loop.steps}; '{SAMPLER_LABELS[name]}' needs about {least}.",
                "Raise it, or choose Euler or DPM++ 2M for few steps.",
                port="steps",
            )
