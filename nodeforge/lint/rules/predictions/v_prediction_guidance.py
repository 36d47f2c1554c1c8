"""A model of v that was trained up to pure noise is guided gently."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops, number
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF320",
    Severity.WARNING,
    why=(
        "Such models follow the prompt at scales of 3 to 5.5; above about 7 colours saturate, "
        "which rescaling takes back."
    ),
    source="Cards of EasyFluff XL and LS Tiro XL; Lin et al. 2023, arXiv:2305.08891.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_MOST = 7.0


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        info, family = loop.model.info, loop.family
        if not info or not family or family.prediction_types[0] != "epsilon":
            continue
        if info.prediction_type != "v_prediction" or not info.zero_snr or not loop.guidance:
            continue
        rescale = number(scene.value(loop.guidance, "rescale")) or 0
        if loop.scale is not None and loop.scale > _MOST and not rescale:
            yield scene.problem(
                loop.guidance,
                f"is {loop.scale:g}; a model of v that was trained up to pure noise saturates.",
                "3 to 5.5 is usual; or set 'rescale' to 0.7.",
                port="scale",
                fix=scene.set_value(loop.guidance, "rescale", 0.7),
            )
