"""Project files: what goes in comes out, and what is damaged or hostile is refused."""

import hashlib
import io
import json
import os
import shutil
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from nodeforge.canvas import (
    Brush,
    Canvas,
    ColourPaint,
    ControlSettings,
    LayerKind,
    Sample,
    Stroke,
    Tiles,
    add_layer,
    composite,
    fold_group,
    group_layers,
    open_picture,
    rectangle,
    select,
    set_layer,
    state_of,
    visible,
)
from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.formats.canvas.openraster import load_openraster, save_openraster
from nodeforge.formats.errors import WorkflowError
from nodeforge.formats.projects.bundle import PROJECT, Project, ProjectFiles
from nodeforge.graph.document import Document
from nodeforge.graph.edits import AddNodes
from nodeforge.graph.model import Node
from nodeforge.imaging import BlendMode, Reading
from support.noise import noise
from support.random_edits import paint, start


@pytest.fixture
def files(tmp_path):
    return ProjectFiles(tmp_path / "assets")


@pytest.fixture
def canvas():
    """A canvas with all that a project must keep of one."""
    out = io.BytesIO()
    Image.fromarray(noise(300, 400, 1, opaque=True)[..., :3]).save(out, "PNG")
    canvas, document = Canvas(state_of(open_picture(out.getvalue(), "cat.png"))), Document()
    document.perform(add_layer(canvas, tiles=Tiles.of(noise(90, 80, 2), -30, 500)))
    document.perform(set_layer(canvas, "paint", opacity=0.25, blend=BlendMode.SOFT_LIGHT))
    document.perform(set_layer(canvas, "paint", locked=True, alpha_locked=True, offset=(-7, 12)))
    mask = rectangle(3.5, 4, 90, 270)
    said = {"prompt": "a fox", "negative": "a dog", "strength": 0.5, "tint": "#123456"}
    document.perform(add_layer(canvas, LayerKind.MASK, "Ears", tiles=mask, **said))
    steers = ControlSettings(Reading.LINE_ART, 1.5, 0.25, 0.75, "pose.safetensors")
    document.perform(add_layer(canvas, LayerKind.CONTROL, control=steers))
    document.perform(group_layers(canvas, {"mask", "paint"}))
    document.perform(group_layers(canvas, {"group"}))
    document.perform(fold_group(canvas, "group", True))
    document.perform(select(canvas, rectangle(10, 10, 99, 99)))
    return canvas


@pytest.fixture
def project(canvas):
    document = Document()
    document.perform(AddNodes([Node("image.load")], [(1.0, 2.0)]))
    return Project(document, canvas.state, [{"workflow": {"format": 1}, "seed": 7}])


def content(state):
    def tiles(of):
        return None if of is None else {key: tile.tobytes() for key, tile in of.items()}

    return [
        (state.width, state.height, state.active, tiles(state.selection), state.extra),
        [
            {**vars(layer), "tiles": tiles(layer.tiles), "channels": layer.tiles.channels}
            for layer in state.layers
        ],
    ]


def test_a_project_comes_back_as_it_was(files, project, tmp_path):
    files.save(project, tmp_path / "x.nforge")
    back = ProjectFiles(tmp_path / "other").load(tmp_path / "x.nforge")
    assert content(back.canvas) == content(project.canvas)
    assert back.document == project.document
    assert back.generations == project.generations


def test_a_project_without_a_canvas_has_none(files, tmp_path):
    files.save(Project(Document()), tmp_path / "x.nforge")
    assert files.load(tmp_path / "x.nforge").canvas is None


def parts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path, changed):
    """The file with some parts changed; None takes one away."""
    whole = parts(path) | changed
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in whole.items():
            if value is not None:
                archive.writestr(name, value)
    return path


@pytest.fixture
def saved(files, project, tmp_path):
    path = tmp_path / "x.nforge"
    files.save(project, path)
    return path


