"""Guidance is no higher than a model bears."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops, number
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF203",
    Severity.WARNING,
    why=(
        "A high scale pushes values out of the range that the model was trained in: burnt "
        "colours, hard edges, doubled outlines. Rescaling, projection (APG) and thresholding "
        "each take that back."
    ),
    source=(
        "Lin et al. 2023, arXiv:2305.08891; Saharia et al. 2022, arXiv:2205.11487; Sadat et "
        "al. 2024, arXiv:2410.02416."
    ),
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_BOUNDED = 20.0
"""Above it pictures burn whatever takes it back."""
_BOUNDING = {"sampling.projected_guidance", "sampling.dynamic_thresholding"}


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.guidance is None or loop.scale is None or (loop.variant and loop.variant.distilled):
            continue  # the rule `distilled_guidance`
        usual = loop.recommended
        highest = (
            max(_BOUNDED, usual.guidance_range[1])
            if _is_bounded(scene, loop)
            else usual.guidance_range[1]
        )
        if loop.scale > highest:
            yield scene.problem(
                loop.guidance,
                f"is {loop.scale:g}; above {highest:g} pictures of {loop.label} burn.",
                f"{usual.guidance:g} is usual; or rescale it, or put APG after it.",
                port="scale",
                fix=scene.set_value(loop.guidance, "scale", usual.guidance),
            )


def _is_bounded(scene: LintContext, loop: Loop) -> bool:
    """Whether something takes back what a high scale does."""
    types = {scene.nodes[path].type for path in loop.upstream("guidance")}
    return bool(types & _BOUNDING) or (number(scene.value(loop.guidance or "", "rescale")) or 0) > 0
