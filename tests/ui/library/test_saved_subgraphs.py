"""Subgraphs that are kept in the library, as files in a folder."""

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nodeforge.errors import RequestError
from nodeforge.formats import load
from nodeforge.graph.edits import Collapse, Expose, SetExposed
from nodeforge.graph.model import Subgraph
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.library.saved_subgraphs import SavedSubgraphs

DRAW = ["noise", "schedule", "guidance", "sampler"]


@pytest.fixture
def view(window):
    """The first workflow, with a subgraph that exposes its steps, kept in the library."""
    window.files.open(shipped("workflows") / "text_to_image.json")
    opened = window.workspace.current
    opened.perform(Collapse(DRAW, "Draw: fast"))
    path = next(p for p, n in opened.document.graph.nodes.items() if isinstance(n, Subgraph))
    opened.perform(Expose(f"{path}/schedule", "steps"))
    opened.perform(SetExposed(path, {"steps": {"label": "Quality"}}))
    window.area.view.select([path])
    window.commands.run("node.keep")
    return window.area.view


def groups(window) -> dict[str, list[str]]:
    tree = window.library.tree
    tops = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return {top.text(0): [top.child(i).text(0) for i in range(top.childCount())] for top in tops}


def test_a_kept_subgraph_is_a_file_and_in_the_library(window, view, home):
    assert [file.name for file in (home / "subgraphs").iterdir()] == ["Draw fast.json"]
    assert groups(window)["My subgraphs"] == ["Draw fast"]
    window.commands.run("node.keep")
    assert groups(window)["My subgraphs"] == ["Draw fast", "Draw fast 2"]


def test_it_is_added_to_another_workflow_as_it_was_kept(qtbot, window, view):
    made = view.document.node(view.selection()[0])
    places = {
        key.rpartition("/")[2]: place
        for key, place in view.document.view.positions.items()
        if key.startswith(view.selection()[0] + "/")
    }
    window.workspace.new()
    qtbot.keyClicks(window.library.search, "draw fast")
    qtbot.keyClick(window.library.search, Qt.Key.Key_Return)
    document = window.workspace.current.document
    (path,) = document.graph.nodes
    node = document.node(path)
    assert (node.inputs, node.exposed, node.graph) == (made.inputs, made.exposed, made.graph)
    inner = {k.rpartition("/")[2]: p for k, p in document.view.positions.items() if "/" in k}
    assert inner == places
    assert document.history.undo_name == "add Draw fast"
    rows = window.area.view.session.scene.node_items[path].layout.rows
    assert [row.label for row in rows] == ["Quality"]
    document.undo()
    assert document.graph.nodes == {}
    document.redo()
    window.library.chosen.emit("subgraph.Draw fast")
    assert len(document.graph.nodes) == 2


def test_a_dropped_link_offers_it_and_links_it(window, view):
    """Its noise output fits the noise input of a denoise loop."""
    window.workspace.new()
    view = window.area.view
    view.add_node("sampling.denoise")
    port_item = view.session.scene.node_items["denoise"].port_item("noise", is_input=True)
    view.session.request_nodes(port_item, QPointF(100, 100))
    QTest.keyClicks(QApplication.focusWidget(), "draw fast")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    links = {str(end): str(start) for end, start in view.document.graph.links.items()}
    assert list(links) == ["denoise.noise"]
    assert links["denoise.noise"].endswith(".noise")


def test_a_file_copied_into_the_folder_is_one_more_and_a_damaged_one_costs_itself(
    qtbot, window, view, home
):
    folder = home / "subgraphs"
    content = (folder / "Draw fast.json").read_bytes()
    (folder / "damaged.json").write_bytes(content[:200])
    (folder / "workflow.json").write_bytes(
        (shipped("workflows") / "text_to_image.json").read_bytes()
    )
    (folder / "From a friend.json").write_bytes(content)
    expected = ["Draw fast", "From a friend"]
    qtbot.waitUntil(lambda: groups(window)["My subgraphs"] == expected, timeout=3000)
    (folder / "From a friend.json").unlink()
    refused = []
    window.area.view.refused.connect(refused.append)
    before = len(view.document.graph.nodes)
    window.area.view.add_node("subgraph.From a friend")
    assert "cannot be read" in refused[0].lower()
    assert len(view.document.graph.nodes) == before


def test_only_a_subgraph_is_kept(window, view, home):
    refused = []
    view.refused.connect(refused.append)
    view.select(["denoise"])
    view.keep_in_library()
    assert "is no subgraph" in refused[-1]
    view.select(["denoise", "decode"])
    view.keep_in_library()
    assert "one subgraph" in refused[-1]
    assert len(list((home / "subgraphs").iterdir())) == 1


def test_names_that_no_file_may_have_are_kept_under_others(window, view, tmp_path):
    saved = SavedSubgraphs(tmp_path / "new")
    document, catalogue = view.document, Catalogue.shipped()
    path = view.selection()[0]
    for title, stem in ((r"../a\b", "a b"), ("...", "Subgraph"), ("x" * 300, "x" * 80)):
        document.node(path).title = title
        file = saved.keep(document, path, catalogue)
        assert (file.stem, load(file).graph.links) == (stem, {})
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot be made"):
        SavedSubgraphs(tmp_path / "file" / "deeper").keep(document, path, catalogue)


def test_a_shipped_subgraph_is_there_without_being_kept_and_stays(qtbot, window, home):
    assert groups(window)["Subgraphs"] == ["Refine regions"]
    assert "My subgraphs" not in groups(window)
    words = [each.text() for each in window.library.menu_of("subgraph.Refine regions").actions()]
    assert "Show in folder" in words
    assert "Move to trash" not in words
    window.workspace.new()
    qtbot.keyClicks(window.library.search, "refine regions")
    window.library.chosen.emit("subgraph.Refine regions")
    (node,) = window.workspace.current.document.graph.nodes.values()
    assert isinstance(node, Subgraph)
    assert {"image", "mask", "text", "strength"} <= set(node.exposed)


def test_a_subgraph_of_ones_own_goes_before_a_shipped_one_of_its_name(tmp_path):
    catalogue = Catalogue.shipped()
    shipped_ones = shipped("resources") / "subgraphs"
    saved = SavedSubgraphs(tmp_path, shipped_ones)
    type_id = "subgraph.Refine regions"
    assert not saved.is_own(type_id)
    (tmp_path / "Refine regions.json").write_bytes(saved.file(type_id).read_bytes())
    assert saved.is_own(type_id)
    assert [spec.type for spec in saved.specs(catalogue)] == [type_id]
