"""Words are weighed where the text encoder reads weights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.prompts import family_of_prompt, prompts
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF606",
    Severity.WARNING,
    why=(
        "T5 and language models read brackets and numbers as text: the weight does nothing, "
        "and may be drawn."
    ),
    source="SwarmUI's documentation: SDXL and SD 3 are the last models that read weights.",
    fix=FixGrade.CHOICE,
)

_WEIGHTED = re.compile(r"(?<!\\)\(([^():\n]{1,200}):\s*\d{1,2}(?:\.\d{1,4})?\s*\)")


def check(scene: LintContext) -> Iterator[Problem]:
    for path, port, text in prompts(scene):
        family = family_of_prompt(scene, path)
        if family is None or family.reads_weights:
            continue
        if found := _WEIGHTED.search(text):
            yield scene.problem(
                path,
                f"'{found[0][:40]}' weighs words, which {family.label} does not read.",
                "Say in words what matters.",
                port=port,
                fix=scene.set_value(path, port, _WEIGHTED.sub(r"\1", text)),
                words=found[0],
            )
