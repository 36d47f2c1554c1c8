"""A latent that was enlarged is drawn anew strongly enough."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF409",
    Severity.HINT,
    why=(
        "Interpolated latents decode to blur, which small strengths leave as it is. A picture "
        "that is enlarged before it is encoded needs less."
    ),
    source="Practice, as in A1111's and ComfyUI's documentation of their second passes.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_SCALING = ("latent.upscale", "latent.scale_by")
_LEAST = 0.45


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        feed = scene.feed(loop.path, "latent")
        scaled = feed is not None and scene.nodes[feed.node].type in _SCALING
        if scaled and loop.schedule and loop.strength and 0 < loop.strength < _LEAST:
            yield scene.problem(
                loop.schedule,
                f"is {loop.strength:g}; an enlarged latent stays blurred below {_LEAST:g}.",
                f"Set it to {_LEAST:g} or more, or enlarge the picture instead.",
                port="strength",
                fix=scene.set_value(loop.schedule, "strength", _LEAST),
            )
