"""A ControlNet is shown the kind of picture that it was trained with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from nodeforge.errors import NodeForgeError
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

CONTROL, LOAD = "control.apply", "image.load"

RULE = Rule(
    "NF713",
    Severity.HINT,
    why=(
        "One for depth takes edges for near and far; one for edges that is shown a photograph "
        "draws its textures as lines."
    ),
    source=(
        "diffusers documentation, controlnet.md; InvokeAI maps names of ControlNets to "
        "preprocessors."
    ),
    types=(CONTROL,),
)

_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "depth": (r"(?i)depth|zoe|midas", ()),
    "poses": (r"(?i)pose", ()),
    "normals": (r"(?i)normal", ()),
    "segmentation": (r"(?i)seg(?![a-z]*ment_)", ()),
    "edges": (r"(?i)canny", ("image.edges",)),
    "soft edges": (r"(?i)hed|softedge|pidi", ("image.soft_edges",)),
    "line art": (r"(?i)line_?art", ("image.line_art", "image.edges")),
    "scribbles": (r"(?i)scribble", ("image.scribble", "image.edges", "image.line_art")),
}
"""From the kind to what names say of it, and the nodes that make it."""
_COLOURED = 0.05
"""The mean distance between a pixel's strongest and weakest colour, of 1."""
_UNION = re.compile(r"(?i)union|all.?in.?one|promax")
_MAKERS = (LOAD, "image.edges", "image.soft_edges", "image.line_art", "image.scribble")


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(CONTROL):
        feed = scene.feed(path, "image")
        file = _file(scene, path)
        kind = next((k for k, (words, _) in _KINDS.items() if re.search(words, file)), None)
        if feed is None or kind is None or _UNION.search(file):
            continue
        given = scene.nodes[feed.node].type
        if given == LOAD and not (_KINDS[kind][1] and _is_coloured(scene, feed.node)):
            continue  # what is loaded may be a depth map, or lines that were drawn
        if given in _MAKERS and given not in _KINDS[kind][1]:
            yield scene.problem(
                path,
                f"'{PurePosixPath(file).name}' is for {kind}, not '{scene.title(feed.node)}'.",
                "Choose the ControlNet for that, or another preprocessor.",
                port="image",
            )


def _is_coloured(scene: LintContext, path: str) -> bool:
    """Whether a file that is loaded shows colours, as a photograph and no line drawing."""
    name = scene.value(path, "file")
    file = scene.picture(name) if type(name) is str else None
    if file is None:
        return False
    from nodeforge.imaging import decode  # only for pictures: it brings numpy

    try:
        pixels = decode(file).pixels[..., :3]
    except NodeForgeError:
        return False  # the node says so
    return float((pixels.max(axis=-1) - pixels.min(axis=-1)).mean()) > _COLOURED


def _file(scene: LintContext, path: str) -> str:
    feed = scene.feed(path, "controlnet")
    file = scene.value(feed.node, "file") if feed and scene.nodes[feed.node].spec else None
    return file.replace("\\", "/") if type(file) is str else ""
