"""A model is shown as many reference pictures as it takes, in sizes that it knows."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import NamedTuple

from nodeforge.errors import NodeForgeError
from nodeforge.lint.context import LintContext
from nodeforge.lint.loop_model import LoopModel
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.models import (
    IDLE_IMAGE_GUIDANCE,
    NO_PICTURE_TO_EDIT,
    NO_PICTURE_TO_TAKE_APART,
    Family,
    Task,
    too_many_references,
)

RULE = Rule(
    "NF702",
    Severity.ERROR,
    why=(
        "Edit models see the pictures that they change; others ignore them, and a model takes "
        "only so many."
    ),
    source="Brooks et al. 2023, arXiv:2211.09800; the model cards.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

INSTRUCT, ADD = "text.instruct", "text.add_reference"
GUIDANCE, LOAD = "sampling.image_guidance", "image.load"
_MOST_IMAGE_GUIDANCE = 3.0
"""Above it edits fade away: Brooks et al. 2023 show 1 to 2.2 (figure 4)."""
_FAR = 2.0
"""A picture's sides may be so much longer or shorter than those that a model was taught with."""


class _Shown(NamedTuple):
    """How many pictures a prompt shows, at least.

    Args:
        place: The node nearest to the loop that adds one.
        all: Whether it shows no more.
    """

    pictures: int
    place: str
    all: bool


def check(scene: LintContext) -> Iterator[Problem]:
    told: set[str] = set()
    for loop in loops(scene):
        if loop.family is None:
            continue
        for problem in _of_loop(scene, loop.path, loop.model, loop.family):
            if problem.node not in told:
                told.add(problem.node or "")
                yield problem


def _of_loop(scene: LintContext, loop: str, model: LoopModel, family: Family) -> Iterator[Problem]:
    variant = model.variant or family.variant
    known = family.variants.get(variant)
    edits = known is not None and known.task is Task.EDIT
    for port in ("positive", "negative"):
        shown = _references(scene, loop, port)
        problem = too_many_references(family, variant, shown.pictures)
        if problem is not None:
            pictures = "images" if scene.nodes[shown.place].type == INSTRUCT else "latent"
            yield scene.problem(shown.place, *problem, port=pictures)
        elif (edits or family.layers) and port == "positive" and not shown.pictures and shown.all:
            nothing = NO_PICTURE_TO_TAKE_APART if family.layers else NO_PICTURE_TO_EDIT
            yield scene.problem(loop, *nothing, port=port)
        if shown.place and scene.nodes[shown.place].type == INSTRUCT:
            yield from _far_sizes(scene, shown.place, family)
    yield from _image_guidance(scene, loop, edits)


def _references(scene: LintContext, loop: str, port: str) -> _Shown:
    """Followed through nodes that pass one conditioning on."""
    count, place, seen = 0, "", set[str]()
    feed, last = scene.feed(loop, port), ""
    while feed is not None and feed.node not in seen:
        seen.add(last := feed.node)
        if (kind := scene.nodes[last].type) in (INSTRUCT, ADD):
            place = place or last
            count += len(scene.inputs[last]["images"]) if kind == INSTRUCT else 1
        feed = scene.feed(last, "conditioning")
    spec = scene.nodes[last].spec if last else None
    begins = spec is not None and all(each.type != "conditioning" for each in spec.inputs)
    return _Shown(count, place, begins)


def _far_sizes(scene: LintContext, path: str, family: Family) -> Iterator[Problem]:
    """A picture that is shown as it is, much larger or smaller than those of the training."""
    if scene.value(path, "size") != "original":
        return
    for feed in scene.inputs[path]["images"]:
        size = _file_size(scene, feed.node) if scene.nodes[feed.node].type == LOAD else None
        side = sqrt(size[0] * size[1]) if size else family.native_size
        if size and not 1 / _FAR <= side / family.native_size <= _FAR:
            yield scene.problem(
                path,
                f"a picture is shown as {size[0]} × {size[1]} pixels; {family.label} was taught "
                f"with about {family.native_size} × {family.native_size}.",
                "Let 'size' be auto.",
                port="size",
                severity=Severity.WARNING,
                fix=scene.set_value(path, "size", "auto"),
            )
            return


def _file_size(scene: LintContext, path: str) -> tuple[int, int] | None:
    name = scene.value(path, "file")
    file = scene.picture(name) if type(name) is str else None
    if file is None:
        return None
    from nodeforge.imaging import picture_size  # only for pictures: it brings numpy

    try:
        return picture_size(file)
    except NodeForgeError:
        return None  # the node says so


def _image_guidance(scene: LintContext, loop: str, edits: bool) -> Iterator[Problem]:
    feed, seen = scene.feed(loop, "guidance"), set[str]()
    while feed is not None and feed.node not in seen:
        seen.add(path := feed.node)
        scale = scene.value(path, "scale") if scene.nodes[path].type == GUIDANCE else 1
        weighs = isinstance(scale, int | float) and scale != 1
        if weighs and not edits:
            yield scene.problem(path, *IDLE_IMAGE_GUIDANCE, port="scale")
        elif weighs and scale > _MOST_IMAGE_GUIDANCE:
            yield scene.problem(
                path,
                f"image guidance of {scale:g} keeps so much of the picture that hardly anything "
                "changes.",
                "1.2 to 2 are usual.",
                port="scale",
                severity=Severity.WARNING,
            )
        feed = scene.feed(path, "guidance")
