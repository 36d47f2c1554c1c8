"""A prompt fits into few pieces."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import count_words, family_of_prompt, prompts
from nodeforge.lint.rule import Rule
from nodeforge.values.conditioning import PROMPT_CHUNK

RULE = Rule(
    "NF603",
    Severity.HINT,
    why=(
        "CLIP reads 75 tokens at a time; a longer prompt is cut into pieces wherever that "
        "falls, and what stands late counts less."
    ),
    source="Radford et al. 2021, arXiv:2103.00020; A1111's documentation of prompt chunks.",
)

_MOST = 3 * PROMPT_CHUNK


def check(scene: LintContext) -> Iterator[Problem]:
    for path, port, text in prompts(scene):
        family = family_of_prompt(scene, path)
        if family is None or family.text_length or len(text) < PROMPT_CHUNK:
            continue
        words = count_words(text)
        if words > _MOST:
            yield scene.problem(
                path,
                f"has {words} words; {family.label} reads {PROMPT_CHUNK} tokens at a time, and a "
                "word is at least one.",
                "Keep what matters most, at the front.",
                port=port,
            )
