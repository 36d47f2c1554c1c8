"""Builds the workflow that Generate submits, from the canvas and the intent.

A window does this, with the box's pixels (`composite`, `straight`) and its mask layers:

1. `generation = request(workflow, Source(pixels, box, canvas), selections, intent, values)`
2. Each of `generation.files` is kept among the assets, by
   `nodeforge.engine.content.assets.keep_bytes`.
3. `client.run(graph_to_json(generation.document.graph), RunRequest(run,
   targets=list(generation.results), assets=generation.document.assets, previews=True))`.
   Targets leave out what saves files. Previews arrive for the denoise nodes.
4. Once it has finished, each candidate is asked for full-size and lossless:
   `client.ask("render", ..., node=result, port="patch", item=b, longest=LONGEST)` gives RGBA
   bytes, alpha not premultiplied, of the box's size. Laid at the box's corner as a new layer
   (`premultiplied`), it leaves every byte where `generation.mask` is 0. Where
   `generation.takes_apart`, all items together are one candidate, the lowest layer first.

Another seed or prompt runs the same document with another value; what is not touched by it comes
from the cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nodeforge.canvas.generation.box import Size, check_box
from nodeforge.canvas.generation.controls import ControlPicture, add_controls
from nodeforge.canvas.generation.intents import METHODS, Intent
from nodeforge.canvas.generation.references import (
    ReferencePicture,
    add_references,
    check_instruction,
    reads_references,
    refuse_calls,
)
from nodeforge.canvas.generation.regions import add_regions
from nodeforge.canvas.generation.separation import LAYERS, check_takes_apart
from nodeforge.errors import RequestError
from nodeforge.graph.assets import ASSET, asset_name
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Node, Subgraph
from nodeforge.graph.paths import join
from nodeforge.imaging import Box, Bytes, PictureFormat, encode, grow, to_bytes, to_float
from nodeforge.values import SizeMismatchError

LONGEST = 8192
"""Pixels to ask for along a side, so that a result comes in its own size."""

IMAGE, MASK, RESULT = "canvas.image", "canvas.mask", "canvas.result"
RESULTS = (RESULT, LAYERS)
"""The types of the nodes that give something back, of which a workflow has one."""
_NEEDED = {(IMAGE,): "Canvas image", (MASK,): "Canvas mask", RESULTS: "Canvas result"}
_GUIDES = {"control": "Canvas control", "reference": "Canvas reference"}
"""Kinds of layers beside the picture, with the title of the node that takes what they show."""


class EmptyMaskError(RequestError):
    """Nothing is marked that could change."""


class NotForCanvasError(RequestError):
    """A workflow that lacks what the canvas talks to."""


@dataclass(frozen=True, eq=False)
class Source:
    """What the canvas shows in the generation box.

    Args:
        pixels: uint8, (height, width, 3 or 4) of the box, alpha not premultiplied.
        box: Where it is on the canvas; to expand the picture it reaches beyond.
        canvas: Width and height of the canvas, pixels.
        controls: What its control layers show there, one picture for those of one setting.
        reference: What its reference layers show, uint8, (height, width, 4) of any size, alpha
            not premultiplied; None where it has none.
        references: The same, each layer by itself.
    """

    pixels: Bytes
    box: Box
    canvas: Size
    controls: tuple[ControlPicture, ...] = ()
    reference: Bytes | None = None
    references: tuple[ReferencePicture, ...] = ()


@dataclass(frozen=True, eq=False)
class Selection:
    """One mask of the canvas.

    Args:
        mask: uint8, (height, width) of the box, 255 where it may change.
        strength: How much of the change it allows, 0..1.
        prompt: What should be there; empty where the form's prompt says it.
        negative: What should not be there, likewise.
    """

    mask: Bytes
    strength: float = 1.0
    prompt: str = ""
    negative: str = ""


@dataclass(frozen=True, eq=False)
class Generation:
    """What to run.

    Args:
        document: The workflow with everything set.
        files: PNG files by the name that the document's assets have for them.
        results: The nodes whose port ``patch`` holds the candidates, one a batch item.
        box: Where the patches belong.
        mask: uint8, (height, width) of the box: where it is 0 the patches are transparent. To
            remove something it is larger than the masks that were given.
        takes_apart: The batch items are layers of one candidate.
    """

    document: Document
    files: Mapping[str, bytes] = field(repr=False)
    results: tuple[str, ...]
    box: Box
    mask: Bytes = field(repr=False)
    takes_apart: bool = False


def request(
    workflow: Document,
    source: Source,
    selections: Sequence[Selection],
    intent: Intent,
    values: Mapping[str, Any],
    multiple: int,
    family: str = "",
    variant: str = "",
) -> Generation:
    """The run that makes what is wanted; `workflow` stays as it is.

    Args:
        workflow: One with the nodes *Canvas image*, *Canvas mask* and *Canvas result*.
        source: What the canvas shows.
        selections: Its masks; what none covers does not change.
        intent: What for. It decides the fill and, unless `values` do, the strength.
        values: What the form says: ``node.port`` to its value.
        multiple: What the model's sizes are multiples of, pixels.
        family, variant: The model's; empty where they are not known.

    Raises:
        BoxError: the box lies outside of the canvas, or is smaller than a cell of the latent.
        SizeMismatchError: pixels or a mask have another size than the box.
        EmptyMaskError: nothing may change.
        NotForCanvasError: the workflow lacks a canvas node that is needed.
        ControlRangeError: a control layer ends before it begins.
        NoRegionsError: a mask has a prompt, and the workflow no node for it.
        NoSuchNodeError: `values` name a node that is not there.
        EmptyInstructionError: nothing says what should change.
        TooManyLayersError: the model takes fewer reference pictures.
        UnknownLayerError: a prompt calls a layer that is no reference.
        NoLayersError: the workflow takes a picture apart, and the model does not.
    """
    check_box(source.box, source.canvas, multiple, expands=intent is Intent.EXPAND)
    _check_sizes(source, selections)
    mask = _changes(source, selections, intent)
    if METHODS[intent].blends_in:
        mask = _ended(mask, source)
    document = _copy(workflow)
    nodes = _canvas_nodes(document)
    takes_apart = any(_nodes(document, LAYERS))
    if takes_apart:
        check_takes_apart(family)
    _set_intent(document, intent, values)
    for name, value in values.items():
        path, _, port = name.rpartition(".")
        document.node(path).values[port] = value
    files: dict[str, bytes] = {}
    _give(nodes[IMAGE,], _keep(document, files, "canvas_image.png", source.pixels))
    _give(nodes[MASK,], _keep(document, files, "canvas_mask.png", mask))
    _give_guides(document, files, source)
    own = [one for one in selections if one.prompt or one.negative]
    kept = [
        (one, _keep(document, files, f"canvas_region_{number}.png", one.mask))
        for number, one in enumerate(own, 1)
    ]
    add_regions(document, [(one.prompt, file) for one, file in kept if one.prompt])
    unwanted = [(one.negative, file) for one, file in kept if one.negative]
    add_regions(document, unwanted, negative=True)
    if intent is Intent.EDIT:
        check_instruction(document, [one.prompt for one in selections])
    if reads_references(document):
        shown = [
            (each, _keep(document, files, "canvas_reference.png", each.pixels))
            for each in source.references
        ]
        add_references(document, shown, family, variant)
    else:
        refuse_calls(document)
    return Generation(document, files, tuple(nodes[RESULTS]), source.box, mask, takes_apart)


def _check_sizes(source: Source, selections: Sequence[Selection]) -> None:
    wanted = (source.box.height, source.box.width)
    there = [("picture", source.pixels), *(("mask", one.mask) for one in selections)]
    there += [(f"control layer '{one.name}'", one.pixels) for one in source.controls]
    for what, pixels in there:
        if pixels.shape[:2] != wanted:
            raise SizeMismatchError(
                f"the {what} is {pixels.shape[1]} × {pixels.shape[0]} pixels, "
                f"the box {wanted[1]} × {wanted[0]}.",
                way_out="Cut it out where the box is.",
            )


def _changes(source: Source, selections: Sequence[Selection], intent: Intent) -> Bytes:
    """Where the box may change: all masks, and what is transparent where that is to be filled."""
    mask = np.zeros(source.pixels.shape[:2], np.uint8)
    if intent is Intent.EXPAND:
        selections = _at_the_rim(source, selections)
    for one in selections:
        weaker = np.rint(one.mask * np.float32(min(max(one.strength, 0.0), 1.0)))
        mask = np.maximum(mask, weaker.astype(np.uint8))
    mask = to_bytes(grow(to_float(mask), METHODS[intent].grow))
    if intent is Intent.EXPAND and source.pixels.shape[2] == 4:
        mask = np.maximum(mask, 255 - source.pixels[..., 3])
    if not mask.any() and METHODS[intent].whole:
        mask = np.full_like(mask, 255)
    if not mask.any():
        raise EmptyMaskError(_nothing(intent), way_out=_way_out(intent))
    return mask


def _at_the_rim(source: Source, selections: Sequence[Selection]) -> list[Selection]:
    """Those that reach what is new: to blend it in, the picture beside it may change, too.

    Masks elsewhere are those of earlier work.
    """
    if source.pixels.shape[2] < 4:
        return []
    rim = grow(to_float(255 - source.pixels[..., 3]), 1) > 0
    return [one for one in selections if one.mask[rim].any()]


def _nothing(intent: Intent) -> str:
    if intent is Intent.EXPAND:
        return "the box lies on the picture, and nothing in it is transparent."
    return "no mask marks anything in the box."


def _way_out(intent: Intent) -> str:
    if intent is Intent.EXPAND:
        return "Drag the generation box (K) beyond the picture, or choose 'Expand picture…'."
    return f"Paint a mask there, or choose '{Intent.IMAGE_TO_IMAGE}', which changes the whole box."


def _ended(mask: Bytes, source: Source) -> Bytes:
    """`mask` without the box's outermost pixels, unless the canvas ends there too.

    So what is generated fades out before the box does, and leaves no straight edge.
    """
    out = mask.copy()
    box, (width, height) = source.box, source.canvas
    out[:1] *= box.top <= 0
    out[-1:] *= box.bottom >= height
    out[:, :1] *= box.left <= 0
    out[:, -1:] *= box.right >= width
    return out if out.any() else mask


def _copy(workflow: Document) -> Document:
    """`workflow` alone, without those who listen to it."""
    return Document(
        graph=deepcopy(workflow.graph),
        form=deepcopy(workflow.form),
        view=deepcopy(workflow.view),
        assets=deepcopy(workflow.assets),
        lock=deepcopy(workflow.lock),
        extra=deepcopy(workflow.extra),
    )


def _nodes(document: Document, *types: str) -> dict[str, Node]:
    """The nodes of these types, by path, also inside subgraphs."""
    return {path: node for path, node in _walk(document.graph, "") if node.type in types}


def _walk(graph: Graph, group: str) -> Iterator[tuple[str, Node]]:
    for name, node in graph.nodes.items():
        yield join(group, name), node
        if isinstance(node, Subgraph):
            yield from _walk(node.graph, join(group, name))


def _canvas_nodes(document: Document) -> dict[tuple[str, ...], dict[str, Node]]:
    found = {types: _nodes(document, *types) for types in _NEEDED}
    for types, nodes in found.items():
        if not nodes:
            raise NotForCanvasError(
                f"the workflow has no node '{_NEEDED[types]}'.",
                way_out="Add one, or choose one of the canvas's own workflows.",
            )
    return found


def _give_guides(document: Document, files: dict[str, bytes], source: Source) -> None:
    # an edit model sees reference layers as they are
    reference = None if reads_references(document) else source.reference
    given = {
        "control": source.controls,
        "reference": () if reference is None else (reference,),
    }

    for kind, title in _GUIDES.items():
        nodes = _nodes(document, f"canvas.{kind}")
        _give(nodes, None)
        if given[kind] and not nodes:
            raise NotForCanvasError(
                f"the workflow has no node '{title}', so {kind} layers say nothing to it.",
                way_out=f"Add one between the prompt and the denoise node, or hide the {kind} "
                "layers.",
            )
    if reference is not None:
        file = _keep(document, files, "canvas_reference.png", reference)
        _give(_nodes(document, "canvas.reference"), file)
    kept = [_keep(document, files, "canvas_control.png", one.pixels) for one in source.controls]
    add_controls(document, list(zip(source.controls, kept, strict=True)))


def _set_intent(document: Document, intent: Intent, values: Mapping[str, Any]) -> None:
    """The intent's strength, unless the form has one, and its fill at that strength."""
    method, strength = METHODS[intent], METHODS[intent].strength
    for path, node in _nodes(document, "sampling.schedule").items():
        strength = values.get(f"{path}.strength", method.strength)
        node.values["strength"] = strength
    for node in _nodes(document, "canvas.prepare").values():
        node.values["fill"] = str(method.fill_at(float(strength)))


def _give(nodes: Mapping[str, Node], value: str | None) -> None:
    for node in nodes.values():
        node.values["file"] = value


def _keep(document: Document, files: dict[str, bytes], name: str, pixels: Bytes) -> str:
    """`pixels` as one of the document's assets; the value that names it."""
    data = encode(pixels, PictureFormat.PNG)
    sha256 = hashlib.sha256(data).hexdigest()
    name = asset_name(document.assets, name, sha256)
    files[name] = data
    document.assets[name] = {
        "sha256": sha256, "kind": "image", "size": len(data), "origin": name,
    }  # fmt: skip
    return ASSET + name
