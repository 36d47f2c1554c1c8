"""A mask that changes a picture has a soft edge."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF510",
    Severity.HINT,
    why=(
        "What is drawn meets what is kept at the edge of latent cells: without a soft edge "
        "the seam shows."
    ),
    source=(
        "krita-ai-diffusion grows and softens masks by 4 pixels and more, InvokeAI by 8 to 16."
    ),
    types=LOOPS,
)

RECTANGLE = "mask.rectangle"
_HARD = ("mask.load", "mask.threshold", "mask.from_colour")
_PUTTING_BACK = ("inpaint.put_back", "canvas.result", "image.composite")


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        feed = scene.feed(loop.path, "mask")
        if feed is None or loop.refines or not _is_hard(scene, feed.node):
            continue
        if any(node.type in _PUTTING_BACK for node in scene.nodes.values()):
            continue
        yield scene.problem(
            loop.path,
            "the mask has a hard edge, and nothing softens the seam.",
            "Put 'Grow mask' and 'Feather mask' before it, or 'Put back' after the VAE.",
            port="mask",
        )


def _is_hard(scene: LintContext, path: str) -> bool:
    kind = scene.nodes[path].type
    return kind in _HARD or (kind == RECTANGLE and scene.value(path, "feather") == 0)
