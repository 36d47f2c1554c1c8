"""What the mouse and the keys do to nodes: choose, move, copy, arrange, edit."""

import json
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit

from nodeforge.formats import read
from nodeforge.graph.document import Document, View
from nodeforge.graph.edits import RemoveNodes, SetEntry
from nodeforge.graph.model import Mode, Node
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from support.graphs import boxes, graph

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


def chain() -> Document:
    whole = graph(
        {"a": "image.load", "b": "image.invert", "c": "image.save", "free": "image.invert"},
        "a.image > b.image",
        "b.image > c.image",
    )
    places = {"a": [0, 0], "b": [300, 0], "c": [600, 0], "free": [300, 300]}
    return Document(whole, view=View(positions=places))


def test_a_click_chooses_shift_adds_ctrl_takes_away(screen):
    heard = []
    screen.view.selected.connect(heard.append)
    screen.show(screen.title("prompt"))
    screen.click(screen.title("prompt"))
    assert screen.view.selection() == ["prompt"]
    screen.click(screen.title("sampler"), keys=SHIFT)
    assert screen.view.selection() == ["prompt", "sampler"]
    screen.click(screen.title("prompt"), keys=CTRL)
    assert screen.view.selection() == ["sampler"]
    assert heard == [["prompt"], ["prompt", "sampler"], ["sampler"]]


def test_a_band_chooses_what_it_touches(screen):
    screen.drag(QPointF(240, -40), QPointF(600, 300))
    assert set(screen.view.selection()) == {"prompt", "negative", "sampler", "schedule", "guidance"}
    screen.click(QPointF(520, 60))
    assert screen.view.selection() == []


def test_a_drag_moves_all_that_is_chosen_in_one_step(screen):
    screen.view.select(["prompt", "negative"])
    start = screen.title("prompt")
    screen.drag(start, start + QPointF(40, 24))
    positions = screen.document.view.positions
    assert positions["prompt"] == [320, 24]
    assert positions["negative"] == [320, 264]
    assert screen.document.history.undo_name == "move 2 nodes"
    assert len(screen.document.history) == 1
    screen.check()
    screen.key(Qt.Key.Key_Z, CTRL)
    assert positions["prompt"] == [280, 0]
    screen.check()
    screen.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert positions["prompt"] == [320, 24]
    screen.check()


def test_the_middle_button_and_space_pan_and_the_wheel_zooms(screen):
    before = screen.viewer.visible_rect().center()
    place = screen.title("prompt")
    screen.drag(place, place + QPointF(50, 30), Qt.MouseButton.MiddleButton)
    moved = screen.viewer.visible_rect().center()
    assert moved != before
    QTest.keyPress(screen.viewer, Qt.Key.Key_Space)
    screen.press(place)
    screen.move(place + QPointF(80, 0))
    screen.release(place + QPointF(80, 0))
    QTest.keyRelease(screen.viewer, Qt.Key.Key_Space)
    assert screen.viewer.visible_rect().center() != moved
    assert not len(screen.document.history)
    zoom = screen.viewer.zoom
    screen.viewer.zoom_by(2, QPointF(100, 100))
    assert screen.viewer.zoom == pytest.approx(2 * zoom)


def test_home_shows_all_and_f_the_selection(screen):
    screen.view.resize(700, 500)
    screen.key(Qt.Key.Key_Home)
    seen = screen.viewer.visible_rect()
    assert all(
        seen.contains(node_item.body())
        for node_item in screen.view.session.scene.node_items.values()
    )
    screen.view.select(["save"])
    screen.key(Qt.Key.Key_F)
    assert screen.viewer.visible_rect().contains(screen.node_item("save").body())
    assert screen.viewer.zoom == 1.0


@pytest.mark.parametrize("way", ["tab", "double click"])
def test_a_node_is_found_by_a_few_letters_and_added(empty, way):
    if way == "tab":
        empty.key(Qt.Key.Key_Tab)
    else:
        empty.double_click(QPointF(10, 10))
    popup = empty.view.node_search.popup
    assert popup.isVisible()
    empty.type("dnois")
    empty.enter()
    assert [node.type for node in empty.document.graph.nodes.values()] == ["sampling.denoise"]
    assert empty.view.selection() == ["denoise"]
    assert not popup.isVisible()
    assert empty.document.history.undo_name == "add denoise"
    empty.check()