def test_fields_that_this_version_does_not_know_are_kept(files, saved):
    raw = json.loads(parts(saved)[PROJECT])
    raw["colour"] = "blue"
    raw["canvas"]["rulers"] = [1, 2]
    raw["canvas"]["layers"][1]["effect"] = {"glow": 3}
    back = files.load(rewritten(saved, {PROJECT: json.dumps(raw)}))
    files.save(back, saved)
    again = json.loads(parts(saved)[PROJECT])
    assert again["colour"] == "blue"
    assert again["canvas"]["rulers"] == [1, 2]
    assert again["canvas"]["layers"][1]["effect"] == {"glow": 3}


def test_saving_again_writes_the_same_bytes(files, project, saved):
    before = parts(saved)
    files.save(project, saved)
    assert parts(saved) == before
    ProjectFiles(saved.parent / "assets").save(files.load(saved), saved)
    assert parts(saved) == before


def test_a_failed_save_leaves_the_old_file(files, project, saved, monkeypatch):
    before = saved.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(RequestError, match="cannot be saved: No space"):
        files.save(project, saved)
    assert saved.read_bytes() == before
    assert sorted(p.name for p in saved.parent.iterdir() if p.is_file()) == ["x.nforge"]


def test_autosaving_writes_only_what_is_new(files, project, canvas, tmp_path):
    folder = tmp_path / "auto"
    files.autosave(project, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    document = Document()
    document.perform(add_layer(canvas))
    stroke = Stroke(canvas, Brush(30), ColourPaint((1, 2, 3, 255)))
    stroke.begin(Sample(50, 50))
    document.perform(stroke.end())
    files.autosave(Project(Document(), canvas.state), folder)
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    fresh = {path for path in after if after[path] != before.get(path)}
    assert {path.parent.name for path in fresh} == {"tiles", "auto"}
    assert len(fresh) == 2
    assert content(files.load(folder).canvas) == content(canvas.state)


def test_autosaving_keeps_nothing_that_is_gone(files, project, tmp_path):
    files.autosave(project, tmp_path / "auto")
    files.autosave(Project(Document()), tmp_path / "auto")
    assert [p.name for p in (tmp_path / "auto").rglob("*") if p.is_file()] == [PROJECT]


def test_pictures_of_the_workflow_travel_along(files, project, tmp_path):
    data = b"a picture"
    name = hashlib.sha256(data).hexdigest()
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / f"{name}.png").write_bytes(data)
    project.document.assets["cat.png"] = {"sha256": name, "kind": "image", "size": 9}
    project.generations[0]["pictures"] = [{"sha256": name}]
    files.save(project, tmp_path / "x.nforge")
    elsewhere = tmp_path / "elsewhere"
    ProjectFiles(elsewhere).load(tmp_path / "x.nforge")
    assert (elsewhere / f"{name}.png").read_bytes() == data


def test_a_missing_picture_of_the_workflow_keeps_nothing_from_saving(files, project, tmp_path):
    project.document.assets["cat.png"] = {"sha256": "0" * 64}
    project.document.assets["odd"] = {"sha256": "../../../etc/passwd"}
    files.save(project, tmp_path / "x.nforge")
    assert not any("passwd" in name for name in parts(tmp_path / "x.nforge"))


# damaged and hostile files


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused(files, saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(WorkflowError, match=r"x\.nforge"):
        files.load(saved)


def test_a_file_damaged_anywhere_is_refused_or_read(files, saved):
    data, rng = saved.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(data), 60):
        saved.write_bytes(data[:place] + bytes([data[place] ^ 85]) + data[place + 1 :])
        try:
            files.load(saved)
        except NodeForgeError:
            refused += 1
    assert refused > 30


def first_tile(path):
    return next(name for name in parts(path) if name.startswith("tiles/"))


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"nonsense",
        zlib.compress(b"too short"),
        zlib.compress(bytes(256 * 256 * 4)),
        zlib.compress(bytes(2**26)),
    ],
    ids=["missing", "empty", "no zlib", "short", "of another content", "a bomb"],
)
def test_a_tile_that_is_not_what_its_name_says_is_refused(files, saved, content):
    rewritten(saved, {first_tile(saved): content})
    with pytest.raises(WorkflowError, match="tile"):
        files.load(saved)


