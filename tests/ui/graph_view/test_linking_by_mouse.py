"""Links are drawn, refused, pulled off, cut and healed with the mouse."""

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication
from ui.graph_view.conftest import PLACES

from nodeforge.graph.document import Document, View
from nodeforge.graph.edits import Unlink
from nodeforge.graph.model import Input
from nodeforge.spec import Catalogue
from support.graphs import graph, text_to_image

SHIPPED = Catalogue.shipped()


def test_a_drag_between_ports_links_them(screen):
    screen.document.perform(Unlink(Input("save", "image")))
    screen.drag(
        screen.port("decode.image", is_input=False), screen.port("save.image", is_input=True)
    )
    assert screen.links["save.image"] == "decode.image"
    assert screen.document.history.undo_name == "link save.image"
    screen.check()


def test_a_drag_may_begin_at_the_input(screen):
    screen.document.perform(Unlink(Input("save", "image")))
    screen.drag(
        screen.port("save.image", is_input=True), screen.port("decode.image", is_input=False)
    )
    assert screen.links["save.image"] == "decode.image"


def test_a_new_link_replaces_the_old_one_and_undo_brings_it_back(screen):
    screen.drag(
        screen.port("negative.conditioning", is_input=False),
        screen.port("denoise.positive", is_input=True),
    )
    assert screen.links["denoise.positive"] == "negative.conditioning"
    screen.check()
    screen.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert screen.links["denoise.positive"] == "prompt.conditioning"
    screen.check()


def test_a_link_that_cannot_be_is_refused_while_dragging_with_the_reason(screen):
    start = screen.port("model.vae", is_input=False)
    end = screen.port("denoise.model", is_input=True)
    before = screen.links
    screen.drag(start, end, release=False)
    hint = screen.view._hint
    assert hint.isVisible()
    assert "takes model" in hint.text()
    screen.release(end)
    assert screen.links == before
    assert "takes model" in screen.refused[-1]
    assert "takes model" in hint.text()  # it stays for a while, and goes with the next press
    screen.click(screen.title("model"))
    assert not hint.isVisible()
    screen.check()


def test_a_ring_is_refused(screen):
    screen.drag(
        screen.port("denoise.latent", is_input=False), screen.port("denoise.latent", is_input=True)
    )
    assert "ring" in screen.refused[-1]
    screen.check()


def test_a_link_pulled_off_an_input_and_dropped_on_nothing_is_gone(screen):
    start = screen.port("decode.latent", is_input=True)
    screen.drag(start, start + QPointF(-30, 200))
    assert "decode.latent" not in screen.links
    screen.check()
    screen.document.undo()
    assert screen.links["decode.latent"] == "denoise.latent"
    screen.check()


def test_a_link_pulled_off_moves_to_another_input_in_one_step(screen):
    screen.drag(
        screen.port("denoise.positive", is_input=True),
        screen.port("denoise.negative", is_input=True),
    )
    assert "denoise.positive" not in screen.links
    assert screen.links["denoise.negative"] == "prompt.conditioning"
    screen.document.undo()
    assert screen.links["denoise.positive"] == "prompt.conditioning"
    assert screen.links["denoise.negative"] == "negative.conditioning"
    screen.check()


def test_a_link_dropped_on_a_node_takes_the_first_port_that_fits(screen):
    screen.document.perform(Unlink(Input("denoise", "noise")))
    body = screen.node_item("denoise").body()
    screen.drag(screen.port("noise.noise", is_input=False), body.topLeft() + QPointF(110, 250))
    assert screen.links["denoise.noise"] == "noise.noise"
    screen.check()


def test_a_stroke_with_ctrl_and_the_right_button_cuts_links(screen):
    start = screen.port("decode.image", is_input=False) + QPointF(30, -80)
    screen.drag(
        start,
        start + QPointF(0, 200),
        Qt.MouseButton.RightButton,
        Qt.KeyboardModifier.ControlModifier,
    )
    assert "save.image" not in screen.links
    assert screen.document.history.undo_name == "cut a link"
    screen.check()