def test_escape_closes_the_search_and_adds_nothing(empty):
    empty.key(Qt.Key.Key_Tab)
    empty.type("noise")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not empty.view.node_search.popup.isVisible()
    assert not empty.document.graph.nodes
    assert QApplication.focusWidget() is empty.viewer


def test_a_type_dropped_from_the_library_becomes_a_node_there(empty):
    assert empty.drop("image.load", QPointF(50, 60))
    assert empty.document.view.positions["load"] == [-60, 46]
    empty.check()


def test_a_type_dropped_on_a_link_is_put_into_it(open_screen):
    screen = open_screen(chain())
    one = screen.port("b.image", is_input=False)
    other = screen.port("c.image", is_input=True)
    screen.show(one)
    assert screen.drop("image.invert", (one + other) / 2)
    assert screen.links["c.image"] == "invert.image"
    assert screen.links["invert.image"] == "b.image"
    assert screen.document.history.undo_name == "insert invert"
    screen.check()


def test_a_type_that_is_not_known_is_refused_in_words(empty):
    assert not empty.drop("image.lod", QPointF())
    assert "Did you mean 'image.load'" in empty.refused[-1]
    empty.check()


def test_a_node_dropped_on_a_link_is_put_into_it(open_screen):
    screen = open_screen(chain())
    start = screen.title("free")
    middle = (screen.port("b.image", is_input=False) + screen.port("c.image", is_input=True)) / 2
    screen.drag(start, middle + QPointF(-20, 0))
    assert screen.links["free.image"] == "b.image"
    assert screen.links["c.image"] == "free.image"
    screen.check()
    screen.document.undo()
    assert screen.links == {"b.image": "a.image", "c.image": "b.image"}
    assert screen.document.view.positions["free"] == [300, 300]
    screen.check()


def test_alt_and_drag_pulls_a_node_out_of_its_links_which_are_healed(open_screen):
    screen = open_screen(chain())
    start = screen.title("b")
    screen.drag(start, start + QPointF(0, 200), keys=ALT)
    assert screen.links == {"c.image": "a.image"}
    assert screen.document.view.positions["b"] == [300, 200]
    assert screen.document.history.undo_name == "pull out b"
    screen.check()


def test_shaking_a_node_pulls_it_out_of_its_links(open_screen):
    screen = open_screen(chain())
    start = screen.title("b")
    screen.show(start)
    screen.press(start)
    for shift in (30, -10, 30, -10, 30, -10):
        screen.move(start + QPointF(shift, 0))
    assert screen.view._hint.text() == "Release to detach from links"
    screen.move(start + QPointF(0, 100))
    screen.release(start + QPointF(0, 100))
    assert screen.links == {"c.image": "a.image"}
    assert screen.document.history.undo_name == "pull out b"
    assert screen.view._hint.isHidden()
    screen.check()
    screen.document.undo()
    assert screen.links == {"b.image": "a.image", "c.image": "b.image"}


def test_a_node_moved_to_and_fro_without_haste_keeps_its_links(open_screen):
    screen = open_screen(chain())
    start = screen.title("b")
    screen.drag(start, start + QPointF(40, 0), release=False)
    screen.move(start + QPointF(-40, 0))
    screen.move(start + QPointF(60, 20))
    screen.release(start + QPointF(60, 20))
    assert screen.links == {"b.image": "a.image", "c.image": "b.image"}


def test_copy_and_paste_go_through_workflow_json_and_keep_inner_links(screen):
    screen.view.select(["decode", "save"])
    screen.key(Qt.Key.Key_C, CTRL)
    fragment = read(QGuiApplication.clipboard().text())
    assert set(fragment.graph.nodes) == {"decode", "save"}
    screen.key(Qt.Key.Key_V, CTRL)
    assert screen.links["save_2.image"] == "decode_2.image"
    assert "decode_2.latent" not in screen.links
    assert set(screen.view.selection()) == {"decode_2", "save_2"}
    screen.check()
    screen.key(Qt.Key.Key_V, CTRL | SHIFT)
    assert screen.links["decode_3.latent"] == "denoise.latent"
    screen.check()


