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
    ControlSettings,
    LayerKind,
    State,
    Tiles,
    add_layer,
    composite,
    fold_group,
    group_layers,
    pictured,
    set_layer,
    straight,
    visible,
)
from nodeforge.errors import NodeForgeError
from nodeforge.formats.canvas.openraster import load_openraster, read_openraster, save_openraster
from nodeforge.formats.errors import WorkflowError
from nodeforge.graph.document import Document
from nodeforge.imaging import BlendMode, Reading
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
    steers = ControlSettings(Reading.SOFT_EDGES, 1.25, 0.1, 0.7, "depth.safetensors")
    document.perform(add_layer(canvas, LayerKind.CONTROL, control=steers))
    return canvas.state


ALL_KINDS = ("name", "kind", "opacity", "blend", "visible", "locked")


def test_layers_come_back_as_they_were(state, tmp_path):
    save_openraster(state, tmp_path / "x.ora")
    back = load_openraster(tmp_path / "x.ora")
    assert (back.width, back.height) == (400, 300)
    assert len(back.layers) == len(state.layers)
    for layer, before in zip(back.layers, state.layers, strict=True):
        for name in (
            "name",
            "kind",
            "opacity",
            "blend",
            "visible",
            "locked",
            "strength",
            "control",
        ):
            assert getattr(layer, name) == getattr(before, name)
        assert (layer.prompt, layer.negative, layer.tint) == (
            before.prompt,
            before.negative,
            before.tint,
        )
        assert np.array_equal(layer.read(state.box), before.read(state.box))
    assert back.layer(back.active).kind is LayerKind.CONTROL
    assert np.array_equal(composite(visible(back), back.box), composite(visible(state), state.box))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", ControlSettings()),
        ("nodeforge-reading='new' nodeforge-strength='9'", ControlSettings(strength=2.0)),
        (
            "nodeforge-reading='scribble' nodeforge-end='-1'",
            ControlSettings(Reading.SCRIBBLE, end=0),
        ),
    ],
)
def test_what_a_control_layer_s_file_says_is_brought_into_range(tmp_path, said, meant):
    inside = layer("red", f"nodeforge-kind='control' {said}")
    (read,) = load_openraster(layered(tmp_path / "x.ora", inside)).layers
    assert (read.kind, read.control) == (LayerKind.CONTROL, meant)


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


def test_groups_are_kept_and_unknown_modes_are_normal(tmp_path):
    state = load_openraster(archive(tmp_path / "x.ora"))
    ground, under, hidden, hat, group = state.layers
    ids = ["paint_3", "paint_2", "group_2", "paint", "group"]
    assert [layer.id for layer in state.layers] == ids
    assert (ground.name, hidden.visible, under.blend) == ("ground", False, BlendMode.NORMAL)
    assert (hat.opacity, hat.offset, hat.blend) == (0.5, (13, 6), BlendMode.MULTIPLY)
    assert (group.name, group.opacity, group.kind) == ("group", 0.5, LayerKind.GROUP)
    assert [layer.group for layer in state.layers] == ["", "group_2", "", "group", ""]
    assert state.active == "group"


def test_a_group_that_is_not_isolated_is_dissolved_where_that_matters(tmp_path):
    """Its layers blend with what is below it, which none of ours do."""
    blends = layer("grey", MULTIPLY)
    inside = f"<stack visibility='hidden'>{blends}</stack>{layer('red')}"
    red, grey = load_openraster(layered(tmp_path / "x.ora", inside)).layers
    assert (red.group, grey.group, grey.visible) == ("", "", False)