def test_a_bomb_is_refused_before_it_is_unpacked(files, tmp_path):
    path = tmp_path / "bomb.nforge"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PROJECT, bytes(2**26 + 1))
    with pytest.raises(WorkflowError, match=r"bomb\.nforge.*larger"):
        files.load(path)


def test_names_that_lead_elsewhere_write_nothing(files, saved, tmp_path):
    data = b"malice"
    name = hashlib.sha256(data).hexdigest()
    raw = json.loads(parts(saved)[PROJECT])
    raw["workflow"]["assets"] = {"a": {"sha256": name}, "b": {"sha256": "../up"}}
    evil = {f"assets/{name}/../../up.sh": data, f"assets/{name}": data, "/etc/x": data}
    rewritten(saved, {PROJECT: json.dumps(raw), **evil, "../up": data})
    before = sorted(tmp_path.parent.rglob("*"))
    files.load(saved)
    shutil.rmtree(tmp_path / "assets", ignore_errors=True)
    assert sorted(tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 99}, "made with format 99"),
        ({"format": "1"}, "not a project"),
        ({"workflow": 3}, "not a JSON object"),
        ({"generations": [3]}, "generations: is not a list of objects"),
        ({"canvas": []}, "canvas: is not an object"),
        ({"canvas": {"width": 0, "height": 5}}, "0 × 5"),
        ({"canvas": {"width": 9000, "height": 5}}, "9000 × 5"),
        ({"canvas": {"width": 5, "height": "5"}}, "height: is not a whole number"),
        ({"canvas": {"format": 2, "width": 5, "height": 5}}, "made with format 2"),
    ],
)
def test_what_does_not_belong_into_a_project_is_named(files, saved, change, why):
    raw = json.loads(parts(saved)[PROJECT]) | change
    with pytest.raises(RequestError, match=why):
        files.load(rewritten(saved, {PROJECT: json.dumps(raw)}))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"id": "../x"}, "layers.0..id"),
        ({"id": "mask"}, "two layers have one id"),
        ({"kind": "video"}, "kind: is not one of picture"),
        ({"blend": "x"}, "blend: is not one of normal"),
        ({"opacity": 1.5}, "opacity: is not a number"),
        ({"offset": [1, 2, 3]}, "offset: is not"),
        ({"offset": [10**9, 0]}, "offset: is not"),
        ({"visible": 1}, "visible: is not true or false"),
        ({"tint": "red"}, "tint: is not a colour"),
        ({"tiles": {"a,b": "0" * 64}}, "is not 'column,row'"),
        ({"tiles": {"0,0": "../x"}}, "is not 'column,row'"),
        ({"origin": {"sha256": "0" * 64}}, "lacks this part"),
        ({"name": None}, "name: is not text"),
        ({"group": "mask"}, "layers.0..group: is no group that the layer lies in"),
        ({"group": "gone"}, "layers.0..group: is no group that the layer lies in"),
        ({"group": 1}, "group: is not text"),
        ({"control": []}, "control: is not an object"),
        ({"control": {"reading": "depth"}}, "control.reading: is not one of auto"),
        ({"control": {"reading": "edges", "strength": 3}}, "control.strength: is not a number"),
        ({"control": {"reading": "edges", "end": "1"}}, "control.end: is not a number"),
    ],
)
def test_what_does_not_belong_into_a_layer_is_named(files, saved, change, why):
    raw = json.loads(parts(saved)[PROJECT])
    raw["canvas"]["layers"][0] |= change
    with pytest.raises(WorkflowError, match=why):
        files.load(rewritten(saved, {PROJECT: json.dumps(raw)}))


def test_a_loaded_canvas_can_be_painted_on(files, saved):
    canvas, document = Canvas(files.load(saved).canvas), Document()
    before = composite(visible(canvas.state), canvas.box)
    document.perform(add_layer(canvas))
    stroke = Stroke(canvas, Brush(60), ColourPaint((0, 255, 0, 255)))
    stroke.begin(Sample(50, 50))
    document.perform(stroke.end())
    assert not np.array_equal(composite(visible(canvas.state), canvas.box), before)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(0, 2**32), max_size=8))
