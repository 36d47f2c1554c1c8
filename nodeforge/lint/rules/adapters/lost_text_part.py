"""The part of a LoRA for the text encoder is used."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loras import LOAD_LORA, all_loras
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF709",
    Severity.WARNING,
    why=(
        "Such a LoRA was trained with both parts: its words mean less without the one for the "
        "text encoder."
    ),
    source="The file's header: tensors for text encoders.",
    types=(LOAD_LORA,),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for lora in all_loras(scene):
        if scene.feed(lora.path, "text_encoder") or not lora.has_text_part or not lora.text_weight:
            continue
        yield scene.problem(
            lora.path,
            f"'{lora.name}' also changes the text encoder, and none is linked.",
            "Link the text encoder through it, or set 'text_weight' to 0.",
            port="text_encoder",
        )
