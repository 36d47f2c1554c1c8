"""A prompt has no syntax of another program, which would be drawn as words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import prompts
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF602",
    Severity.WARNING,
    why=(
        "Other programs read commands in prompts. Here a prompt is text: a command would be "
        "encoded as words and appear in the picture."
    ),
    source="Documentation of A1111, ComfyUI, SwarmUI, InvokeAI, NovelAI and Midjourney.",
)

_SYNTAX: tuple[tuple[str, str, str], ...] = (
    (
        r"(?i)<(?:lora|lyco|lycoris|loha|hypernet):[^<>\n]*>",
        "a LoRA in A1111's syntax",
        "Put 'Load LoRA' after the model, and take this out of the prompt.",
    ),
    (
        r"(?i)<(?:random|wildcard|segment|preset|setvar|var|alternate|fromto|break)\b[^<>\n]*>",
        "a function of SwarmUI",
        "Write the words themselves.",
    ),
    (
        r"(?<![\w-])BREAK(?![\w-])",
        "A1111's word for a new chunk",
        "Encode the two parts by themselves and join them with 'Concatenate prompts'.",
    ),
    (
        r"(?<=\S)\s+AND\s+(?=\S)",
        "A1111's word for several prompts",
        "Encode the two prompts by themselves and join them with 'Combine prompts'.",
    ),
    (
        r"(?<![\w-])(?:ADDCOMM|ADDCOL|ADDROW|ADDBASE|ADDP|COUPLE|FILL\(\)|MASK\(|AREA\(|IMASK\()",
        "a word of A1111's or ComfyUI's extensions for regions",
        "Give each region its own prompt with 'Prompt for a region'.",
    ),
    (
        r"(?<!\w)__[\w*/.-]+__(?!\w)",
        "a wildcard",
        "Write the words themselves: no file of words is read.",
    ),
    (
        r"(?<!\\)\{[^{}]*(?:\||\$\$)[^{}]*\}",
        "a choice of dynamic prompts",
        "Write one of the words; '[one|other]' alternates between them from step to step.",
    ),
    (
        r"(?<!\\)\{[^{}|\n\":]+\}",
        "NovelAI's way to make words stronger",
        "Write (word:1.05) in place of {word}.",
    ),
    (
        r"(?:(?<=\))|(?<=[a-z]{3}))(?:\+{2,}|-{2,})(?=[\s,.]|$)|(?<=\))[+-](?=[\s,.]|$)",
        "InvokeAI's way to weigh words",
        "Write (word:1.1), or (word:0.9) for less.",
    ),
    (
        r"\)\.(?:and|blend|swap)\(",
        "a function of InvokeAI",
        "Join prompts with 'Combine prompts' or 'Average prompts'; [from:to:0.5] swaps words.",
    ),
    (
        r"(?:(?<=\s)|^)--(?:ar|aspect|v|version|no|s|stylize|q|quality|niji|seed|chaos|c|iw|style"
        r"|weird|tile|w|h|n|steps)\b(?: [\d.:]+)?",
        "an option of Midjourney",
        "Set it in a node: sizes and seed in the noise, what should not be there in the negative "
        "prompt.",
    ),
)
_LAYER = (
    r"<layer:[^<>\n]*>",
    "how the canvas calls a reference layer, and this workflow is not the canvas's",
    "Say in words what the picture shows, or which one it is: image 2.",
)
_CANVAS = "canvas.image"
_PATTERNS = [(re.compile(pattern), what, way_out) for pattern, what, way_out in _SYNTAX]


def check(scene: LintContext) -> Iterator[Problem]:
    patterns = list(_PATTERNS)
    if all(node.type != _CANVAS for node in scene.nodes.values()):  # it puts words there itself
        patterns.append((re.compile(_LAYER[0]), *_LAYER[1:]))
    for path, port, text in prompts(scene):
        for pattern, what, way_out in patterns:
            if found := pattern.search(text):
                yield scene.problem(
                    path,
                    f"'{found[0].strip()[:60]}' is {what}; here it is drawn as words.",
                    way_out,
                    port=port,
                    severity=Severity.WARNING,
                )
