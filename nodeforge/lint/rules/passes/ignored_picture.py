"""A picture to start from is seen."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF402",
    Severity.WARNING,
    why=(
        "At strength 1 the picture is covered with noise to the last bit: it gives its size "
        "and nothing else."
    ),
    source="diffusers documentation, image to image: the initial image is more or less ignored.",
    types=LOOPS,
)

ENCODERS = ("latent.encode", "latent.encode_video")
_SEEING = {"control.apply", "control.apply_ip_adapter", "text.instruct", "text.add_reference"}


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        feed = scene.feed(loop.path, "latent")
        encoded = feed is not None and scene.nodes[feed.node].type in ENCODERS
        if not encoded or not loop.has_noise or loop.strength != 1 or loop.first_step:
            continue
        if any(scene.feed(loop.path, port) for port in ("mask", "masked_image")):
            continue
        if loop.family is None or loop.family.references_of(loop.model.variant):
            continue  # edit models see the picture beside the prompt
        if loop.prompt_types & _SEEING:
            continue  # they see the picture, and the latent says its size
        yield scene.problem(
            loop.path,
            "the picture is not seen at strength 1, only its size.",
            "Put a 'Schedule' with a strength of 0.3 to 0.8, or leave the latent out.",
            port="latent",
        )
