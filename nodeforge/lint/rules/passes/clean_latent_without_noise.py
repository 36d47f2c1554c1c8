"""A latent that holds no noise is given some."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF404",
    Severity.WARNING,
    why=(
        "A loop without noise takes its latent for one that another loop has left half done. "
        "A clean one comes out flat and oversmoothed."
    ),
    source="How the loop works here: a latent alone still holds noise.",
    types=LOOPS,
)

_CLEAN = ("latent.encode", "latent.encode_video", "latent.empty", "canvas.encode")


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        feed = scene.feed(loop.path, "latent")
        clean = feed is not None and scene.nodes[feed.node].type in _CLEAN
        if clean and not loop.has_noise and loop.family is not None:
            yield scene.problem(
                loop.path,
                "starts from a picture without noise in it, and is given none.",
                "Link 'Noise' to it, or 'Video noise' for a video.",
                port="noise",
            )
