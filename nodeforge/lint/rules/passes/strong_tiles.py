"""Tiles are drawn anew gently."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF410",
    Severity.WARNING,
    why=(
        "Each tile sees the whole prompt: at high strength each draws the subject again. A "
        "ControlNet of tiles holds it back."
    ),
    source="The node's documentation; SwarmUI's documentation of tiled refining.",
    types=LOOPS,
)

TILE = "models.tile"
_HOLDING = {"control.apply", "canvas.control", "text.region", "canvas.region"}
_MOST = 0.5


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        tiled = loop.node("model", TILE)
        if (
            not tiled
            or loop.strength is None
            or loop.strength <= _MOST
            or loop.prompt_types & _HOLDING
        ):
            continue
        refines = scene.feed(loop.path, "latent") is not None
        yield scene.problem(
            tiled,
            f"works in tiles at strength {loop.strength:g}: the subject appears in each.",
            f"Lower the strength to {_MOST:g}, or hold it with a ControlNet.",
            severity=None if refines else Severity.HINT,  # a wide new picture may be meant so
        )
