"""A prompt is read to its end."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import count_words, family_of_prompt, prompts
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF604",
    Severity.WARNING,
    why=("Language models as text encoders are given a number of tokens, and the rest is cut off."),
    source=(
        "The family's configuration: 512 tokens for Flux.1, Chroma, Z-Image, FLUX.2, Krea 2 and "
        "Anima, 1024 for Qwen-Image, 256 for SD 3, 8192 for FLUX.3; of Qwen-Image 2.1 2048 are "
        "read here."
    ),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path, port, text in prompts(scene):
        family = family_of_prompt(scene, path)
        if family is None or len(text) < family.text_length or not family.text_length:
            continue
        words = count_words(text)
        if words > family.text_length:
            yield scene.problem(
                path,
                f"has {words} words; {family.label} reads {family.text_length} tokens, and a word "
                "is at least one.",
                "Shorten it.",
                port=port,
            )
