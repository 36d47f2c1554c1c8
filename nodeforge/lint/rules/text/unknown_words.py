"""A small model draws what it was taught, and its file says what that is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nodeforge.lint.context import LintContext
from nodeforge.lint.loop_model import loop_model
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.loras import LoadedLora, loras
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import encoders
from nodeforge.lint.recipes import model_info
from nodeforge.lint.rule import Rule
from nodeforge.models import Kind, KnownWords, known_words

RULE = Rule(
    "NF614",
    Severity.HINT,
    why=(
        "A model that was taught a few hundred words draws blots or another thing for any "
        "other: nano draws a tomato for a robot."
    ),
    source="vocabulary.json beside the model; the cards of nano and nano-edit.",
    types=LOOPS,
)

_PORTS = ("positive", "negative")
_MOST = 8
"""Words told of a prompt: more are no slip, and near ones of each take time while one types."""


def check(scene: LintContext) -> Iterator[Problem]:
    told = set[tuple[str, str]]()
    for loop in loops(scene):
        known = _known(scene, loop)
        if known is None:
            continue
        for path in (each for port in _PORTS for each in encoders(scene, loop, port)):
            text = scene.value(path, "text")
            for word in known.unknown(text)[:_MOST] if type(text) is str else ():
                if (path, word) not in told:
                    told.add((path, word))
                    yield _problem(scene, path, word, known.near(word))


def _problem(scene: LintContext, path: str, word: str, near: list[str]) -> Problem:
    like = " or ".join(f"'{each}'" for each in near)
    return scene.problem(
        path,
        f"'{word}' is no word that the model was taught.",
        f"Write {like}, or another word of its card." if near else "Its card lists its words.",
        port="text",
        words=word,
    )


def _known(scene: LintContext, loop: Loop) -> KnownWords | None:
    """What a loop's model and its motion module were taught; None where anything may be."""
    info = loop_model(scene, loop.path).info
    known = known_words(info.path) if info is not None else None
    if info is None or known is None:
        return None
    if any(not _is_its_own(each, info.path) for each in loras(scene, loop)):
        return None  # it may have been taught with words of its own
    if loop.motion_module is not None:
        file = scene.value(loop.motion_module, "file")
        module = model_info(scene, Kind.MOTION_MODULE, file) if type(file) is str else None
        beside = known_words(module.path) if module is not None else None
        return None if beside is None else known | beside
    return known


def _is_its_own(lora: LoadedLora, model: Path) -> bool:
    """Whether a LoRA came with the model, in its folder."""
    return lora.found is not None and lora.found.is_relative_to(model)
