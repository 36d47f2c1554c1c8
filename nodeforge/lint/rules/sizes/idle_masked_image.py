"""A masked picture goes to a model that reads it."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF513",
    Severity.WARNING,
    why=(
        "Inpainting models have input channels for the mask and the masked picture; others "
        "have none."
    ),
    source="The file's header: 9 input channels, 384 for Flux.1 Fill.",
    types=LOOPS,
)

FOR_BOTH = "canvas.encode"
"""Gives an ordinary model the latent again."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        feed = scene.feed(loop.path, "masked_image")
        info = loop.model.info
        if feed is None or info is None or info.inpainting or loop.family is None:
            continue
        if scene.nodes[feed.node].type != FOR_BOTH:
            yield scene.problem(
                loop.path,
                f"{loop.label} is no inpainting model, and does not read the masked picture.",
                "Choose an inpainting model, or remove the link.",
                port="masked_image",
            )
