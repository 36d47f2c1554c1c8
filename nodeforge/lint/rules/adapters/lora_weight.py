"""A LoRA is no stronger than a picture bears."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loras import LOAD_LORA, all_loras
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF706",
    Severity.WARNING,
    why=(
        "A LoRA was trained at 1. From about 1.5 on it draws its training pictures' faults, "
        "above 2 it destroys the picture."
    ),
    source="SwarmUI's documentation of LoRAs.",
    fix=FixGrade.CHOICE,
    types=(LOAD_LORA,),
)

_MOST = 1.5


def check(scene: LintContext) -> Iterator[Problem]:
    for lora in all_loras(scene):
        for port, weight in (("model_weight", lora.weight), ("text_weight", lora.text_weight)):
            if weight is not None and abs(weight) > _MOST and not lora.hurries:
                yield scene.problem(
                    lora.path,
                    f"is {weight:g}; above {_MOST:g} pictures break.",
                    "0.6 to 1 are usual.",
                    port=port,
                    fix=scene.set_value(lora.path, port, 1.0 if weight > 0 else -1.0),
                )
