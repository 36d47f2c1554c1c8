"""A model is shown as many reference pictures as it takes."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loop_model import loop_model
from nodeforge.lint.problem import Problem
from nodeforge.models import FAMILIES, too_many_references

RULE = "references"
LOOP, INSTRUCT, ADD = "sampling.denoise", "text.instruct", "text.add_reference"


def check(scene: LintContext) -> Iterator[Problem]:
    told: set[str] = set()
    for path, node in scene.nodes.items():
        if node.type != LOOP:
            continue
        model = loop_model(scene, path)
        family = FAMILIES.get(model.info.family or "") if model.info else None
        if family is None:
            continue
        for port in ("positive", "negative"):
            shown, place = _references(scene, path, port)
            problem = too_many_references(family, model.variant or family.variant, shown)
            if problem is not None and place not in told:
                told.add(place)
                pictures = "images" if scene.nodes[place].type == INSTRUCT else "latent"
                yield scene.problem(RULE, place, *problem, port=pictures)


def _references(scene: LintContext, loop: str, port: str) -> tuple[int, str]:
    """How many pictures a prompt shows, at least, and the node nearest to the loop that adds one.

    Followed through nodes that pass one conditioning on.
    """
    count, place, seen = 0, "", set[str]()
    feed = scene.feed(loop, port)
    while feed is not None and feed.node not in seen:
        seen.add(feed.node)
        if (kind := scene.nodes[feed.node].type) in (INSTRUCT, ADD):
            place = place or feed.node
            count += len(scene.inputs[feed.node]["images"]) if kind == INSTRUCT else 1
        feed = scene.feed(feed.node, "conditioning")
    return count, place
