"""Prompt and negative prompt differ."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.models import GuidanceKind

RULE = Rule(
    "NF205",
    Severity.WARNING,
    why=(
        "Guidance goes from the negative prompt towards the prompt. Where both are the same "
        "there is no direction, and the scale has no effect."
    ),
    source="Ho and Salimans 2022, arXiv:2207.12598.",
    types=LOOPS,
)

ENCODE = "text.encode"


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        positive, negative = (scene.feed(loop.path, port) for port in ("positive", "negative"))
        if positive is None or negative is None or not _is_guided(loop):
            continue
        if positive == negative or _same_text(scene, positive.node, negative.node):
            yield scene.problem(
                loop.path,
                "the negative prompt is the prompt itself, so guidance does nothing.",
                "Link another prompt, or leave it empty.",
                port="negative",
            )


def _is_guided(loop: Loop) -> bool:
    """Whether the loop asks for the negative prompt's prediction."""
    if loop.guidance_kind is GuidanceKind.EMBEDDED:
        return loop.true_scale > 1
    known = loop.guidance_kind in (GuidanceKind.CFG, GuidanceKind.CFG_APART)
    return known and loop.scale is not None and loop.scale != 1


def _same_text(scene: LintContext, first: str, second: str) -> bool:
    if any(scene.nodes[path].type != ENCODE for path in (first, second)):
        return False
    if scene.feed(first, "text_encoder") != scene.feed(second, "text_encoder"):
        return False
    texts = [scene.value(path, "text") for path in (first, second)]
    skips = [scene.value(path, "clip_skip") for path in (first, second)]
    return texts[0] is not None and texts[0] == texts[1] and skips[0] == skips[1]
