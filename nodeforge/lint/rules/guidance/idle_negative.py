"""A negative prompt is read."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.models import GuidanceKind

RULE = Rule(
    "NF204",
    Severity.HINT,
    why=(
        "Without guidance the negative prompt's prediction is never computed; distilled "
        "models read none."
    ),
    source=(
        "Ho and Salimans 2022, arXiv:2207.12598; diffusers documentation, "
        "latent_consistency_models.md."
    ),
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        encoder = loop.node("negative", "text.encode")
        text = scene.value(encoder, "text") if encoder else None
        if type(text) is not str or not text.strip() or loop.true_scale > 1:
            continue
        kind = loop.guidance_kind
        if kind is GuidanceKind.NONE:
            why = f"{loop.label} reads no negative prompt."
        elif kind is GuidanceKind.EMBEDDED:
            why = "it is read where the guidance node has a 'true scale' above 1."
        elif loop.scale == 1:
            why = "guidance is 1, which is off."
        else:
            continue
        yield scene.problem(
            loop.path,
            f"the negative prompt is not read: {why}",
            "Leave it out, or raise the guidance where the model bears it.",
            port="negative",
        )
