"""Files with nodes of other versions than today's: how they open, and what saving keeps."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nodeforge.engine.content.files import Files
from nodeforge.engine.planning.plan import default_targets, make_plan
from nodeforge.formats import (
    FORMAT,
    document_from_json,
    document_to_json,
    load,
    read,
    read_any,
    save,
    write,
)
from nodeforge.formats.migrations.to_2 import RENAMED, VERSIONS
from nodeforge.formats.projects.bundle import PROJECT, ProjectFiles
from nodeforge.graph.document import Document
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph, Node, Upgraded
from nodeforge.imaging import PictureFormat, encode
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue

DATA = Path(__file__).parent / "data"
OLD = sorted((DATA / "saved_with_format_1").glob("*.json"))
LEFT_TO_MODELS = {f"sampling.{name}" for name in ("noise", "sampler", "schedule", "guidance")}
"""Nodes whose files said nothing where they meant what was then the default."""
PAG = "sampling.perturbed_attention"
CATALOGUE = Catalogue.shipped()
EXAMPLE = next((shipped("resources") / "examples").glob("*.png")).name


def old_pag() -> dict:
    """A file of format 1 with a port that has another name since, in every place of a file."""
    inner = {
        "type": "subgraph",
        "nodes": {"pag": {"type": PAG, "values": {"scale": 2.0}}, "r": {"type": "flow.reroute"}},
        "links": {"pag.guidance": "r.value"},
        "inputs": {"where": ["pag.places"], "guidance": ["r.value"]},
        "outputs": {"guidance": "pag.guidance"},
        "values": {"where": "up.0"},
    }
    return {
        "format": 1,
        "nodes": {
            "box": inner,
            "pag": {"type": PAG, "values": {"places": "up.1", "scale": 3.0}},
            "slg": {"type": "sampling.skip_layers"},
            "text": {"type": "values.text", "values": {"value": "mid"}},
        },
        "links": {"slg.places": "text.value", "slg.guidance": "box.guidance"},
        "form": {"pag.places": {"label": "Layers"}, "box/pag.scale": {"label": "Scale"}},
    }


def check_upgraded(document: Document) -> None:
    assert document.node("pag").values == {"layers": "up.1", "scale": 3.0}
    assert document.node("pag").version == CATALOGUE[PAG].version
    box = document_to_json(document)["nodes"]["box"]
    assert box["inputs"] == {"where": ["pag.layers"], "guidance": ["r.value"]}
    assert box["nodes"]["r"]["type"] == "graph.reroute"
    assert document_to_json(document)["links"]["slg.layers"] == "text.value"
    labels = {"pag.layers": "Layers", "box/pag.scale": "Scale"}
    assert {key: entry["label"] for key, entry in document.form.items()} == labels


def test_a_renamed_port_is_followed_everywhere():
    raw = old_pag()
    document = document_from_json(raw)
    check_upgraded(document)
    assert {each.path for each in document.upgraded} == {"pag", "slg", "box/pag"}
    assert raw == old_pag()
    again = read(write(document))
    assert again == document
    assert again.upgraded == ()


def test_a_picture_s_workflow_is_upgraded(tmp_path):
    file = tmp_path / "p.png"
    picture = np.zeros((8, 8, 3), np.uint8)
    file.write_bytes(encode(picture, PictureFormat.PNG, {"nodeforge": json.dumps(old_pag())}))
    check_upgraded(read_any(file))


def test_a_project_s_workflow_is_upgraded_and_its_old_file_kept(tmp_path):
    files, path = ProjectFiles(tmp_path / "assets"), tmp_path / "fox.nforge"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(PROJECT, json.dumps({"format": 1, "workflow": old_pag()}))
    before = path.read_bytes()
    project = files.load(path)
    check_upgraded(project.document)
    for _ in range(2):
        files.save(project, path)
    check_upgraded(files.load(path).document)
    assert (tmp_path / "fox.format1.nforge").read_bytes() == before
    assert sorted(tmp_path.glob("*.nforge")) == [tmp_path / "fox.format1.nforge", path]


@pytest.mark.parametrize("file", OLD, ids=lambda file: file.stem)
def test_a_shipped_workflow_of_format_1_has_the_keys_of_today_s(file, tmp_path):
    old, new = load(file), load(shipped("workflows") / file.name)
    with_usual_settings(new, old)
    assert {each.type for each in old.upgraded} <= LEFT_TO_MODELS
    assert flatten(old.graph, CATALOGUE) == flatten(new.graph, CATALOGUE)
    # nodes with more rows have moved, and seeds say since how they are drawn
    view = replace(new.view, positions=old.view.positions, seeds=old.view.seeds)
    labels = {key: entry["label"] for key, entry in new.form.items()}
    assert {key: entry["label"] for key, entry in old.form.items()}.items() <= labels.items()
    assert old == replace(new, view=view, form=old.form)
    old_keys = keys(old, tmp_path)
    assert old_keys.keys() == flatten(old.graph, CATALOGUE).nodes.keys()
    assert old_keys == keys(new, tmp_path)


def with_usual_settings(new: Document, old: Document) -> None:
    """Say in `new` what it leaves to its model, which files of format 1 had to say."""
    for path, node in new.graph.nodes.items():
        if node.type.startswith("sampling.") and node.type != "sampling.denoise":
            node.values |= old.graph.nodes[path].values


def keys(document: Document, home: Path) -> dict[str, str]:
    for node in document.graph.nodes.values():
        if node.type.startswith("canvas.") and "file" in CATALOGUE[node.type].input:
            node.values["file"] = EXAMPLE  # the canvas says it
    flat = flatten(document.graph, CATALOGUE)
    plan = make_plan(flat, default_targets(flat), Files(Settings(home=home)), "")
    return {name: node.key for name, node in plan.nodes.items()}


def test_the_versions_of_format_1_are_frozen():
    assert len(VERSIONS) == 88
    assert {name: number for name, number in VERSIONS.items() if number != 1} == {
        "canvas.region": 2,
        "inpaint.put_back": 2,
        "models.load": 2,
        "models.load_denoiser": 2,
        "sampling.denoise": 2,
        "text.encode": 3,
        "text.range": 2,
    }
    assert VERSIONS.keys() >= RENAMED.keys()


def test_every_step_of_a_shipped_node_begins_at_a_version_that_was():
    for spec in CATALOGUE.values():
        assert all(1 <= number < spec.version for number in spec.upgrades)


def test_each_node_is_saved_with_its_version():
    document = Document(Graph({"new": Node(PAG), "gone": Node("gone.node"), "r": Node("a.b")}))
    document.node("r").version = 5
    nodes = document_to_json(document)["nodes"]
    assert nodes["new"]["version"] == CATALOGUE[PAG].version
    assert "version" not in nodes["gone"]
    assert nodes["r"]["version"] == 5
    assert read(write(document)).node("r").version == 5


def test_a_user_s_node_of_format_1_has_version_1():
    raw = {"format": 1, "nodes": {"a": {"type": "mine.node"}}}
    assert document_from_json(raw).node("a").version == 1


def test_a_version_above_ours_keeps_version_and_values():
    said = {"type": PAG, "version": 99, "values": {"places": "x", "later": 1}}
    document = document_from_json({"format": FORMAT, "nodes": {"a": said}})
    assert document.upgraded == ()
    assert document_to_json(document)["nodes"]["a"] == said


def test_the_first_save_keeps_the_old_file_beside_it(tmp_path):
    file = tmp_path / "fox.json"
    file.write_text(json.dumps(old_pag()), "utf-8")
    before = file.read_bytes()
    document = load(file)
    assert file.read_bytes() == before
    for _ in range(3):
        save(document, file)
    assert names(tmp_path) == ["fox.format1.json", "fox.json"]
    assert (tmp_path / "fox.format1.json").read_bytes() == before
    assert load(file) == document


def test_a_kept_file_is_never_overwritten(tmp_path):
    file, kept = tmp_path / "fox.json", tmp_path / "fox.format1.json"
    kept.write_text("mine", "utf-8")
    for scale in (1.0, 2.0):
        file.write_text(json.dumps({**old_pag(), "app": str(scale)}), "utf-8")
        save(load(file), file)
    assert kept.read_text("utf-8") == "mine"
    assert names(tmp_path) == [
        "fox.format1.json", "fox.format1_2.json", "fox.format1_3.json", "fox.json",
    ]  # fmt: skip


def test_a_file_of_today_s_format_with_older_nodes_is_kept_too(tmp_path):
    file = tmp_path / "fox.json"
    node = {"type": PAG, "version": 1, "values": {"places": "mid"}}
    file.write_bytes(json.dumps({"format": FORMAT, "nodes": {"a": node}}).encode())
    document = load(file)
    assert document.upgraded == (Upgraded("a", PAG, 1, CATALOGUE[PAG].version),)
    save(document, file)
    save(document, file)
    assert names(tmp_path) == [f"fox.format{FORMAT}.json", "fox.json"]


def test_what_is_not_older_is_not_kept(tmp_path):
    file = tmp_path / "fox.json"
    for content in (b"not JSON", b'{"some": "JSON"}', write(Document(app="other"))):
        file.write_bytes(content)
        save(Document(), file)
    assert names(tmp_path) == ["fox.json"]


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())
