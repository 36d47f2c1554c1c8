"""Perturbed-attention and skip-layer guidance keep to a scale that was tried."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import number
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

_USUAL = {"sampling.perturbed_attention": 3.0, "sampling.skip_layers": 2.5}
_MOST = 7.0

RULE = Rule(
    "NF212",
    Severity.HINT,
    why=("Above it pictures lose colour and detail, as with too much guidance of the usual kind."),
    source=(
        "Ahn et al. 2024, arXiv:2403.17377: 3; Stability AI, SD 3.5's skip-layer guidance: "
        "2.5 in 1 to 20 % of the steps."
    ),
    fix=FixGrade.CHOICE,
    types=tuple(_USUAL),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(*_USUAL):
        scale = number(scene.value(path, "scale"))
        if scale is not None and scale > _MOST:
            usual = _USUAL[scene.nodes[path].type]
            yield scene.problem(
                path,
                f"is {scale:g}; above {_MOST:g} pictures fade and harden.",
                f"{usual:g} is usual.",
                port="scale",
                fix=scene.set_value(path, "scale", usual),
            )
