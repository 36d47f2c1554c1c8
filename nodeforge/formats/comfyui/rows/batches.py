"""Batches of pictures, pictures beside each other, and plain ones."""

from __future__ import annotations

import re

from nodeforge.formats.comfyui.link_value import LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row, passes_on, single_node
from nodeforge.graph.model import Input, Output

_SIDES = {"right": "right", "left": "left", "down": "below", "up": "above"}
_COLOURS = {
    "white": "#ffffff",
    "black": "#000000",
    "red": "#ff0000",
    "green": "#00ff00",
    "blue": "#0000ff",
}
_NUMBER = re.compile(r"\d+$")


def colour_of_number(value: int) -> str:
    """A colour that stands in a widget as one number, as #rrggbb."""
    return f"#{value & 0xFFFFFF:06x}"


def named_colour(name: str) -> str:
    """A colour that is chosen by its name, as #rrggbb."""
    if name not in _COLOURS:
        raise NoCounterpartError(f"has the colour '{name}', which is none of ours.")
    return _COLOURS[name]


def _side(direction: str) -> str:
    if direction not in _SIDES:
        raise NoCounterpartError(f"stitches to the '{direction}', which is no side.")
    return _SIDES[direction]


def _place(name: str) -> int:
    found = _NUMBER.search(name)
    return int(found[0]) if found else 0


def _batch(node: NodeConversion) -> None:
    fed = sorted((name for name in node.linked if node.output(name)), key=_place)
    pictures = [feed for name in fed if (feed := node.output(name))]
    if not pictures:
        raise NoCounterpartError("puts no picture into its batch.")
    made = node.add("image.batch", sizes="crop")
    for place, feed in enumerate(pictures):
        node.links[Input(made, "images", place)] = feed
    node.set_outputs(LinkValue("IMAGE", Output(made, "image")))


def _from_batch(node: NodeConversion, start: str) -> None:
    first, count = node.input_value(start, 0), node.input_value("length", 1)
    if count.value < 1:
        count = type(count)(0, count.output)
    made = node.add("image.slice", image=node.output("image"), start=first, count=count)
    node.set_outputs(LinkValue("IMAGE", Output(made, "image")))


def _stitch(node: NodeConversion) -> None:
    made = node.add(
        "image.stitch",
        first=node.output("image1"),
        second=node.output("image2"),
        side=_side(node.known_value("direction", "right")),
        same_size=node.known_value("match_image_size", True),
        gap=node.input_value("spacing_width", 0),
        colour=named_colour(node.known_value("spacing_color", "white")),
    )
    node.set_outputs(LinkValue("IMAGE", Output(made, "image")))


_IMAGE = ("IMAGE",)
_ONE_IMAGE = {"image": "image"}

ROWS = (
    *(
        Row(kind, name, widgets, _IMAGE, ("image.batch",), _batch)
        for kind, name, widgets in (
            ("ImageBatch", "Batch Images", ()),
            ("BatchImagesNode", "Batch Images", ()),
            ("ImageBatchMulti", "Image Batch Multi", ("inputcount",)),
        )
    ),
    *(
        Row(
            kind,
            name,
            (start, "length"),
            _IMAGE,
            ("image.slice",),
            lambda node, start=start: _from_batch(node, start),
            "A picture beyond the last is refused.",
        )
        for kind, name, start in (
            ("ImageFromBatch", "ImageFromBatch", "batch_index"),
            ("ImageFromBatch+", "Image From Batch", "start"),
        )
    ),
    single_node(
        "RepeatImageBatch",
        "RepeatImageBatch",
        "image.repeat",
        _ONE_IMAGE,
        "IMAGE:image",
        values={"times": ("amount", 1)},
    ),
    passes_on(
        "RebatchImages",
        "Rebatch Images",
        {"images": "IMAGE"},
        widgets="batch_size",
        remark="All pictures stay in one batch.",
    ),
    single_node(
        "EmptyImage",
        "EmptyImage",
        "image.empty",
        {},
        "IMAGE:image",
        values={
            "width": ("width", 512),
            "height": ("height", 512),
            "batch": ("batch_size", 1),
            "colour": ("color", 0),
        },
        changes={"colour": colour_of_number},
    ),
    *(
        Row(kind, name, widgets, _IMAGE, ("image.stitch",), _stitch)
        for kind, name, widgets in (
            (
                "ImageStitch",
                "Image Stitch",
                ("direction", "match_image_size", "spacing_width", "spacing_color"),
            ),
            ("ImageConcanate", "Image Concatenate", ("direction", "match_image_size")),
        )
    ),
)
"""Widgets that a class lacks, as the gap of *ImageConcanate*, have ComfyUI's default."""