@example([151])  # settings of a control layer on another one
def test_whatever_is_painted_comes_back(files, tmp_path, seeds):
    document, canvas = start()
    for seed in seeds:
        paint(document, canvas, seed)
    files.save(Project(document, canvas.state), tmp_path / "x.nforge")
    assert content(files.load(tmp_path / "x.nforge").canvas) == content(canvas.state)
    save_openraster(canvas.state, tmp_path / "x.ora")
    layered = load_openraster(tmp_path / "x.ora")
    shown = [composite(visible(state), state.box) for state in (layered, canvas.state)]
    assert np.abs(shown[0].astype(int) - shown[1]).max() <= 1


ODD = [{}, [], {"sha256": {}}, {"sha256": []}, {"sha256": 5}, {"sha256": None}, 5, None, "x", [[]]]


@pytest.mark.parametrize("asset", ODD, ids=str)
@pytest.mark.parametrize("generation", [False, True])
def test_assets_of_wrong_kinds_are_no_crash(files, tmp_path, asset, generation):
    """reliability F12: a shared project opens, whatever its table of assets holds."""
    made = {"pictures": [asset]} if generation else {}
    project = Project(Document(), generations=[made])
    project.document.assets["a"] = asset
    files.save(project, tmp_path / "p.nforge")
    assert files.load(tmp_path / "p.nforge").document.assets == {"a": asset}
    files.autosave(project, tmp_path / "auto")
    assert files.load(tmp_path / "auto").document.assets == {"a": asset}


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="needs a privilege")
@pytest.mark.parametrize("linked", ["project.json", "assets", "tiles"])
def test_no_link_in_an_autosave_is_followed(files, canvas, tmp_path, linked):
    """files B18: models alone are read through links."""
    project = Project(Document(), canvas.state)
    files.autosave(project, tmp_path / "auto")
    place = tmp_path / "auto" / linked
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WorkflowError, match="is a link"):
        files.load(tmp_path / "auto")


def test_a_damaged_file_in_a_project_is_named_as_people_call_it(files, tmp_path):
    """Not by its hash alone: an asset, and the picture of a layer."""
    content = b"a mask"
    name = hashlib.sha256(content).hexdigest()
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / f"{name}.png").write_bytes(content)
    document = Document()
    document.assets["my mask.png"] = {"sha256": name, "kind": "image"}
    files.save(Project(document), tmp_path / "a.nforge")
    for damage, fact in ((b"another", "is not what its name says"), (None, "lacks this part")):
        altered = tmp_path / "altered.nforge"
        with (
            zipfile.ZipFile(tmp_path / "a.nforge") as whole,
            zipfile.ZipFile(altered, "w") as made,
        ):
            for entry in whole.namelist():
                if not entry.startswith("assets/"):
                    made.writestr(entry, whole.read(entry))
                elif damage is not None:
                    made.writestr(entry, damage)
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        other = ProjectFiles(tmp_path / "elsewhere")
        if damage is None:
            other.load(altered)  # a workflow without one of its pictures still opens
            continue
        with pytest.raises(WorkflowError, match=fact) as caught:
            other.load(altered)
        assert "the file 'my mask.png'" in caught.value.place


def test_a_damaged_picture_of_a_layer_is_named_as_people_call_it(canvas, files, tmp_path):
    files.save(Project(Document(), canvas.state), tmp_path / "a.nforge")
    with (
        zipfile.ZipFile(tmp_path / "a.nforge") as whole,
        zipfile.ZipFile(tmp_path / "b.nforge", "w") as made,
    ):
        for entry in whole.namelist():
            made.writestr(entry, b"x" if entry.startswith("assets/") else whole.read(entry))
    with pytest.raises(WorkflowError) as caught:
        files.load(tmp_path / "b.nforge")
    assert "the file 'cat.png'" in caught.value.place
