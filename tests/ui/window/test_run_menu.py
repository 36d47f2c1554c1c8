"""Running on change, a branch of the workflow, and pausing the queue."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage

from nodeforge.engine import events
from nodeforge.engine.content.assets import keep_picture
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Move, SetValue
from nodeforge.graph.model import Input, Node, Output
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.window.menus.run_menu import reachable_outputs
from support.processes import ForkedWorker

CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
LONG = 60_000


def two_branches(home_settings, folder: Path) -> OpenDocument:
    """A picture, darkened and saved, and blurred and saved."""
    document, path = Document(), folder / "grey.png"
    image = QImage(16, 16, QImage.Format.Format_RGB32)
    image.fill(QColor(100, 100, 100))
    image.save(str(path))
    document.assets["grey.png"] = keep_picture(path, home_settings)
    graph = document.graph
    graph.nodes["load"] = Node("image.load", {"file": "asset:grey.png"})
    for name, node_type in (("adjust", "image.adjust"), ("blur", "image.blur")):
        graph.nodes[name], graph.nodes[f"save_{name}"] = Node(node_type), Node("image.save")
        graph.links[Input(name, "image")] = Output("load", "image")
        graph.links[Input(f"save_{name}", "image")] = Output(name, "image")
    return OpenDocument(document, name="branches")


@pytest.fixture
def opened(open_window, tmp_path: Path):
    window = open_window(ForkedWorker)
    made = two_branches(window.workspace.settings, tmp_path)
    window.workspace.add(made)
    return window, made


def test_what_is_selected_leads_to_its_own_branch(tmp_path: Path, window):
    document = two_branches(window.workspace.settings, tmp_path).document
    assert reachable_outputs(document, ["blur"], Catalogue.shipped()) == ["save_blur"]
    assert reachable_outputs(document, ["load"], Catalogue.shipped()) == [
        "save_adjust",
        "save_blur",
    ]


def test_the_selected_branch_alone_is_run(qtbot, opened):
    window, _ = opened
    window.area.view.select(["blur"])
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL | ALT)
    qtbot.waitUntil(lambda: window.gallery.list.count() == 1, timeout=LONG)
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=LONG)
    assert window.runner.jobs.ended[0].request.targets == ["save_blur"]


def test_edits_run_by_themselves_while_that_is_on_and_save_nothing(qtbot, opened):
    window, document = opened
    runs: list[events.Event] = []
    window.runner.worker.events_received.connect(
        lambda told: runs.extend(e for e in told if isinstance(e, events.RunFinished))
    )
    window.commands["run.on_change"].trigger()
    qtbot.waitUntil(lambda: {"adjust", "blur"} <= set(document.pictures), timeout=LONG)
    before = document.pictures["adjust"].pixelColor(0, 0)
    document.perform(SetValue("adjust", "brightness", 0.4))
    changed = lambda: document.pictures["adjust"].pixelColor(0, 0) != before  # noqa: E731
    qtbot.waitUntil(changed, timeout=LONG)
    assert window.gallery.list.count() == 0
    assert not window.runner.jobs.ended  # the list is for what a person asked for
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=LONG)
    count = len(runs)
    document.perform(Move({"blur": (40, 40)}))
    qtbot.wait(1200)
    assert len(runs) == count  # a move is no change of what comes out
    window.commands["run.on_change"].trigger()
    document.perform(SetValue("adjust", "brightness", -0.4))
    qtbot.wait(600)
    assert len(runs) == count


def test_a_paused_queue_waits_until_it_is_resumed(qtbot, opened):
    window, _ = opened
    window.commands["run.pause"].trigger()
    window.area.view.select(["blur"])
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)
    assert window.status.text == "Queued; the queue is paused."
    assert len(window.runner.jobs.waiting) == 1
    assert not window.runner.busy
    window.docks.show("queue")
    queue = window.docks.all["queue"].widget()
    assert queue.pause.accessibleName() == "Resume queue"
    qtbot.mouseClick(queue.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.gallery.list.count() == 2, timeout=LONG)
    assert queue.pause.accessibleName() == "Pause queue"
