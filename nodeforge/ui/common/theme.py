"""The theme: colours by role, font sizes, palette and style sheet, dark and light.

Other modules name no colours: they ask the theme for one by its role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from nodeforge.ui.common.style_sheet import style_sheet

SMALL, NORMAL, LARGE, HUGE = 11, 12, 13, 16
"""Font sizes, pixels; no others are used."""

STEP = 4
"""Spacing unit, pixels."""

RADIUS = 6

_PORTS = {
    "model": "#b39ddb",
    "text_encoder": "#f2d24b",
    "vae": "#ff7a7a",
    "conditioning": "#ffa94d",
    "latent": "#f48fd6",
    "noise": "#c98bdb",
    "schedule": "#9ccc65",
    "sampler": "#80cbc4",
    "guidance": "#4fc3f7",
    "image": "#64b5f6",
    "video": "#7986cb",
    "audio": "#f48fb1",
    "mask": "#81c784",
    "region": "#aed581",
    "controlnet": "#6ee7b7",
    "text": "#d7ccc8",
    "path": "#d7ccc8",
    "integer": "#b0bec5",
    "float": "#b0bec5",
    "boolean": "#b0bec5",
    "any": "#9e9e9e",
}

_PORTS_ON_LIGHT = {
    "model": "#6f4fc0",
    "text_encoder": "#a17d00",
    "vae": "#d23c3c",
    "conditioning": "#cc6a00",
    "latent": "#c73a9f",
    "noise": "#8f41a8",
    "schedule": "#4f8a1d",
    "sampler": "#1d857b",
    "guidance": "#0b84b8",
    "image": "#1f6fc2",
    "video": "#3f51b5",
    "audio": "#b0306a",
    "mask": "#2f8a35",
    "region": "#5f8220",
    "controlnet": "#0f8f62",
    "text": "#7d655c",
    "path": "#7d655c",
    "integer": "#546e7a",
    "float": "#546e7a",
    "boolean": "#546e7a",
    "any": "#757575",
}

_CATEGORIES = {
    "models": "model",
    "text": "conditioning",
    "conditioning": "conditioning",
    "latent": "latent",
    "sampling": "sampler",
    "image": "image",
    "mask": "mask",
    "values": "float",
    "graph": "guidance",
    "control": "controlnet",
    "video": "video",
    "audio": "audio",
}
"""Category to the value type whose colour tints its nodes."""


@dataclass(frozen=True, eq=False)
class Theme:
    """One set of colours.

    Args:
        name: ``dark`` or ``light``.
        window: Behind everything.
        panel: Docks and tabs.
        raised: Fields, buttons, nodes.
        line: Borders and the grid.
        text: Text, at least 4.5:1 on window, panel and raised.
        dim: Text that matters less, at least 4.5:1, too.
        accent: Selected, focused or running items.
    """

    name: str
    window: QColor
    panel: QColor
    raised: QColor
    line: QColor
    text: QColor
    dim: QColor
    accent: QColor
    ok: QColor
    warn: QColor
    error: QColor
    on_accent: QColor
    ports: Mapping[str, str] = field(repr=False)

    @property
    def is_dark(self) -> bool:
        return self.window.lightness() < 128

    def port_colour(self, type: str) -> QColor:
        """The colour of ports and links of a value type; that of ``any`` for an unknown one."""
        return QColor(self.ports.get(type, self.ports["any"]))

    def category_colour(self, category: str) -> QColor:
        """The colour of a category of node types."""
        return self.port_colour(_CATEGORIES.get(category, "any"))

    def font(self, size: int = NORMAL, *, bold: bool = False) -> QFont:
        """The system's font in one of the four sizes (pixels)."""
        font = QFont(QApplication.font())
        font.setPixelSize(size)
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def colours(self) -> dict[str, str]:
        """Colours by name, ``#rrggbb``."""
        return {name: getattr(self, name).name() for name in _TOKENS}

    def palette(self) -> QPalette:
        """The colours as a QPalette."""
        palette = QPalette()
        role, off = QPalette.ColorRole, QPalette.ColorGroup.Disabled
        for token, roles in _ROLES.items():
            for each in roles:
                palette.setColor(role[each], getattr(self, token))
        for each in ("WindowText", "Text", "ButtonText", "HighlightedText"):
            palette.setColor(off, role[each], self.dim)
        palette.setColor(off, role.Highlight, self.line)
        return palette


_TOKENS = (
    *("window", "panel", "raised", "line", "text", "dim"),
    *("accent", "ok", "warn", "error", "on_accent"),
)

_ROLES = {
    "window": ("Window", "Dark"),
    "panel": ("Base", "AlternateBase"),
    "raised": ("Button", "ToolTipBase", "Light"),
    "line": ("Mid", "Midlight", "Shadow"),
    "text": ("WindowText", "Text", "ButtonText", "ToolTipText", "BrightText"),
    "dim": ("PlaceholderText",),
    "accent": ("Highlight", "Link", "LinkVisited", "Accent"),
    "on_accent": ("HighlightedText",),
}


def _theme(name: str, ports: Mapping[str, str], **tokens: str) -> Theme:
    colours = {token: QColor(value) for token, value in tokens.items()}
    return Theme(name, ports=MappingProxyType(dict(ports)), **colours)


DARK = _theme(
    "dark",
    _PORTS,
    window="#1e1f22",
    panel="#26282c",
    raised="#2f3237",
    line="#3c4046",
    text="#e4e6ea",
    dim="#9aa0a8",
    accent="#5b9dff",
    ok="#58c27d",
    warn="#e8b339",
    error="#f0616d",
    on_accent="#0d1526",
)

LIGHT = _theme(
    "light",
    _PORTS_ON_LIGHT,
    window="#e6e8ec",
    panel="#f4f5f7",
    raised="#ffffff",
    line="#c6cbd2",
    text="#1c2026",
    dim="#565d67",
    accent="#1b66d6",
    ok="#1c7a3d",
    warn="#8a5d00",
    error="#c0273a",
    on_accent="#ffffff",
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT)}


def apply(app: QApplication, theme: Theme) -> None:
    """Apply `theme` to the whole application; icons follow the palette by themselves."""
    app.setStyle("Fusion")
    app.setPalette(theme.palette())
    font = app.font()
    font.setPixelSize(NORMAL)
    app.setFont(font)
    app.setStyleSheet(style_sheet(theme.name, theme.colours()))
