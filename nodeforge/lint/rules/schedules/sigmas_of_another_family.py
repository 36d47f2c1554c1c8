"""Sigmas that a person writes are levels that the model knows."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import CUSTOM_SCHEDULE, LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.custom_sigmas import ScheduleError, parse_sigmas

RULE = Rule(
    "NF315",
    Severity.WARNING,
    why=(
        "A model has seen noise up to a level of its own: 14.6 for Stable Diffusion, 1 for "
        "models that predict flow. Above it the picture starts from noise that the model "
        "takes for something."
    ),
    source="Karras et al. 2022, arXiv:2206.00364; the families' schedulers.",
    types=LOOPS,
)

_HIGHEST = 14.6146
_FAR = 1.2


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        path = loop.node("schedule", CUSTOM_SCHEDULE)
        text = scene.value(path, "sigmas") if path else None
        if not path or type(text) is not str or loop.model.flow is None:
            continue
        try:
            first = parse_sigmas(text)[0]
        except ScheduleError:
            continue  # the rule `custom_sigmas`
        highest = 1.0 if loop.model.flow else _HIGHEST
        zero_snr = loop.model.info is not None and loop.model.info.zero_snr
        if first > highest * _FAR and not (zero_snr and not loop.model.flow):
            yield scene.problem(
                path,
                f"start at {first:g}; {loop.label} knows noise up to {highest:g}.",
                f"Start at {highest:g} or below.",
                port="sigmas",
            )
