"""Every control says what it is for to those who do not see it."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from nodeforge.graph.document import Document
from nodeforge.graph.edits import SetValue
from nodeforge.graph.model import Node
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue, ModelFileWidget
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.fields.model_field import ModelDialog
from nodeforge.ui.preferences import Preferences

CONTROLS = (QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox,
            QLineEdit, QPlainTextEdit, QTabBar)  # fmt: skip

WHOLE = (QAbstractSpinBox, QComboBox, QLineEdit, QTabBar)
OWN = (QScrollBar, QHeaderView)


def controls(root: QWidget) -> Iterator[tuple[QWidget, str]]:
    """What can be used within `root`, and its name; the parts of Qt's own controls are left out."""
    for widget, around in within(root, root):
        is_part = isinstance(around[0], WHOLE) or isinstance(around[1], WHOLE)
        is_qts = widget.objectName().startswith("qt_") and not isinstance(widget, QTabBar)
        if not isinstance(widget, CONTROLS) or isinstance(widget, OWN) or is_part or is_qts:
            continue
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        yield widget, widget.accessibleName() or text


def within(root: QWidget, around: QWidget) -> Iterator[tuple[QWidget, tuple[QWidget, QWidget]]]:
    """Each widget in `root`, its parent and its parent's parent, walked from above.

    Asked for its parent, PySide may give the wrapper of a deleted layout item at that address.
    """
    for child in root.children():
        if isinstance(child, QWidget):
            yield child, (root, around)
            yield from within(child, root)


def nameless(root: QWidget) -> list[str]:
    return [type(widget).__name__ for widget, name in controls(root) if not name.strip()]


@pytest.fixture
def all_nodes(window):
    """One node of every type, by its type."""
    document = Document()
    for number, type_id in enumerate(Catalogue.shipped()):
        document.graph.nodes[f"n{number}"] = Node(type_id)
    window.workspace.add(OpenDocument(document, name="all"))
    return {node.type: name for name, node in document.graph.nodes.items()}


def test_every_control_of_every_node_has_a_name_of_its_own(window, all_nodes):
    for type_id, name in all_nodes.items():
        window.inspector.show_nodes(window.workspace.current, [name])
        names = [name for _, name in controls(window.inspector)]
        assert not nameless(window.inspector), type_id
        assert len(names) == len(set(names)), (type_id, sorted(names))
        assert not [name for name in names if "_" in name], type_id


def test_a_chosen_file_is_said(window, all_nodes):
    name = all_nodes["models.load_text_encoder"]
    window.inspector.show_nodes(window.workspace.current, [name])
    window.workspace.current.perform(SetValue(name, "second", "clip_g.safetensors"))
    editor = window.inspector.row("second").field.editor()
    assert editor.accessibleName() == "second: clip_g.safetensors"
    assert isinstance(window.workspace.catalogue["models.load_text_encoder"].input["second"].widget,
                      ModelFileWidget)  # fmt: skip


def test_every_preference_has_a_name(window):
    dialog = Preferences(window.workspace, window.commands, window)
    assert not nameless(dialog)


def test_every_control_of_the_canvas_has_a_name(window):
    window.workspace.new()
    window.area.show_view("canvas")
    tab = window.area.canvas
    tab.import_picture(shipped("resources") / "examples" / "fox.png", "fox.png")
    assert not nameless(window)
    assert "slider" not in [name for _, name in controls(window)]


def test_every_control_of_the_window_has_a_name(window, all_nodes):
    assert not nameless(window)
    assert not nameless(ModelDialog(window.workspace, "checkpoint", window))
