"""Save, open, compare: whatever is done in the window, its file holds; undo takes it back."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nodeforge.formats import read, write
from nodeforge.graph.document import Document
from nodeforge.ui.window.main_window import MainWindow
from support.graphs import documents
from tests.ui.graph_view.conftest import agree
from tests.ui.graph_view.test_graph_scene_property import Pointer

PLAIN, CONTROL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
KEYS = [
    (Qt.Key.Key_Z, CONTROL),
    (Qt.Key.Key_Y, CONTROL),
    (Qt.Key.Key_A, CONTROL),
    (Qt.Key.Key_D, CONTROL),
    (Qt.Key.Key_C, CONTROL),
    (Qt.Key.Key_V, CONTROL),
    (Qt.Key.Key_X, CONTROL),
    (Qt.Key.Key_G, CONTROL),
    (Qt.Key.Key_Delete, PLAIN),
    (Qt.Key.Key_M, PLAIN),
    (Qt.Key.Key_B, PLAIN),
    (Qt.Key.Key_C, PLAIN),
    (Qt.Key.Key_L, PLAIN),
]
SOME = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
STEPS = st.lists(st.one_of(st.integers(0, 2**32), st.sampled_from(KEYS)), max_size=8)


def check(window: MainWindow, folder: Path, document: Document, steps: list) -> None:
    """Open `document`, do `steps` (a key, or a random deed by its seed), save, open, compare."""
    file = folder / "mine.json"
    file.write_bytes(write(document))
    window.files.open(file)
    opened, view = window.workspace.current, window.area.view
    assert opened is not None
    assert view is not None
    first = read(write(opened.document))
    for step in steps:
        if isinstance(step, tuple):
            QTest.keyClick(view.session.viewer, *step)
        else:
            Pointer(view, step).act()
        agree(view)
    QTest.keyClick(window, Qt.Key.Key_S, CONTROL)
    assert not opened.modified
    assert file.read_bytes() == write(opened.document)
    saved = read(write(opened.document))
    undone = 0
    while opened.document.undo():
        undone += 1
    # the models that saving has recorded are no part of what is undone
    assert opened.document == replace(first, lock=opened.document.lock)
    agree(view)
    for _ in range(undone):
        opened.document.redo()
    assert read(write(opened.document)) == saved  # entries of the form are numbered anew
    assert not opened.modified
    close(window)
    window.files.open(file)
    again = window.workspace.current
    assert again is not None
    assert again.document == saved
    agree(window.area.view)
    close(window)


def close(window: MainWindow) -> None:
    window.files.close(window.workspace.current)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@SOME
@given(documents(), STEPS)
def test_the_file_the_picture_and_the_document_agree(window, tmp_path, document, steps):
    check(window, tmp_path, document, steps)


@pytest.mark.slow
@MANY
@given(documents(), STEPS)
def test_the_file_the_picture_and_the_document_agree_500_times(window, tmp_path, document, steps):
    check(window, tmp_path, document, steps)
