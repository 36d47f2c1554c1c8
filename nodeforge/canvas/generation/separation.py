"""Taking a picture apart into layers: which models do, and what stands in its place then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nodeforge.canvas.document.blending import blend_onto, premultiplied, straight
from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import Layer, LayerKind
from nodeforge.canvas.document.tiles import Tiles
from nodeforge.canvas.edits.layers import new_layer, topmost_picture_layer, with_new
from nodeforge.errors import RequestError
from nodeforge.imaging import BlendMode, Bytes
from nodeforge.models import FAMILIES, LAYER_MODELS

LAYERS = "canvas.layers"


class NoLayersError(RequestError):
    """A model that takes no picture apart."""


@dataclass(frozen=True)
class TakenApart:
    """What was taken apart into layers.

    Args:
        name: What the group of its layers is called.
        hides: The ids of the layers that the group stands for, which are hidden.
        above: The id of the layer that the group comes above; empty for the topmost of the picture.
        opacity, blend: The group's.
    """

    name: str
    hides: tuple[str, ...] = ()
    above: str = ""
    opacity: float = 1.0
    blend: BlendMode = BlendMode.NORMAL

    @classmethod
    def of(cls, layer: Layer) -> TakenApart:
        """One layer, by itself."""
        return cls(layer.name, (layer.id,), layer.id, layer.opacity, layer.blend)


def check_takes_apart(family: str) -> None:
    """Raise where the model is known, and takes no picture apart.

    Args:
        family: The model's, a name in `FAMILIES`; empty where it is not known.

    Raises:
        NoLayersError: it does not.
    """
    facts = FAMILIES.get(family)
    if facts is not None and not facts.layers:
        raise NoLayersError(
            f"{facts.label} does not take pictures apart into layers.", way_out=LAYER_MODELS
        )


def laid_over_each_other(layers: Sequence[Bytes]) -> Bytes:
    """What layers show together.

    Args:
        layers: The lowest first, RGBA8 of one size, alpha not premultiplied; so is the result.
    """
    out = premultiplied(layers[0])
    for layer in layers[1:]:
        blend_onto(out, premultiplied(layer))
    return straight(out)


def separate(
    canvas: Canvas, taken: TakenApart, layers: Sequence[Tiles], left: int, top: int
) -> CanvasEdit:
    """Put layers in a group of their own in place of what they were made of, which is hidden.

    Args:
        layers: The lowest first, premultiplied RGBA8.
        left, top: Where their corner lies on the canvas.
    """

    def work(state: State) -> State:
        for id in filter(state.has, taken.hides):
            state = state.with_layer(replace(state.layer(id), visible=False))
        above = taken.above if state.has(taken.above) else topmost_picture_layer(state)
        look = {"opacity": taken.opacity, "blend": taken.blend}
        group = new_layer(state, LayerKind.GROUP, taken.name, **look)
        state = with_new(state, group, above)
        for number, tiles in enumerate(layers, 1):
            name = f"{taken.name} {number}"
            layer = new_layer(state, LayerKind.PAINT, name, tiles=tiles, offset=(left, top))
            state = with_new(state, layer)
        return replace(state, active=group.id)

    return CanvasEdit(canvas, "separate into layers", work)
