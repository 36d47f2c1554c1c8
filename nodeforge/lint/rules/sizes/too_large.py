"""A picture that is drawn at once is not much larger than those of the training."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF504",
    Severity.WARNING,
    why=(
        "Beyond its training a model repeats the subject and loses the composition. Larger "
        "pictures are drawn in two passes, in tiles, or with a ControlNet."
    ),
    source=(
        "He et al. 2023, arXiv:2310.07702; Du et al. 2023, arXiv:2311.16973; "
        "krita-ai-diffusion draws such canvases in two passes."
    ),
    types=LOOPS,
)

_HOLDING = {"control.apply", "canvas.control", "text.region", "text.area", "canvas.region"}


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.family is None or loop.size is None or loop.noise is None or _is_held(loop):
            continue
        native = loop.family.native_size_of(loop.model.variant)
        width, height = loop.size
        if width * height > loop.family.area_range_of(loop.model.variant)[1] * native**2:
            yield scene.problem(
                loop.noise,
                f"is {width} × {height}; {loop.label} was trained on about {loop.trained_size}.",
                "Draw it smaller, then enlarge it in a second pass.",
                port="width",
            )


def _is_held(loop: Loop) -> bool:
    """Whether tiles, a ControlNet or regions hold the composition."""
    return bool(loop.node("model", "models.tile") or loop.prompt_types & _HOLDING)
