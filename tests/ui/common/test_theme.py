"""The theme's colours: contrast as WCAG 2.1 asks for at level AA."""

import pytest
from PySide6.QtGui import QColor

from nodeforge.ui.common.theme import DARK, LIGHT, Theme

TEXT, CONTROL = 4.5, 3.0
"""Least contrast of text (1.4.3), and of what is not text (1.4.11)."""


def luminance(colour: QColor) -> float:
    """Relative luminance, 0..1 (WCAG 2.1)."""
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("ground", ["window", "panel", "raised"])
@pytest.mark.parametrize(
    ("role", "least"),
    [("text", TEXT), ("dim", TEXT), *((r, CONTROL) for r in ("accent", "ok", "warn", "error"))],
)
def test_what_is_read_stands_out(theme: Theme, ground: str, role: str, least: float):
    assert contrast(getattr(theme, role), getattr(theme, ground)) >= least


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_words_on_the_accent_are_read(theme: Theme):
    assert contrast(theme.on_accent, theme.accent) >= TEXT
