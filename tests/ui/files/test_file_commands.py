"""Saving, recovering after a crash, what is recent, and models that are not there."""

import json
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QFileDialog

from nodeforge.canvas import State
from nodeforge.formats import FORMAT, load
from nodeforge.formats.canvas.openraster import save_openraster
from nodeforge.graph.document import Document
from nodeforge.graph.edits import SetValue
from nodeforge.graph.model import Node
from nodeforge.models import Kind, Layout, ModelInfo
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue, NodeSpec, NumberWidget, PortSpec, Upgrade
from nodeforge.ui.application.app import _raise_window
from nodeforge.ui.documents import recovery_files
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.files.model_lock import propose_model
from nodeforge.ui.files.relink_dialog import RelinkDialog, missing_models, proposals

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.json"
    file.write_bytes(TEXT_TO_IMAGE.read_bytes())
    return file


def test_save_writes_the_file_and_keeps_the_last_version(window, mine: Path):
    window.files.open(mine)
    before = mine.read_bytes()
    opened = window.workspace.current
    opened.perform(SetValue("prompt", "text", "a heron"))
    assert opened.modified
    window.commands.run("file.save")
    assert not opened.modified
    assert load(mine).graph.nodes["prompt"].values["text"] == "a heron"
    assert (mine.parent / ".mine.json.last").read_bytes() == before


def test_save_as_asks_where_and_adds_the_suffix(window, tmp_path: Path, monkeypatch):
    answer = (str(tmp_path / "new"), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answer)
    window.workspace.new()
    window.commands.run("file.save")
    assert (tmp_path / "new.json").is_file()
    assert window.area.tabs.tabText(0) == "new"
    assert window.windowTitle() == "new[*] – NodeForge"


def test_save_as_begins_where_something_was_saved_last_if_that_is_still_there(
    window, tmp_path: Path, monkeypatch
):
    begun: list[Path] = []

    def ask(parent, title: str, wish: str, kinds: str) -> tuple[str, str]:
        begun.append(Path(wish).parent)
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    window.workspace.new()
    for folder in (tmp_path, tmp_path / "gone"):
        window.workspace.store.setValue("folder", str(folder))
        window.commands.run("file.save")
    assert begun[0] == tmp_path
    assert begun[1].is_dir()


def test_what_cannot_be_saved_says_so_and_stays_unsaved(window, mine: Path):
    window.files.open(mine)
    opened = window.workspace.current
    opened.perform(SetValue("prompt", "text", "a heron"))
    opened.path = mine.parent / "gone" / "mine.json"
    window.commands.run("file.save")
    assert "cannot be saved" in window.area.message_bars.text("save")
    assert opened.modified


def test_recent_files_are_remembered_newest_first(window, open_window, mine: Path, tmp_path: Path):
    other = tmp_path / "other.json"
    other.write_bytes(mine.read_bytes())
    window.files.open(mine)
    window.files.open(other)
    assert open_window().workspace.recent == [other, mine]


def test_a_file_that_is_open_is_shown_not_opened_twice(window, mine: Path):
    window.files.open(mine)
    window.workspace.new()
    window.files.open(mine)
    assert len(window.workspace.documents) == 2
    assert window.workspace.current.path == mine


def test_a_crash_loses_nothing_that_was_there_for_a_pause(
    qtbot, window, open_window, mine: Path, home: Path, monkeypatch
):
    window.autosave._timer.setInterval(10)
    window.files.open(mine)
    window.workspace.current.perform(SetValue("prompt", "text", "a heron"))
    copies = home / "autosave"
    qtbot.waitUntil(lambda: len(list(copies.glob("*.about"))) == 1)
    monkeypatch.setattr(recovery_files, "_lives", lambda *_: False)  # as after a crash
    again = open_window()
    opened = again.workspace.current
    assert opened.path == mine
    assert opened.modified
    assert opened.document.node("prompt").values["text"] == "a heron"
    assert "not saved" in again.area.message_bars.text(f"recovered {opened.id}")
    again.files.save(opened)
    assert not again.area.message_bars.isVisible()
    assert load(mine).graph.nodes["prompt"].values["text"] == "a heron"