def test_groups_come_back_as_they_were(tmp_path):
    canvas, document = Canvas(State(64, 48)), Document()
    for number in range(5):
        document.perform(add_layer(canvas, tiles=Tiles.of(noise(48, 64, number))))
    document.perform(group_layers(canvas, {"paint_2", "paint_3"}))
    document.perform(group_layers(canvas, {"group", "paint_4"}))
    settings = {"blend": BlendMode.LUMINOSITY, "opacity": 0.4, "locked": True, "name": "Inner"}
    document.perform(set_layer(canvas, "group", **settings))
    document.perform(set_layer(canvas, "group_2", visible=False))
    document.perform(fold_group(canvas, "group_2", True))
    document.perform(add_layer(canvas, LayerKind.GROUP, above="paint_5"))
    save_openraster(canvas.state, tmp_path / "x.ora")
    back = read_openraster(tmp_path / "x.ora")
    assert back.told == ()
    names = {each.id: each.name for each in canvas.layers} | {"": ""}
    others = {each.id: each.name for each in back.state.layers} | {"": ""}
    for read, before in zip(back.state.layers, canvas.layers, strict=True):
        for field in (*ALL_KINDS, "folded"):
            assert getattr(read, field) == getattr(before, field)
        assert others[read.group] == names[before.group]
    shown = [composite(pictured(state), state.box) for state in (back.state, canvas.state)]
    assert np.array_equal(*shown)


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


def flat(colour):
    picture = io.BytesIO()
    Image.new("RGBA", (8, 6), colour).save(picture, "PNG")
    return picture.getvalue()


COLOURS = {
    "red": (255, 0, 0, 255),
    "blue": (0, 0, 255, 255),
    "grey": (128, 128, 128, 255),
    "glass": (0, 255, 0, 128),
}


def layered(path, inside, merged=None):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "image/openraster")
        file.writestr("stack.xml", f"<image w='8' h='6'><stack>{inside}</stack></image>")
        for name, colour in COLOURS.items():
            file.writestr(f"data/{name}.png", flat(colour))
        if merged:
            file.writestr("mergedimage.png", flat(merged))
    return path


def layer(name, more=""):
    return f"<layer name='{name}' src='data/{name}.png' {more}/>"


MULTIPLY = "composite-op='svg:multiply'"
HIDDEN, HALF = "visibility='hidden'", "opacity='0.5'"
GROUPS = {
    "multiply of a group": (
        f"<stack {MULTIPLY}>{layer('grey')}</stack>{layer('red')}", (128, 0, 0, 255)
    ),
    "opacity of a group": (
        f"<stack opacity='0.5'>{layer('red')}{layer('blue')}</stack>", (255, 0, 0, 128)
    ),
    "opacity of a group over something": (
        f"<stack opacity='0.5'>{layer('red')}{layer('grey')}</stack>{layer('blue')}",
        (128, 0, 127, 255),
    ),
    "isolated multiply": (
        f"<stack isolation='isolate'>{layer('grey', MULTIPLY)}</stack>{layer('red')}",
        (128, 128, 128, 255),
    ),
    "isolated multiply of two": (
        f"<stack isolation='isolate'>{layer('grey', MULTIPLY)}{layer('blue')}</stack>"
        f"{layer('red')}",
        (0, 0, 128, 255),
    ),
    "multiply of a group of two": (
        f"<stack {MULTIPLY}>{layer('glass')}{layer('grey')}</stack>{layer('red')}",
        (64, 0, 0, 255),
    ),
    "a group that is not isolated": (
        f"<stack>{layer('grey', MULTIPLY)}</stack>{layer('red')}", (128, 0, 0, 255)
    ),
    "auto is not isolated": (
        f"<stack isolation='auto'>{layer('grey', MULTIPLY)}</stack>{layer('red')}",
        (128, 0, 0, 255),
    ),
    "isolated and plain": (
        f"<stack isolation='isolate'>{layer('glass')}{layer('grey')}</stack>{layer('red')}",
        (64, 192, 64, 255),
    ),
    "groups in groups": (
        f"<stack opacity='0.5'><stack {MULTIPLY}>{layer('grey')}</stack>{layer('red')}</stack>"
        f"{layer('blue')}",
        (64, 0, 127, 255),
    ),
    "a hidden layer in a group": (
        f"<stack opacity='0.5'>{layer('red', HIDDEN)}{layer('grey')}"
        f"{layer('glass')}</stack>{layer('blue')}",
        (64, 64, 192, 255),
    ),
    "a hidden group": (
        f"<stack opacity='0.5' visibility='hidden'>{layer('red')}{layer('grey')}</stack>"
        f"{layer('blue')}",
        (0, 0, 255, 255),
    ),
    "percent": (f"<stack opacity='50%'>{layer('red')}</stack>{layer('blue')}", (128, 0, 127, 255)),
    "opacity of layer and group": (
        f"<stack opacity='0.5'>{layer('red', HALF)}</stack>{layer('blue')}",
        (64, 0, 191, 255),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", GROUPS)
def test_a_group_looks_as_the_format_says(tmp_path, kind):
    """files A13: opacity, blending and isolation of groups, by OpenRaster 0.0.5."""
    inside, expected = GROUPS[kind]
    opened = read_openraster(layered(tmp_path / "x.ora", inside, merged=expected))
    shown = straight(composite(pictured(opened.state), opened.state.box))[3, 4]
    assert np.abs(shown.astype(int) - expected).max() <= 2
    assert not any("looks other" in each for each in opened.told)


def test_hidden_layers_of_a_group_are_kept(tmp_path):
    """files A13: nothing of the file is lost."""
    inside, _ = GROUPS["a hidden layer in a group"]
    opened = read_openraster(layered(tmp_path / "x.ora", inside))
    names = [(each.name, each.visible) for each in opened.state.layers]
    kept = [("glass", True), ("grey", True), ("red", False), ("Group", True)]
    assert names == [("blue", True), *kept]
    assert opened.told == ()


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        (layer("red", "composite-op='svg:dst-in'"), "'red' blends by 'svg:dst-in'"),
        (layer("red", "composite-op='krita:vivid_light'"), "'krita:vivid_light'"),
        (f"<stack composite-op='new:mode'>{layer('red')}</stack>", "'new:mode'"),
        (layer("red", "x='1.5'"), "between pixels"),
        (layer("red", "opacity='half'"), "'half' is no opacity"),
        (layer("red") + "<layer name='gone' src='data/gone.png'/>", "'gone' is missing"),
    ],
)
def test_what_is_not_shown_as_it_was_saved_is_told(tmp_path, inside, told):
    """files A13, C17: what a reader drops and what changes pixels."""
    opened = read_openraster(layered(tmp_path / "x.ora", inside))
    assert any(told in each for each in opened.told)
    assert len([each for each in opened.state.layers if each.name == "red"]) == 1


