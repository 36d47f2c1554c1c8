"""The prompts of a workflow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import Loop
from nodeforge.lint.recipes import facts, families
from nodeforge.models import Family
from nodeforge.spec import TextWidget

_WORD = re.compile(r"[^\W\d_]+")
ENCODERS = ("text.encode", "text.instruct")


def prompts(scene: LintContext) -> list[tuple[str, str, str]]:
    """Path, port and text of every prompt; what only a run can tell is left out."""
    return scene.once("prompts", lambda: list(_prompts(scene)))


def _prompts(scene: LintContext) -> Iterator[tuple[str, str, str]]:
    for path, node in scene.nodes.items():
        for port in node.spec.inputs if node.spec else ():
            if isinstance(port.widget, TextWidget) and port.widget.names == "embedding":
                text = scene.value(path, port.name)
                if type(text) is str:
                    yield path, port.name, text


def family_of_prompt(scene: LintContext, path: str) -> Family | None:
    """The family whose text encoder reads the prompt at `path`, where that is known."""
    origin = families(scene).of.get(path)
    return facts(origin.family) if origin else None


def encoders(scene: LintContext, loop: Loop, port: str) -> Iterator[str]:
    """The nodes that encode text behind a loop's `port`, through all that joins prompts."""
    feed = scene.feed(loop.path, port)
    waiting, seen = [feed.node] if feed else [], set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        spec = scene.nodes[path].spec
        if spec is None:
            continue
        if scene.nodes[path].type in ENCODERS:
            yield path
        for each in spec.inputs:
            if each.type == "conditioning":
                waiting += [start.node for start in scene.inputs[path].get(each.name, ())]


def count_words(text: str) -> int:
    """Runs of letters: no tokenizer makes less than a token of one."""
    return len(_WORD.findall(text))
