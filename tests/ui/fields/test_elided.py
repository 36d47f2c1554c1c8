"""Buttons that elide their text."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont

from nodeforge.ui.common.icons import icon
from nodeforge.ui.fields.elided import ElidedButton

_TEXTS = [
    "Guidance · guidance",
    "Schedule · schedule",
    "Prompt · conditioning",
    "Load model · model",
    "a & b.safetensors",
    "illustriousXL_v01.safetensors",
    "Größe · Ärger",
]


@pytest.mark.parametrize("size", [8, 9, 10, 11, 12.5, 13])
@pytest.mark.parametrize("text", _TEXTS)
def test_a_button_of_its_preferred_size_shows_its_whole_text(qtbot, text: str, size: float):
    button = ElidedButton()
    qtbot.addWidget(button)
    font = QFont(button.font())
    font.setPointSizeF(size)
    button.setFont(font)
    button.setIcon(icon("link"))
    button.setText(text)
    button.show()
    button.resize(48, 24)
    assert button.shown_text() != text
    button.resize(button.sizeHint())
    assert button.shown_text() == text
