"""What a run says, in A1111's words, of the picture that it starts from and of its second pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nodeforge.formats.parameters.networks import short_name
from nodeforge.formats.sampling_settings import LoopTrace
from nodeforge.graph.model import Input
from nodeforge.models import SamplingSettings
from nodeforge.values.sampling_labels import SAMPLER_LABELS, SCHEDULE_LABELS

Facts = Iterator[tuple[str, Any]]
ENLARGING = {
    "latent.upscale": "latent",
    "latent.scale_by": "latent",
    "image.resize": "image",
    "image.scale_by": "image",
    "image.enlarge": "model",
}
"""Nodes between two passes, and on what they work."""
HIRES_SEED = "Hires seed"
"""Of a second pass whose noise has a seed of its own; A1111 knows none."""


def is_image_to_image(traced: LoopTrace, loop: str) -> bool:
    """Whether the loop starts from a picture."""
    return any(_is_picture(traced, path) for path in traced.behind(loop, "latent"))


def picture_size(traced: LoopTrace, loop: str) -> tuple[Any, Any]:
    """Width and height of the picture that the loop starts from, where a node says them."""
    for path in traced.behind(loop, "latent"):
        sides = _size(traced, path)
        if all(sides):
            return sides
    return None, None


def mask_facts(traced: LoopTrace, loop: str) -> Facts:
    """Of a loop that changes a picture only inside a mask."""
    behind = traced.behind(loop, "mask")
    if not behind:
        return
    kinds = {traced.flat.nodes[path].type: path for path in reversed(behind)}
    blurring = kinds.get("mask.feather")
    yield "Mask blur", traced.literal(blurring, "radius") if blurring else 0
    yield "Inpaint area", "Only masked" if "inpaint.crop" in kinds else "Whole picture"


def second_pass(traced: LoopTrace, first: str, saver: str = "") -> str | None:
    """The loop that goes on with what `first` drew, enlarged."""
    there = traced.upstream(saver) if saver else list(traced.flat.nodes)
    later = [
        path
        for path in there
        if path != first
        and traced.is_loop(path)
        and not traced.is_refining(path)
        and first in traced.behind(path, "latent")
    ]
    nearest = min(later, key=lambda path: len(traced.behind(path, "latent")), default=None)
    return nearest if nearest and _enlarging(traced, nearest, first) else None


def hires_facts(traced: LoopTrace, first: str, second: str, told: SamplingSettings | None) -> Facts:
    """Of the second pass: what is not said of the first one already, which was told `told`."""
    enlarging = _enlarging(traced, second, first)
    assert enlarging
    width, height = _size(traced, enlarging)
    factor = traced.literal(enlarging, "factor")
    own = traced.settings(second)
    steps = own.steps if own else traced.value(second, "schedule", "steps")
    strength = traced.strength(second)
    strength = 1.0 if strength is None else strength
    yield "Denoising strength", strength
    if own and told:
        if own.sampler != told.sampler:
            yield "Hires sampler", SAMPLER_LABELS.get(own.sampler, own.sampler)
        if own.schedule != told.schedule:
            yield "Hires schedule type", SCHEDULE_LABELS.get(own.schedule, own.schedule)
        if own.guidance != told.guidance:
            yield "Hires CFG Scale", own.guidance
    if width and height:
        yield "Hires resize", f"{width}x{height}"
    elif factor:
        yield "Hires upscale", factor
    if type(steps) is int and type(strength) in (int, float):
        yield "Hires steps", max(1, int(steps * strength))
    yield "Hires upscaler", _upscaler(traced, enlarging)
    if (seed := traced.seed(second)) != traced.seed(first):
        yield HIRES_SEED, seed


def _upscaler(traced: LoopTrace, enlarging: str) -> str | None:
    """As A1111 calls it: of latents with its method, of pictures the method or the model."""
    how = ENLARGING[traced.flat.nodes[enlarging].type]
    if how == "model":
        path = traced.flat.links.get(Input(enlarging, "upscale_model"))
        file = traced.literal(path.node, "file") if path else None
        return short_name(str(file)) if file else None
    method = str(traced.literal(enlarging, "method"))
    if how == "image":
        return method.capitalize()
    return "Latent" if method == "bilinear" else f"Latent ({method})"


def _enlarging(traced: LoopTrace, second: str, first: str) -> str | None:
    """The node between two passes that enlarges."""
    before = set(traced.upstream(first))
    between = [path for path in traced.behind(second, "latent") if path not in before]
    return next((path for path in between if traced.flat.nodes[path].type in ENLARGING), None)


def _size(traced: LoopTrace, path: str) -> tuple[Any, Any]:
    spec = traced.flat.nodes[path].spec
    if spec is None or not {"width", "height"} <= spec.input.keys():
        return None, None
    return traced.literal(path, "width"), traced.literal(path, "height")


def _is_picture(traced: LoopTrace, path: str) -> bool:
    spec = traced.flat.nodes[path].spec
    ports = [*spec.inputs, *spec.outputs] if spec else []
    return any(port.type in ("image", "video") for port in ports)
