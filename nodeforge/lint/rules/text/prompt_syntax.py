"""A prompt has no syntax of another program, which would be drawn as words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nodeforge.graph.edits import GraphEdit
from nodeforge.graph.model import Input
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.prompt_edits import (
    LoraOfTag,
    ResolveWildcards,
    SplitPrompt,
    lora_of,
    tidied,
)
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
    fix=FixGrade.CHOICE,
)


class _Prompt(NamedTuple):
    """A prompt in which something was found."""

    scene: LintContext
    path: str
    port: str
    text: str

    def becomes(self, text: str) -> GraphEdit:
        return self.scene.set_value(self.path, self.port, tidied(text))

    @property
    def takes_text(self) -> bool:
        """Whether the text stands at the node, or is linked to it in its own graph."""
        ends = self.scene.whole.ports
        return Input(self.path, self.port) not in ends

    @property
    def is_own(self) -> bool:
        """Whether the node has the text itself, and a text encoder is linked beside it."""
        own = self.scene.owner(self.path, self.port) == (self.path, self.port)
        here = self.scene.given(self.path, self.port) == (self.path, self.port)
        return own and here and Input(self.path, "text_encoder") in self.scene.whole.links


Fix = Callable[[_Prompt, re.Match[str]], GraphEdit | None]


class _Syntax(NamedTuple):
    """What another program reads in prompts.

    Args:
        pattern: How it looks.
        what: What it is, words.
        way_out: What to do here, a sentence.
        fix: Makes the edit that does it, where it can be made; None where that needs thought.
    """

    pattern: re.Pattern[str]
    what: str
    way_out: str
    fix: Fix | None = None


def _lora(prompt: _Prompt, found: re.Match[str]) -> GraphEdit | None:
    file = lora_of(prompt.scene, found[0]) if prompt.is_own else None
    if file is None:
        return None
    return LoraOfTag(prompt.path, prompt.port, found[0], file, prompt.scene.catalogue)


def _parts(prompt: _Prompt, pattern: str, joining: str) -> GraphEdit | None:
    parts = tuple(filter(None, (tidied(part) for part in re.split(pattern, prompt.text))))
    if len(parts) < 2:
        return prompt.becomes(parts[0] if parts else "")
    plain = prompt.scene.nodes[prompt.path].type == "text.encode"
    return (
        SplitPrompt(prompt.path, prompt.port, parts, joining) if prompt.is_own and plain else None
    )


def _chunks(prompt: _Prompt, found: re.Match[str]) -> GraphEdit | None:
    del found
    return _parts(prompt, _BREAK, "text.concatenate")


def _combined(prompt: _Prompt, found: re.Match[str]) -> GraphEdit | None:
    del found
    return _parts(prompt, _AND, "text.combine")


def _words(prompt: _Prompt, found: re.Match[str]) -> GraphEdit:
    if prompt.takes_text:
        return ResolveWildcards(prompt.path, prompt.port)
    words = re.sub(r"[_/*-]+", " ", found[0]).strip()
    return prompt.becomes(prompt.text.replace(found[0], words))


def _first(prompt: _Prompt, found: re.Match[str]) -> GraphEdit:
    """Wildcards before the prompt; inside of a subgraph, the first of the words."""
    if prompt.takes_text:
        return ResolveWildcards(prompt.path, prompt.port)
    words = re.sub(r"^.*\$\$", "", found[0][1:-1]).split("|")[0]
    return prompt.becomes(prompt.text.replace(found[0], re.sub(r"^\s*[\d.]+::", "", words)))


def _stronger(prompt: _Prompt, found: re.Match[str]) -> GraphEdit:
    return prompt.becomes(prompt.text.replace(found[0], f"({found[0][1:-1].strip()}:1.05)"))


def _without(prompt: _Prompt, found: re.Match[str]) -> GraphEdit:
    return prompt.becomes(prompt.text.replace(found[0], ""))


_BREAK = r"(?<![\w-])BREAK(?![\w-])"
_AND = r"(?<=\S)\s+AND\s+(?=\S)"
_SYNTAX = (
    _Syntax(
        re.compile(r"(?i)<(?:lora|lyco|lycoris|loha|hypernet):[^<>\n]*>"),
        "a LoRA in A1111's syntax",
        "Put 'Load LoRA' after the model, and take this out of the prompt.",
        _lora,
    ),
    _Syntax(
        re.compile(
            r"(?i)<(?:random|wildcard|segment|preset|setvar|var|alternate|fromto|break)\b[^<>\n]*>"
        ),
        "a function of SwarmUI",
        "Write the words themselves.",
    ),
    _Syntax(
        re.compile(_BREAK),
        "A1111's word for a new chunk",
        "Encode the two parts by themselves and join them with 'Concatenate prompts'.",
        _chunks,
    ),
    _Syntax(
        re.compile(_AND),
        "A1111's word for several prompts",
        "Encode the two prompts by themselves and join them with 'Combine prompts'.",
        _combined,
    ),
    _Syntax(
        re.compile(
            r"(?<![\w-])(?:ADDCOMM|ADDCOL|ADDROW|ADDBASE|ADDP|COUPLE|FILL\(\)|MASK\(|AREA\(|IMASK\()"
        ),
        "a word of A1111's or ComfyUI's extensions for regions",
        "Give each region its own prompt with 'Prompt for a region'.",
    ),
    _Syntax(
        re.compile(r"(?<!\w)__[\w*/.-]+__(?!\w)"),
        "a wildcard",
        "Put 'Wildcards' before the prompt, which reads it from a file.",
        _words,
    ),
    _Syntax(
        re.compile(r"(?<!\\)\{[^{}]*(?:\||\$\$)[^{}]*\}"),
        "a choice of dynamic prompts",
        "Put 'Wildcards' before the prompt, which takes one by a seed; '[one|other]' alternates "
        "between them from step to step.",
        _first,
    ),
    _Syntax(
        re.compile(r"(?<!\\)\{[^{}|\n\":]+\}"),
        "NovelAI's way to make words stronger",
        "Write (word:1.05) in place of {word}.",
        _stronger,
    ),
    _Syntax(
        re.compile(
            r"(?:(?<=\))|(?<=[a-z]{3}))(?:\+{2,}|-{2,})(?=[\s,.]|$)|(?<=\))[+-](?=[\s,.]|$)"
        ),
        "InvokeAI's way to weigh words",
        "Write (word:1.1), or (word:0.9) for less.",
    ),
    _Syntax(
        re.compile(r"\)\.(?:and|blend|swap)\("),
        "a function of InvokeAI",
        "Join prompts with 'Combine prompts' or 'Average prompts'; [from:to:0.5] swaps words.",
    ),
    _Syntax(
        re.compile(
            r"(?:(?<=\s)|^)--(?:ar|aspect|v|version|no|s|stylize|q|quality|niji|seed|chaos|c|iw|style"
            r"|weird|tile|w|h|n|steps)\b(?: [\d.:]+)?"
        ),
        "an option of Midjourney",
        "Set it in a node: sizes and seed in the noise, what should not be there in the negative "
        "prompt.",
        _without,
    ),
)
_LAYER = _Syntax(
    re.compile(r"<layer:[^<>\n]*>"),
    "how the canvas calls a reference layer, and this workflow is not the canvas's",
    "Say in words what the picture shows, or which one it is: image 2.",
)
_CANVAS = "canvas.image"


def check(scene: LintContext) -> Iterator[Problem]:
    # the canvas puts words there itself
    known = _SYNTAX if _CANVAS in scene.types else (*_SYNTAX, _LAYER)
    for path, port, text in prompts(scene):
        for syntax in known:
            if found := syntax.pattern.search(text):
                words = found[0].strip()
                prompt = _Prompt(scene, path, port, text)
                yield scene.problem(
                    path,
                    f"'{words[:60]}' is {syntax.what}; here it is drawn as words.",
                    syntax.way_out,
                    port=port,
                    fix=syntax.fix(prompt, found) if syntax.fix else None,
                    words=words,
                )
