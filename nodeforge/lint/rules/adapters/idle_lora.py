"""A LoRA that is loaded does something, once."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import loops
from nodeforge.lint.loras import LOAD_LORA, all_loras, loras
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF708",
    Severity.WARNING,
    why=(
        "At weights of 0 a LoRA is read for nothing. The same file twice is one LoRA of the "
        "sum of both weights."
    ),
    source="By definition: the changes are added, times their weights.",
    types=(LOAD_LORA,),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for lora in all_loras(scene):
        if lora.weight == 0 and (
            lora.text_weight == 0 or not scene.feed(lora.path, "text_encoder")
        ):
            yield scene.problem(
                lora.path,
                f"'{lora.name}' has a weight of 0: it does nothing.",
                "Raise the weight, or bypass the node.",
                port="model_weight",
            )
    for loop in loops(scene):
        seen: dict[str, str] = {}
        for lora in loras(scene, loop):
            if lora.file in seen:
                yield scene.problem(
                    seen[lora.file],
                    f"'{lora.name}' is loaded twice for the same model: the weights add up.",
                    "Keep one of the nodes.",
                    port="file",
                )
            seen[lora.file] = lora.path