def test_nodes_pasted_from_an_older_file_are_today_s(screen):
    nodes = {
        "r": {"type": "flow.reroute"},
        "slg": {"type": "sampling.skip_layers", "values": {"places": "up.0"}},
    }
    links = {"slg.guidance": "r.value", "slg.places": "r.value"}
    QGuiApplication.clipboard().setText(json.dumps({"format": 1, "nodes": nodes, "links": links}))
    screen.key(Qt.Key.Key_V, CTRL)
    assert screen.document.node("r").type == "graph.reroute"
    assert screen.document.node("slg").values == {"layers": "up.0"}
    assert screen.links["slg.layers"] == "r.value"
    screen.check()


def test_duplicate_is_one_step(screen):
    screen.view.select(["prompt"])
    screen.key(Qt.Key.Key_D, CTRL)
    assert screen.document.node("prompt_2").values == {"text": "a red cube"}
    assert screen.document.view.positions["prompt_2"] == [312, 32]
    assert screen.document.history.undo_name == "duplicate prompt"
    screen.check()
    screen.document.undo()
    screen.check()


def test_what_is_no_workflow_is_not_pasted_and_says_so(screen):
    QGuiApplication.clipboard().setText("a shopping list")
    screen.key(Qt.Key.Key_V, CTRL)
    assert "holds no workflow" in screen.refused[-1]
    QGuiApplication.clipboard().setText('{"format": 99}')
    screen.key(Qt.Key.Key_V, CTRL)
    assert "format 99" in screen.refused[-1]
    assert not len(screen.document.history)


@pytest.mark.parametrize(("key", "mode"), [("M", Mode.MUTE), ("B", Mode.BYPASS)])
def test_mute_and_bypass_by_key_and_back(screen, key, mode):
    screen.view.select(["noise", "save"])
    screen.key(getattr(Qt.Key, f"Key_{key}"))
    assert screen.document.node("noise").mode is mode
    screen.check()
    screen.key(getattr(Qt.Key, f"Key_{key}"))
    assert screen.document.node("noise").mode is Mode.ACTIVE
    screen.check()


def test_c_shows_only_the_title_and_all_again(screen):
    screen.view.select(["denoise"])
    high = screen.node_item("denoise").body().height()
    screen.key(Qt.Key.Key_C)
    assert screen.node_item("denoise").body().height() == 28
    screen.check()
    screen.key(Qt.Key.Key_C)
    assert screen.node_item("denoise").body().height() == high


def test_f2_renames_in_place(screen):
    screen.view.center_on("prompt")
    screen.key(Qt.Key.Key_F2)
    assert isinstance(QApplication.focusWidget(), QLineEdit)
    screen.type("What to draw")
    screen.enter()
    assert screen.document.node("prompt").title == "What to draw"
    assert screen.node_item("prompt").layout.title == "What to draw"


def test_nodes_are_grouped_opened_left_and_unpacked(screen):
    opened = []
    screen.view.opened.connect(opened.append)
    screen.view.select(["sampler", "schedule", "guidance"])
    screen.key(Qt.Key.Key_G, CTRL)
    assert screen.view.selection() == ["subgraph"]
    screen.check()
    screen.view.center_on("subgraph")
    screen.double_click(screen.title("subgraph"))
    assert opened == ["subgraph"]
    assert set(screen.view.session.scene.node_items) == {
        "subgraph/sampler",
        "subgraph/schedule",
        "subgraph/guidance",
    }
    screen.check()
    screen.key(Qt.Key.Key_Up, ALT)
    assert opened == ["subgraph", ""]
    screen.check()
    screen.view.select(["subgraph"])
    screen.key(Qt.Key.Key_G, CTRL | ALT)
    assert set(screen.view.selection()) == {"sampler", "schedule", "guidance"}
    screen.check()


def test_undoing_a_group_that_is_open_goes_back_up(screen):
    screen.view.select(["sampler", "schedule"])
    screen.key(Qt.Key.Key_G, CTRL)
    screen.view.open("subgraph")
    screen.key(Qt.Key.Key_Z, CTRL)
    assert screen.view.path == ""
    screen.check()


def test_a_backdrop_takes_along_what_lies_on_it(screen):
    screen.view.select(["sampler", "schedule"])
    screen.key(Qt.Key.Key_G, CTRL | SHIFT)
    frame = screen.view.session.scene.frame_items["backdrops", "backdrop:1"]
    assert frame.body().contains(screen.node_item("sampler").body())
    screen.view.select([])
    start = frame.body().topLeft() + QPointF(60, 12)
    screen.drag(start, start + QPointF(100, 50))
    positions = screen.document.view.positions
    assert positions["sampler"] == [660, 50]
    assert positions["schedule"] == [660, 190]
    assert positions["prompt"] == [280, 0]
    assert len(screen.document.history) == 2
    screen.check()
    screen.document.undo()
    assert positions["sampler"] == [560, 0]
    screen.check()


