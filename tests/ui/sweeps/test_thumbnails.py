"""Pictures of a wall are decoded a few at a time."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QSize

from nodeforge.imaging import PictureFormat, encode
from nodeforge.ui.sweeps import cell_painter
from nodeforge.ui.sweeps.cell_painter import Thumbnails

SIZE = QSize(100, 100)


def test_what_one_turn_has_no_time_for_comes_in_the_next(qtbot, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(cell_painter, "_BUDGET", -1.0)
    (tmp_path / "a.png").write_bytes(encode(np.zeros((400, 200, 3), np.uint8), PictureFormat.PNG))
    parent = QObject()
    thumbnails = Thumbnails(parent)
    with qtbot.waitSignal(thumbnails.wanted):
        assert thumbnails.get(tmp_path / "a.png", SIZE) is None
    monkeypatch.undo()
    made = thumbnails.get(tmp_path / "a.png", SIZE)
    assert made is not None
    assert (made.width(), made.height()) == (64, 128)
    assert thumbnails.get(tmp_path / "a.png", SIZE) is made
    assert thumbnails.get(tmp_path / "gone.png", SIZE) is None
