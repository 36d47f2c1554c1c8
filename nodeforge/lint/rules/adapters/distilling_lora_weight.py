"""A LoRA for few steps counts fully."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loras import LOAD_LORA, all_loras
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF705",
    Severity.HINT,
    why=(
        "It was trained at a weight of 1: with less the steps are too few, with more they are "
        "too far."
    ),
    source="Cards of LCM-LoRA and SDXL-Lightning.",
    fix=FixGrade.CHOICE,
    types=(LOAD_LORA,),
)

_LEAST, _MOST = 0.7, 1.2


def check(scene: LintContext) -> Iterator[Problem]:
    for lora in all_loras(scene):
        if lora.hurries and lora.weight and not _LEAST <= lora.weight <= _MOST:
            yield scene.problem(
                lora.path,
                f"is {lora.weight:g}; '{lora.name}' was trained at 1.",
                "Set it to 1.",
                port="model_weight",
                fix=scene.set_value(lora.path, "model_weight", 1.0),
            )