def test_a_picture_that_looks_other_than_its_maker_saved_it_is_told(tmp_path):
    """files A13: the picture of all layers in the file is compared."""
    path = tmp_path / "x.ora"
    assert read_openraster(layered(path, layer("red"), merged=(250, 4, 3, 255))).told == ()
    (told,) = read_openraster(layered(path, layer("red"), merged=(200, 0, 0, 255))).told
    assert "looks other" in told


def test_our_own_files_have_nothing_to_tell(state, tmp_path):
    """files A13."""
    save_openraster(state, tmp_path / "x.ora")
    assert read_openraster(tmp_path / "x.ora").told == ()


@pytest.mark.parametrize(
    "stack",
    [
        "<image w='64' h='48'><stack><text><![CDATA[ <!DOCTYPE x> ]]></text></stack></image>",
        "<image w='64' h='48'><!-- <!ENTITY x> --><stack/></image>",
        "<?xml version='1.0'?><?other x?><image w='64' h='48'><stack/></image>",
    ],
)
def test_xml_that_only_looks_like_a_document_type_is_read(tmp_path, stack):
    """files C17."""
    assert load_openraster(archive(tmp_path / "x.ora", stack)).layers == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_a_document_type_is_refused_in_every_encoding(tmp_path, encoding):
    """files C17: bytes that look for '<!' do not see it."""
    stack = "<!DOCTYPE a [<!ENTITY b 'c'>]><image w='64' h='48'><x>&b;</x></image>"
    with pytest.raises(WorkflowError, match=r"document type|no XML"):
        load_openraster(archive(tmp_path / "x.ora", stack.encode(encoding)))


def test_groups_without_end_are_refused(tmp_path):
    """files A13."""
    stack = f"<image w='64' h='48'>{'<stack>' * 900}{'</stack>' * 900}</image>"
    with pytest.raises(WorkflowError, match="groups deeper than"):
        load_openraster(archive(tmp_path / "x.ora", stack))
