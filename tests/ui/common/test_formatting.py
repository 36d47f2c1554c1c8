"""What the window makes of numbers and docstrings."""

import pytest
from PySide6.QtCore import QPointF

from nodeforge.spec import Catalogue
from nodeforge.ui.common.formatting import edit_title, plain_text, tooltip_html
from nodeforge.ui.common.number_text import format_number
from nodeforge.ui.graph_view.items.node_layout import format_value
from nodeforge.ui.inspector.panel import help_text


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        ("`(word:1.2)` counts\nmore.", "“(word:1.2)” counts more."),
        ("goes on from `start_at`.", "goes on from “start at”."),
        ("Say ``embedding:name``.\n\n  Twice.", "Say “embedding:name”.\n\nTwice."),
        ("512*1.5*2 is no mark, nor is one `alone.", "512*1.5*2 is no mark, nor is one `alone."),
    ],
)
def test_docstrings_read_as_prose(doc, expected):
    assert plain_text(doc) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [(5.0, "5"), (5, "5"), (7.5, "7.5"), (0.123456789, "0.123457"), (-0.5, "-0.5"), (0.0, "0"),
     (2e-7, "2e-07"), (1e20, "1e+20"), (14.6146, "14.6146"), (float("inf"), "inf")],
)  # fmt: skip
def test_a_number_is_written_alike_in_node_and_inspector(value: float, text: str):
    """Window C32: 5.0 in the node, 5 in the inspector."""
    guidance = Catalogue.shipped()["sampling.guidance"].input["scale"]
    assert format_number(value) == text
    assert format_value(value, guidance) == text


def test_a_tooltip_shows_angle_brackets_and_breaks_its_lines():
    assert tooltip_html("Reads `<lora:x>` & more.\n\nOnce.") == (
        "<p>Reads “&lt;lora:x&gt;” &amp; more.</p><p>Once.</p>"
    )
    assert tooltip_html("") == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("link denoise.text_encoder", "link denoise · text encoder"),
        ("change clip_skip of group/prompt_2", "change clip skip of group/prompt 2"),
        ("move link to grid.images[1]", "move link to grid · images[1]"),
        ("move 3 nodes", "move 3 nodes"),
        ("relink models to v1.5", "relink models to v1.5"),
    ],
)
def test_steps_are_named_by_ports_as_they_read(name, expected):
    assert edit_title(name) == expected


def test_no_description_of_a_shipped_node_keeps_its_marks():
    for spec in Catalogue.shipped().values():
        docs = [spec.summary, help_text(spec.doc, spec.summary)]
        docs += [port.doc for port in (*spec.inputs, *spec.outputs)]
        assert not [doc for doc in docs if "`" in plain_text(doc)], spec.type


def test_the_search_and_the_library_show_prose(window):
    window.workspace.new()
    view = window.area.view
    view.node_search.open_at(QPointF(10, 10))
    view.node_search.popup.line.setText("load embedding")
    popup = view.node_search.popup.list
    details = [popup.item(row).data(0x100).detail for row in range(popup.count())]
    assert "Load a textual inversion, used in prompts as “embedding:name”" in details[0]
    tips = [item.toolTip(0) for item in items_of(window.library.tree)]
    assert any("“embedding:name”" in text for text in tips)


def items_of(tree):
    for index in range(tree.topLevelItemCount()):
        parent = tree.topLevelItem(index)
        yield from (parent.child(row) for row in range(parent.childCount()))