def test_what_is_said_of_a_workflow_goes_with_it_and_with_its_cause(window, mine: Path):
    broken, fine = Document(), Document()
    broken.graph.nodes["decode"] = Node("latent.decode")
    opened, other = OpenDocument(broken, name="broken"), OpenDocument(fine, name="fine")
    for each in (opened, other):
        each.recovered = True
        window.workspace.add(each)
        window.messages.recovered(each)
    window.workspace.show(opened)
    window.run_menu.run()
    message_bars = window.area.message_bars
    assert "Not run" in message_bars.text("refused")
    other.show_problems([], {})  # of the other: says nothing about this one
    assert "Not run" in message_bars.text("refused")
    opened.recovered = False
    window.files.close(opened)
    assert not message_bars.text("refused")
    assert not message_bars.text(f"recovered {opened.id}")
    assert message_bars.text(f"recovered {other.id}")


def test_closing_well_leaves_no_copies(qtbot, window, mine: Path, home: Path):
    window.autosave._timer.setInterval(10)
    window.files.open(mine)
    window.workspace.current.perform(SetValue("prompt", "text", "a heron"))
    qtbot.waitUntil(lambda: any((home / "autosave").glob("*.json")))
    window.files.save(window.workspace.current)
    window.close()
    assert not any((home / "autosave").iterdir())


@pytest.mark.parametrize("way", ["open", "drop", "command line"])
def test_openraster_comes_back_every_way(qtbot, window, tmp_path: Path, way: str):
    """Window B4: File > Open refused the program's own OpenRaster file."""
    file = tmp_path / "layers.ora"
    save_openraster(State(40, 30), file)
    match way:
        case "drop":
            data = QMimeData()
            data.setUrls([QUrl.fromLocalFile(str(file))])
            window.files.drop(data)
        case "command line":
            _raise_window(window, str(file))  # as a second start hands it over
        case _:
            window.files.open(file)
    opened = window.workspace.current
    assert opened.name == "layers"
    qtbot.waitUntil(lambda: opened.canvas is not None)
    assert (opened.canvas.state.width, opened.canvas.state.height) == (40, 30)
    assert window.area.canvas is not None


def test_missing_models_are_listed_once_and_relinked_in_one_step(window, mine: Path):
    window.files.open(mine)
    opened = window.workspace.current
    opened.document.graph.nodes["second"] = Node("models.load", {"file": "no-such"})
    opened.perform(SetValue("model", "file", "no-such"))
    missing = missing_models(window.workspace, opened)
    assert missing == {("checkpoint", "no-such"): [("model", "file"), ("second", "file")]}
    proposed = proposals(window.workspace, opened, missing)
    dialog = RelinkDialog(window.workspace, opened, missing, proposed, window)
    dialog.choose(("checkpoint", "no-such"), "other")
    dialog.accept()
    assert opened.document.node("second").values["file"] == "other"
    assert opened.document.undo() == "relink models"
    assert opened.document.node("model").values["file"] == "no-such"


def test_a_node_of_an_unknown_type_is_kept(window, mine: Path):
    text = mine.read_text().replace("latent.decode", "future.decode")
    mine.write_text(text)
    window.files.open(mine)
    assert window.workspace.current is not None
    window.area.view.select(["decode"])
    window.files.save(window.workspace.current)
    assert load(mine).graph.nodes["decode"].type == "future.decode"