def test_a_backdrop_is_resized_renamed_coloured_and_deleted(screen):
    screen.view.select(["sampler"])
    key = screen.view.backdrop("Settings")
    frame = screen.view.session.scene.frame_items["backdrops", key]
    corner = frame.body().bottomRight() - QPointF(6, 6)
    screen.drag(corner, corner + QPointF(40, 20))
    rect = screen.document.view.backdrops[key]["rect"]
    assert rect[2:] == [308, rect[3]]
    screen.view.colour("#884422")
    assert screen.document.view.backdrops[key]["colour"] == "#884422"
    screen.double_click(frame.body().topLeft() + QPointF(60, 12))
    screen.type("Numbers")
    screen.enter()
    assert screen.document.view.backdrops[key]["title"] == "Numbers"
    screen.key(Qt.Key.Key_Delete)
    assert not screen.document.view.backdrops
    screen.check()


def test_a_note_is_typed_in_place(empty):
    empty.view.note("", QPointF(0, 0))
    empty.key(Qt.Key.Key_F2)
    assert isinstance(QApplication.focusWidget(), QPlainTextEdit)
    empty.type("remember this")
    empty.enter(CTRL)
    assert empty.document.view.notes["note:1"]["text"] == "remember this"


def test_dragging_on_a_number_changes_it_in_one_step(screen):
    place = screen.row("schedule.steps")
    screen.drag(place, place + QPointF(40, 0))
    assert screen.document.node("schedule").values["steps"] == 30
    assert len(screen.document.history) == 1
    screen.drag(place, place + QPointF(-40, 0), keys=CTRL)
    assert screen.document.node("schedule").values["steps"] == 1
    screen.document.undo()
    screen.drag(place, place + QPointF(40, 0), keys=SHIFT)
    assert screen.document.node("schedule").values["steps"] == 31
    screen.check()


def test_escape_while_dragging_a_number_brings_it_back(screen):
    place = screen.row("schedule.steps")
    screen.drag(place, place + QPointF(40, 0), release=False)
    assert screen.document.node("schedule").values["steps"] == 30
    screen.key(Qt.Key.Key_Escape)
    screen.release(place)
    assert screen.document.node("schedule").values["steps"] == 20


def test_a_number_is_typed_with_arithmetic(screen):
    screen.view.center_on("noise")
    screen.double_click(screen.row("noise.width"))
    screen.type("512*1.5")
    screen.enter()
    assert screen.document.node("noise").values["width"] == 768
    screen.double_click(screen.row("noise.width"))
    screen.type("wide")
    screen.enter()
    assert screen.refused == ["'wide' is not a number."]
    assert screen.document.node("noise").values["width"] == 768


def test_a_menu_chooses_and_escape_keeps_the_old_text(screen):
    screen.view.center_on("sampler")
    screen.double_click(screen.row("sampler.name"))
    menu = screen.view.inline_editor.menu
    assert [action.text() for action in menu.actions()] == ["euler", "heun", "dpmpp_2m"]
    menu.actions()[1].trigger()
    menu.close()
    assert screen.document.node("sampler").values["name"] == "heun"
    screen.view.center_on("prompt")
    screen.double_click(screen.row("prompt.text"))
    screen.type("a blue ball")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert screen.document.node("prompt").values["text"] == "a red cube"


def test_align_distribute_and_layout_are_one_step_each(screen):
    screen.view.select(["sampler", "schedule", "guidance"])
    screen.view.session.perform(SetEntry("positions", "schedule", [611, 190]))
    steps = len(screen.document.history)
    screen.view.align("left")
    places = screen.document.view.positions
    assert [places[n][0] for n in ("sampler", "schedule", "guidance")] == [560, 560, 560]
    screen.view.distribute("down")
    bodies = [screen.node_item(n).body() for n in ("sampler", "schedule", "guidance")]
    gaps = [b.top() - a.bottom() for a, b in pairwise(bodies)]
    assert gaps[0] == pytest.approx(gaps[1], abs=1)
    screen.view.select([])
    screen.key(Qt.Key.Key_L)
    assert len(screen.document.history) == steps + 3
    for end, start in screen.document.graph.links.items():
        assert places[start.node][0] < places[end.node][0]
    bodies = [node_item.body() for node_item in screen.view.session.scene.node_items.values()]
    assert not any(a.intersects(b) for a in bodies for b in bodies if a is not b)
    screen.check()


