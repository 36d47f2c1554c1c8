"""OpenRaster files: ours come back, and others' open or are refused."""

import io
import xml.etree.ElementTree as ElementTree
import zipfile

import numpy as np
import pytest
from PIL import Image

from nodeforge.canvas import (
    Canvas,
    CanvasSizeError,
    LayerKind,
    State,
    Tiles,
    add_layer,
    composite,
    pictured,
    set_layer,
    straight,
    visible,
)
from nodeforge.errors import NodeForgeError
from nodeforge.formats.errors import WorkflowError
from nodeforge.formats.openraster import load_openraster, save_openraster
from nodeforge.graph.document import Document
from nodeforge.imaging import BlendMode
from support.noise import noise


@pytest.fixture
def state():
    canvas, document = Canvas(State(400, 300)), Document()
    document.perform(add_layer(canvas, LayerKind.PICTURE, tiles=Tiles.of(noise(300, 400, 1, True))))
    for number, mode in enumerate(BlendMode):
        tiles = Tiles.of(noise(30, 20, number), number * 9 - 20, 40)
        document.perform(add_layer(canvas, tiles=tiles, blend=mode, opacity=0.6, offset=(7, -4)))
    document.perform(set_layer(canvas, "paint_3", visible=False))
    document.perform(set_layer(canvas, "paint_4", locked=True, name="Hüte & <Ohren>"))
    mask = np.random.default_rng(0).integers(0, 256, (50, 60), dtype=np.uint8)
    said = {"prompt": "a fox", "negative": "rain", "strength": 0.25, "tint": "#102030"}
    document.perform(add_layer(canvas, LayerKind.MASK, tiles=Tiles.of(mask, 9, 5), **said))
    document.perform(add_layer(canvas, LayerKind.CONTROL))
    return canvas.state


def test_layers_come_back_as_they_were(state, tmp_path):
    save_openraster(state, tmp_path / "x.ora")
    back = load_openraster(tmp_path / "x.ora")
    assert (back.width, back.height) == (400, 300)
    assert len(back.layers) == len(state.layers)
    for layer, before in zip(back.layers, state.layers, strict=True):
        for name in ("name", "kind", "opacity", "blend", "visible", "locked", "strength"):
            assert getattr(layer, name) == getattr(before, name)
        assert (layer.prompt, layer.negative, layer.tint) == (
            before.prompt,
            before.negative,
            before.tint,
        )
        assert np.array_equal(layer.read(state.box), before.read(state.box))
    assert back.layer(back.active).kind is LayerKind.CONTROL
    assert np.array_equal(composite(visible(back), back.box), composite(visible(state), state.box))


def test_other_programs_find_what_the_format_promises(state, tmp_path):
    path = tmp_path / "x.ora"
    save_openraster(state, path)
    with zipfile.ZipFile(path) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        assert path.read_bytes()[30:54] == b"mimetypeimage/openraster"
        merged = Image.open(io.BytesIO(archive.read("mergedimage.png")))
        thumbnail = Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png")))
        image = ElementTree.fromstring(archive.read("stack.xml"))
    expected = straight(composite(pictured(state), state.box))
    assert np.array_equal(np.asarray(merged), expected)
    assert thumbnail.size == (256, 192)
    assert (image.tag, image.get("w"), image.get("h")) == ("image", "400", "300")
    layers = image.findall("stack/layer")
    assert layers[0].get("name") == "Control 1"
    assert layers[-1].get("composite-op") == "svg:src-over"
    assert {layer.get("visibility") for layer in layers} == {"visible", "hidden"}


STACK = """<?xml version='1.0' encoding='UTF-8'?>
<image w="64" h="48"><stack>
  <stack name="group" opacity="0.5" x="3" y="4"><layer name="hat" src="data/a.png" x="10" y="2"
      opacity="0.5" composite-op="svg:multiply"/></stack>
  <text/>
  <stack visibility="hidden"><layer src="data/a.png" composite-op="new:mode"/></stack>
  <layer name="ground" src="data/a.png"/>
</stack></image>"""


def archive(path, stack=STACK, **more):
    picture = io.BytesIO()
    Image.new("RGBA", (8, 6), (200, 100, 50, 255)).save(picture, "PNG")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "image/openraster")
        file.writestr("stack.xml", stack)
        file.writestr("data/a.png", more.get("picture", picture.getvalue()))
    return path


def test_groups_are_dissolved_and_unknown_modes_are_normal(tmp_path):
    state = load_openraster(archive(tmp_path / "x.ora"))
    ground, hidden, hat = state.layers
    assert [layer.id for layer in state.layers] == ["paint_3", "paint_2", "paint"]
    assert (ground.name, hidden.visible, hidden.blend) == ("ground", False, BlendMode.NORMAL)
    assert (hat.opacity, hat.offset, hat.blend) == (0.25, (13, 6), BlendMode.MULTIPLY)
    assert state.active == "paint"


@pytest.mark.parametrize(
    ("stack", "why"),
    [
        ("<image", "is no XML"),
        ("", "is no XML"),
        ("<image w='64' h='48'>" + "<!DOCTYPE x>" + "</image>", "document type"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><image w='64' h='48'/>", "document type"),
        ("<image w='64' h='x'/>", "'x' is no number"),
        ("<image w='64' h='nan'/>", "'nan' is no number"),
        ("<image w='64' h='0'/>", "64 × 0"),
        ("<image w='64' h='9000'/>", "64 × 9000"),
        (STACK.replace("data/a.png", "../../etc/passwd"), "lacks this part"),
        (STACK.replace('x="10"', 'x="1e9"'), "1e9"),
    ],
)
def test_a_stack_that_is_none_is_refused(tmp_path, stack, why):
    with pytest.raises((WorkflowError, CanvasSizeError), match=why):
        load_openraster(archive(tmp_path / "x.ora", stack))


def test_damaged_layers_and_files_are_refused(state, tmp_path):
    with pytest.raises(NodeForgeError, match=r"x\.ora"):
        load_openraster(archive(tmp_path / "x.ora", picture=b"nothing"))
    path = tmp_path / "y.ora"
    save_openraster(state, path)
    data = path.read_bytes()
    for share in (0, 0.3, 0.99):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(WorkflowError, match=r"y\.ora"):
            load_openraster(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WorkflowError, match="gone"):
        load_openraster(tmp_path / "gone.ora")
