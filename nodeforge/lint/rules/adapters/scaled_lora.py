"""A LoRA is as strong as its weight says."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import number
from nodeforge.lint.loras import LOAD_LORA, all_loras
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF710",
    Severity.HINT,
    why=(
        "Its change is times alpha over rank. Where alpha is larger than the rank, a weight "
        "of 1 is that much stronger."
    ),
    source=(
        "Hu et al. 2021, arXiv:2106.09685, section 4.1; ss_network_alpha and ss_network_dim "
        "of sd-scripts."
    ),
    fix=FixGrade.CHOICE,
    types=(LOAD_LORA,),
)

_KEYS = ("ss_network_alpha", "ss_network_dim")


def check(scene: LintContext) -> Iterator[Problem]:
    for lora in all_loras(scene):
        alpha, rank = (_number(lora.metadata.get(key, "")) for key in _KEYS)
        if alpha and rank and alpha > rank and (lora.weight or 0) > rank / alpha:
            yield scene.problem(
                lora.path,
                f"'{lora.name}' has an alpha of {alpha:g} over a rank of {rank:g}: a weight of 1 "
                f"is {alpha / rank:.2g} times as strong as usual.",
                f"Try {rank / alpha:.2g}.",
                port="model_weight",
                fix=scene.set_value(lora.path, "model_weight", float(f"{rank / alpha:.2g}")),
            )


def _number(text: str) -> float | None:
    try:
        return number(float(text))
    except ValueError:
        return None