def test_find_goes_to_a_node_inside_a_subgraph(open_screen):
    screen = open_screen(boxes())
    screen.key(Qt.Key.Key_F, CTRL)
    screen.type("box/sum")
    screen.enter()
    assert screen.view.path == "box"
    assert screen.view.selection() == ["box/sum"]


def test_the_right_button_asks_for_a_menu_of_what_lies_there(screen):
    asked = []
    screen.view.menu_requested.connect(asked.append)
    screen.show(screen.title("prompt"))
    screen.click(screen.title("prompt"), Qt.MouseButton.RightButton)
    assert asked[0].node == "prompt"
    assert screen.view.selection() == ["prompt"]


def test_a_press_on_the_minimap_goes_there(screen):
    before = screen.viewer.visible_rect().center()
    screen.view.minimap.repaint()
    QTest.mouseClick(
        screen.view.minimap,
        Qt.MouseButton.LeftButton,
        pos=screen.view.minimap.rect().center() - screen.view.minimap.rect().center() / 2,
    )
    assert screen.viewer.visible_rect().center() != before


def test_many_files_of_bad_looks_still_open(open_screen):
    view = View(
        positions={"a": [1e9, -1e9]},
        colours={"a": "no colour", "b": 7},
        collapsed={"a": "yes"},
        backdrops={"x": [], "y": {"rect": [0, 0, -5, 1e12], "colour": 3, "title": 9}},
        notes={"z": None, "n": {"text": "words"}},
    )
    whole = graph({"a": Node("gone.type", {"x": [1, 2]}), "b": "image.invert"}, "a.y > b.image")
    screen = open_screen(Document(whole, view=view))
    screen.view.grab()
    screen.key(Qt.Key.Key_Home)
    screen.view.grab()
    assert screen.node_item("a").layout.missing


def test_what_is_taken_away_while_it_is_dragged_ends_the_drag(screen):
    start = screen.title("save")
    screen.drag(start, start + QPointF(0, 120), release=False)
    screen.document.perform(RemoveNodes(["save"]))
    screen.move(start + QPointF(0, 140))
    screen.release(start + QPointF(0, 140))
    assert screen.view.input_handler.gesture is None
    assert "no node 'save'" in screen.refused[-1]
    screen.check()
    screen.document.undo()
    assert screen.document.view.positions["save"] == [1400, 0]
    screen.check()


def test_keys_wait_until_the_gesture_in_hand_is_over(screen):
    start = screen.title("save")
    screen.drag(start, start + QPointF(0, 120), release=False)
    screen.key(Qt.Key.Key_Delete)
    assert "save" in screen.document.graph.nodes
    screen.key(Qt.Key.Key_Escape)
    screen.release(start)
    screen.key(Qt.Key.Key_Delete)
    assert "save" not in screen.document.graph.nodes


def test_a_switch_flips_and_the_wheel_turns_a_typed_number(open_screen):
    catalogue = Catalogue.read(shipped("resources") / "catalogue.json")
    whole = graph({"noise": "sampling.noise", "decode": "latent.decode"})
    places = {"noise": [0, 0], "decode": [300, 0]}
    screen = open_screen(Document(whole, view=View(positions=places)), catalogue)
    screen.double_click(screen.row("decode.tiled"))
    assert screen.document.node("decode").values["tiled"] is True
    screen.double_click(screen.row("noise.batch"))
    line = QApplication.focusWidget()
    wheel = QWheelEvent(
        QPointF(4, 4),
        QPointF(line.mapToGlobal(line.rect().center())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(line, wheel)
    screen.enter()
    assert screen.document.node("noise").values["batch"] == 2


def test_the_selection_is_told_when_its_nodes_go(screen):
    heard = []
    screen.view.select(["noise", "save"])
    screen.view.selected.connect(heard.append)
    screen.document.perform(RemoveNodes(["noise"]))
    assert heard == [["save"]]
    screen.view.select([])
    screen.view.select(["sampler", "schedule"])
    path = screen.view.group()
    screen.view.open(path)
    screen.view.select([f"{path}/sampler"])
    screen.document.undo()
    assert screen.view.path == ""
    assert heard[-1] == screen.view.selection() == []
