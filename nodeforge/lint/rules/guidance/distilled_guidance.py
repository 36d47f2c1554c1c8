"""A distilled model is guided no more than it was trained for."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.models import GuidanceKind

RULE = Rule(
    "NF201",
    Severity.WARNING,
    why=(
        "Turbo, Lightning, Hyper, LCM and their like were trained to draw what guidance would "
        "give: guiding them again burns colours and edges."
    ),
    source=(
        "diffusers documentation, sdxl_turbo.md and latent_consistency_models.md; the model "
        "cards; Flux.1 schnell, Z-Image-Turbo and FLUX.2 klein read no scale."
    ),
    fix=FixGrade.CHOICE,
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if (
            loop.guidance is None
            or loop.scale is None
            or not (loop.variant and loop.variant.distilled)
        ):
            continue
        usual = loop.variant.recommended
        highest = usual.guidance_range[1]
        if loop.scale <= highest:
            continue
        idle = loop.guidance_kind is GuidanceKind.NONE
        most = "reads no scale" if idle else f"bears up to {highest:g}"
        yield scene.problem(
            loop.guidance,
            f"is {loop.scale:g}; {loop.label} {most}.",
            f"Set it to {usual.guidance:g}" + (", which is off." if usual.guidance == 1 else "."),
            port="scale",
            fix=scene.set_value(loop.guidance, "scale", usual.guidance),
        )