def test_escape_ends_a_drag_as_if_it_had_not_been_begun(screen):
    before = screen.links
    start = screen.port("decode.latent", is_input=True)
    screen.drag(start, start + QPointF(-30, 200), release=False)
    screen.key(Qt.Key.Key_Escape)
    screen.release(start + QPointF(-30, 200))
    assert screen.links == before
    assert not len(screen.document.history)
    screen.check()


def test_deleting_a_node_heals_links_where_types_allow(open_screen):
    screen = open_screen(
        Document(
            graph(
                {"a": "image.load", "b": "image.invert", "c": "image.save"},
                "a.image > b.image",
                "b.image > c.image",
            )
        )
    )
    screen.show(screen.title("b"))
    screen.click(screen.title("b"))
    screen.key(Qt.Key.Key_Delete)
    assert screen.links == {"c.image": "a.image"}
    screen.check()
    screen.document.undo()
    assert screen.links == {"b.image": "a.image", "c.image": "b.image"}
    screen.check()


def test_a_chosen_link_is_deleted(screen):
    one = screen.port("decode.image", is_input=False)
    other = screen.port("save.image", is_input=True)
    screen.show(one)
    screen.click((one + other) / 2)
    screen.key(Qt.Key.Key_Delete)
    assert "save.image" not in screen.links
    screen.check()


def test_a_link_dropped_on_nothing_offers_what_fits_and_links_it_at_once(screen):
    start = screen.port("decode.image", is_input=False)
    screen.drag(start, start + QPointF(100, 300))
    popup = screen.view.node_search.popup
    assert popup.isVisible()
    offered = {popup.list.item(row).text() for row in range(popup.list.count())}
    assert "image.invert" in offered
    assert "sampling.noise" not in offered
    screen.type("invert")
    screen.enter()
    assert screen.links["invert.image"] == "decode.image"
    screen.check()
    screen.document.undo()
    assert "invert" not in screen.document.graph.nodes
    screen.check()
    assert QApplication.focusWidget() is screen.viewer


@pytest.mark.parametrize(
    ("start", "target", "words"),
    [
        ("denoise.latent", "sampler", "takes the type latent"),
        ("denoise.latent", "model", "takes the type latent"),
        ("denoise.latent", "denoise", "itself"),
        ("noise.noise", "decode", "takes the type noise"),
    ],
)
def test_a_link_dropped_on_a_body_where_it_fits_nowhere_says_why(screen, start, target, words):
    """window 35: no menu and no word, and the keys typed next muted the node."""
    before = screen.links
    place = screen.node_item(target).body().topLeft() + QPointF(110, 40)
    screen.drag(screen.port(start, is_input=False), place)
    assert screen.links == before
    assert words in screen.refused[-1]
    assert screen.view._hint.text() == screen.refused[-1]
    assert screen.view._hint.isVisible()
    assert not screen.view.node_search.popup.isVisible()


@pytest.mark.parametrize(
    ("start", "is_input", "first"),
    [
        ("model.text_encoder", False, "text.encode"),
        ("model.vae", False, "latent.decode"),
        ("denoise.latent", False, "latent.decode"),
        ("decode.image", False, "image.save"),
        ("denoise.noise", True, "sampling.noise"),
        ("denoise.positive", True, "text.encode"),
        ("decode.vae", True, "models.load_vae"),
    ],
)
def test_a_dropped_link_offers_first_what_is_usual_for_its_type(
    open_screen, start, is_input, first
):
    """window 33: after a text encoder's link, "Canvas region" was first."""
    screen = open_screen(Document(text_to_image(), view=View(positions=dict(PLACES))), SHIPPED)
    place = screen.port(start, is_input=is_input)
    viewer = screen.view.session.viewer
    port_item = screen.node_item(start.partition(".")[0]).port_item(
        start.partition(".")[2], is_input=is_input
    )
    screen.view.session.request_nodes(port_item, QPointF(screen.pixel(place)))
    rows = screen.view.node_search.popup.list
    entries = [rows.item(i).data(Qt.ItemDataRole.UserRole).key for i in range(rows.count())]
    assert entries[0] == first
    canvas = [each.startswith("canvas.") for each in entries]
    assert canvas == sorted(canvas)
    assert viewer.isAncestorOf(QApplication.focusWidget())
