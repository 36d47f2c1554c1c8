"""What an import makes of nodes for sizes, batches and channels of pictures."""

from typing import Any

import pytest

from nodeforge.formats.comfyui import Imported, convert, from_json
from nodeforge.graph.model import Input, Node
from nodeforge.spec import Catalogue
from support.comfyui import WorkflowBuilder

CATALOGUE = Catalogue.shipped()


def imported(kind: str, values: Any, form: str = "ui", slot: int = 0, **links: Any) -> Imported:
    """A node of `kind` between a picture (node 1, its mask at slot 1) and a preview."""
    workflow = WorkflowBuilder()
    picture = workflow.add("LoadImage", {"image": "fox.png", "upload": "image"})
    fed = {name: (picture, place) for name, place in links.items()}
    node = workflow.add(kind, values, **fed)
    shown = "MaskPreview" if slot else "PreviewImage"
    workflow.add(shown, **{"mask" if slot else "images": (node, 0)})
    made = convert(from_json(getattr(workflow, form)()), CATALOGUE)
    assert made.report.missing == []
    return made


def node_of(made: Imported, kind: str) -> tuple[str, Node]:
    return next((name, n) for name, n in made.document.graph.nodes.items() if n.type == kind)


def feed(made: Imported, name: str, port: str, place: int | None = None) -> str:
    return str(made.document.graph.links.get(Input(name, port, place), ""))


@pytest.mark.parametrize("form", ["ui", "api"])
@pytest.mark.parametrize(
    ("mode", "asked", "becomes", "values"),
    [
        (
            "scale dimensions",
            {"width": 64, "height": 32, "crop": "center"},
            "image.resize",
            {"width": 64, "height": 32, "fit": "crop"},
        ),
        ("scale width", {"width": 64}, "image.resize", {"width": 64, "height": 0}),
        ("scale height", {"height": 64}, "image.resize", {"width": 0, "height": 64}),
        ("scale by multiplier", {"multiplier": 1.5}, "image.scale_by", {"factor": 1.5}),
        (
            "scale longer dimension",
            {"longer_size": 64},
            "image.scale_to_side",
            {"length": 64, "side": "longer"},
        ),
        (
            "scale shorter dimension",
            {"shorter_size": 64},
            "image.scale_to_side",
            {"length": 64, "side": "shorter"},
        ),
        ("scale total pixels", {"megapixels": 0.5}, "image.scale_to_area", {"megapixels": 0.5}),
    ],
)
def test_each_way_of_resizing_is_a_node(form, mode, asked, becomes, values):
    given = {"resize_type": mode, **{f"resize_type.{name}": value for name, value in asked.items()}}
    made = imported("ResizeImageMaskNode", given | {"scale_method": "nearest-exact"}, form, input=0)
    name, node = node_of(made, becomes)
    assert values.items() <= node.values.items()
    assert node.values["method"] == "nearest"
    assert feed(made, name, "image") == "load.image"


def test_a_mask_is_resized_as_a_grey_picture():
    """Which type a link has tells the output, not the node's declaration."""
    workflow = WorkflowBuilder()
    picture = workflow.add("LoadImage", {"image": "fox.png", "upload": "image"})
    values = {"resize_type": "scale width", "w": 64, "m": "area"}
    node = workflow.add("ResizeImageMaskNode", values, input=(picture, 1))
    workflow.add("MaskPreview", mask=(node, 0))
    made = convert(from_json(workflow.ui()), CATALOGUE)
    name, _ = node_of(made, "image.resize")
    assert feed(made, name, "image").endswith("to_image.image")
    assert feed(made, node_of(made, "mask.from_channel")[0], "image") == f"{name}.image"


@pytest.mark.parametrize("channel", ["red", "green", "blue", "alpha"])
def test_a_channel_is_a_mask(channel):
    made = imported("ImageToMask", {"channel": channel}, slot=1, image=0)
    assert node_of(made, "mask.from_channel")[1].values == {"channel": channel}


@pytest.mark.parametrize(("channel", "ours"), [("alpha", "transparency"), ("green", "green")])
def test_a_channel_of_a_file_is_a_mask(channel, ours):
    values = {"image": "fox.png", "channel": channel, "upload": "image"}
    made = imported("LoadImageMask", values, slot=1)
    assert node_of(made, "mask.load")[1].values["channel"] == ours
    assert not made.report.differences


def test_the_size_of_a_picture_feeds_numbers():
    workflow = WorkflowBuilder()
    picture = workflow.add("LoadImage", {"image": "fox.png", "upload": "image"})
    size = workflow.add("GetImageSize", image=(picture, 0))
    empty = workflow.add(
        "EmptyImage",
        {"batch_size": 1, "color": 0xFF8000},
        width=(size, 0),
        height=(size, 1),
    )
    workflow.add("PreviewImage", images=(empty, 0))
    made = convert(from_json(workflow.api()), CATALOGUE)
    name, node = node_of(made, "image.empty")
    assert feed(made, name, "width") == f"{node_of(made, 'image.size')[0]}.width"
    assert feed(made, name, "height").endswith(".height")
    assert node.values["colour"] == "#ff8000"


def test_pictures_of_a_batch_keep_their_order():
    links = {f"images.image{place}": 0 for place in (10, 2, 0)}
    made = imported("BatchImagesNode", {}, **links)
    name, node = node_of(made, "image.batch")
    assert node.values == {"sizes": "crop"}
    assert [bool(feed(made, name, "images", place)) for place in range(4)] == [*[True] * 3, False]


def test_a_picture_is_put_at_a_place_and_resized_where_asked():
    values = {"x": 16, "y": 8, "resize_source": True}
    made = imported("ImageCompositeMasked", values, destination=0, source=0)
    name, node = node_of(made, "image.layer")
    assert (node.values["left"], node.values["top"]) == (16, 8)
    assert feed(made, name, "over") == f"{node_of(made, 'image.resize_like')[0]}.image"
    assert feed(made, name, "mask") == ""


def test_a_crop_is_one_value_or_four():
    region = {"x": 4, "y": 5, "width": 6, "height": 7}
    made = imported(
        "ImageCropV2", {"crop_region": region, "x": 0, "y": 0, "w": 512, "h": 9}, image=0
    )
    assert node_of(made, "image.crop")[1].values == {"left": 4, "top": 5, "width": 6, "height": 7}


@pytest.mark.parametrize(("colour", "nodes"), [("black", 3), ("white", 6)])
def test_what_is_added_around_a_picture_has_its_colour(colour, nodes):
    values = {"w": 64, "h": 32, "padding_color": colour, "interpolation": "area"}
    made = imported("ResizeAndPadImage", values, image=0)
    assert len(made.document.graph.nodes) == nodes
    if colour != "black":
        assert node_of(made, "image.flatten")[1].values == {"colour": "#ffffff"}
