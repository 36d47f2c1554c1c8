"""A model that was trained up to pure noise starts there."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.sampling_labels import SCHEDULE_LABELS

RULE = Rule(
    "NF313",
    Severity.WARNING,
    why=(
        "Karras and exponential spacing spend their first steps far above the levels at which "
        "such a model decides brightness and colour."
    ),
    source=(
        "Lin et al. 2023, arXiv:2305.08891, section 3.3; cards of MIDNIGHT NAI-XL and LS Tiro XL."
    ),
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_BENT = ("karras", "exponential")


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        info, name = loop.model.info, loop.schedule and scene.value(loop.schedule, "name")
        if not info or not info.zero_snr or not _was_trained_so(loop) or name not in _BENT:
            continue
        yield scene.problem(
            loop.schedule or "",
            f"{SCHEDULE_LABELS[str(name)]} does not suit a model trained up to pure noise.",
            "Choose SGM Uniform or Normal.",
            port="name",
            fix=scene.set_value(loop.schedule or "", "name", "sgm_uniform"),
        )


def _was_trained_so(loop: Loop) -> bool:
    """Whether it is a family's model that others brought to pure noise."""
    return loop.family is not None and loop.family.prediction_types[0] == "epsilon"