def test_a_model_that_was_renamed_is_proposed_by_its_content(window, mine: Path, home: Path):
    folder = home / "models" / "checkpoints"
    folder.mkdir(parents=True)
    shutil.copytree(shipped("resources") / "models" / "nano", folder / "fox_v1")
    window.files.open(mine)
    opened = window.workspace.current
    opened.perform(SetValue("model", "file", "fox_v1"))
    window.files.save(opened)
    told = load(mine).lock["models"]["checkpoint/fox_v1"]
    assert len(told["quick"]) == 32  # nobody has read the whole of it yet
    assert "fingerprint" not in told
    (folder / "fox_v1").rename(folder / "quite_another_name")
    shutil.copytree(folder / "quite_another_name", folder / "fox_v12")
    (folder / "fox_v12" / "model_index.json").write_text("{}")
    window.workspace.set_settings(window.workspace.settings)  # looks at the folders anew
    missing = missing_models(window.workspace, opened)
    proposed = proposals(window.workspace, opened, missing)
    dialog = RelinkDialog(window.workspace, opened, missing, proposed, window)
    button, why = dialog.rows["checkpoint", "fox_v1"]
    assert why.text() == "the same content"
    assert button.text() in ("quite_another_name", "nano")
    dialog.accept()
    assert opened.document.node("model").values["file"] == button.text()
    window.runner.planner.check(opened)
    assert not [each for each in opened.problems if each.rule == "missing_models"]


def test_without_a_hash_a_model_is_proposed_by_its_name():
    there = [info(name) for name in ("foxes/red_fox.safetensors", "blue_owl_v2.safetensors")]
    opened = OpenDocument(Document())
    assert propose_model(opened, "checkpoint", "red_fox", there).name == "foxes/red_fox.safetensors"
    assert propose_model(opened, "checkpoint", "blue_owl_v1", there).reason == "a similar name"
    assert propose_model(opened, "checkpoint", "xyzzy", there) is None


def info(name: str) -> ModelInfo:
    return ModelInfo(Path(name), Kind.CHECKPOINT, "sd15", Layout.LDM, name=name)


def test_an_older_node_is_upgraded_with_a_message_and_no_undo_step(window, mine: Path):
    raw = json.loads(mine.read_text("utf-8"))
    node = {"type": "sampling.skip_layers", "version": 1, "values": {"places": "up.0"}}
    mine.write_text(json.dumps({**raw, "nodes": {**raw["nodes"], "slg": node}}), "utf-8")
    before = mine.read_bytes()
    window.files.open(mine)
    opened = window.workspace.current
    assert opened.document.node("slg").values == {"layers": "up.0"}
    said = window.area.message_bars.text(f"upgrade {opened.id}")
    assert said.endswith("older versions of nodes, now upgraded: Skip-layer guidance (SLG).")
    assert not opened.modified
    assert opened.document.undo() == ""
    assert mine.read_bytes() == before
    opened.perform(SetValue("prompt", "text", "a heron"))
    window.commands.run("file.save")
    assert (mine.parent / f"mine.format{FORMAT}.json").read_bytes() == before
    window.workspace.close(opened)
    assert window.area.message_bars.text(f"upgrade {opened.id}") == ""


def test_nodes_of_a_user_s_pack_are_upgraded_once_its_catalogue_is_known(window, mine: Path):
    raw = json.loads(mine.read_text("utf-8"))
    node = {"type": "mine.blur", "version": 1, "values": {"size": 3}}
    mine.write_text(json.dumps({**raw, "nodes": {**raw["nodes"], "blur": node}}), "utf-8")
    window.files.open(mine)
    opened = window.workspace.current
    assert opened.document.node("blur").values == {"size": 3}
    steps = {1: Upgrade(rename={"size": "radius"})}
    ports = (PortSpec("radius", "integer", widget=NumberWidget(step=1)),)
    spec = NodeSpec("mine.blur", 2, "Blur", "", "", ports, (), pack="mine", upgrades=steps)
    window.workspace.set_catalogue(Catalogue([*window.workspace.catalogue.values(), spec]))
    assert opened.document.node("blur").values == {"radius": 3}
    assert "Blur" in window.area.message_bars.text(f"upgrade {opened.id}")
    assert not opened.modified
