"""A LoRA is called by the words that it was taught with."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.loras import loras
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import encoders
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF611",
    Severity.HINT,
    why="Many LoRAs act fully only where the prompt has their trigger phrase.",
    source="ModelSpec of Stability AI, modelspec.trigger_phrase.",
    types=LOOPS,
)

_LONGEST = 120
"""Characters; longer ones are captions."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        texts = [scene.value(path, "text") for path in encoders(scene, loop, "positive")]
        if not texts or any(type(text) is not str for text in texts):
            continue
        whole = " ".join(texts).lower()
        for lora in loras(scene, loop):
            phrase = lora.metadata.get("modelspec.trigger_phrase", "").strip()
            words = [word.strip().lower() for word in phrase.split(",") if word.strip()]
            if words and len(phrase) <= _LONGEST and not any(word in whole for word in words):
                yield scene.problem(
                    lora.path,
                    f"'{lora.name}' was taught with '{phrase}', which the prompt does not have.",
                    "Add it to the prompt.",
                    port="file",
                )
