"""A picture is not much smaller than those that the model was trained on."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF503",
    Severity.WARNING,
    why=(
        "Models draw what they have seen at the sizes that they have seen it: small pictures "
        "are cut off, flat and blurred."
    ),
    source=(
        "diffusers documentation, stable_diffusion_xl.md: below 512 is not recommended; "
        "krita-ai-diffusion enlarges such canvases first."
    ),
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.family is None or loop.size is None or loop.noise is None:
            continue
        native = loop.family.native_size_of(loop.model.variant)
        width, height = loop.size
        if width * height < loop.family.area_range_of(loop.model.variant)[0] * native**2:
            yield scene.problem(
                loop.noise,
                f"is {width} × {height}; {loop.label} was trained on about {loop.trained_size}.",
                "Draw it larger, and make it smaller afterwards.",
                port="width",
            )
