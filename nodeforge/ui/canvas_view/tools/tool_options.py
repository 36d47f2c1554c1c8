"""Tool options, colours and swatches: the user's, shared by all canvases."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor

from nodeforge.canvas import Colour
from nodeforge.spec import ChoiceWidget, NumberWidget, ToggleWidget
from nodeforge.ui.common.preference_store import PreferenceStore, json_object

PERCENT = "%"
"""The unit of shares: 0.43 is shown as 43 %."""

_STORE = "canvas/kit"
_SWATCHES = (
    *("#000000", "#ffffff", "#7f7f7f", "#c3272b", "#e8792b", "#f3c13a", "#5a9e3d", "#2f9e8f"),
    *("#2f6fd0", "#6a4fc0", "#c0459b", "#8a5a34", "#f2c9a5", "#3b2a20", "#9fd3f0", "#1d2b4f"),
)


@dataclass(frozen=True)
class ToolOption:
    """An option of a tool.

    Args:
        widget: How it is edited.
        default: The default value.
        unit: The unit of a number; `PERCENT` for a share.
    """

    name: str
    label: str
    widget: NumberWidget | ChoiceWidget | ToggleWidget
    default: Any
    unit: str = ""

    @property
    def is_integer(self) -> bool:
        return isinstance(self.default, int)


class ToolOptions(QObject):
    """Values of tool options, foreground and background colour, swatches; stored between starts.

    Args:
        store: Where they are stored.
    """

    changed = Signal(str, str)
    """Emitted with the names of the tool and its option."""
    colours_changed = Signal()

    def __init__(self, store: PreferenceStore) -> None:
        super().__init__()
        self._store = store
        kept = store.read(_STORE, {}, json_object)
        self._kept, options = kept, kept.get("options")
        self._options: dict[str, dict[str, Any]] = (
            {tool: values for tool, values in options.items() if isinstance(values, dict)}
            if isinstance(options, dict)
            else {}
        )
        self._foreground = _colour(kept.get("front"), "#000000")
        self._background = _colour(kept.get("back"), "#ffffff")
        swatches = kept.get("swatches")
        self.swatches: list[str] = (
            [name for name in swatches if isinstance(name, str) and QColor.isValidColorName(name)]
            if isinstance(swatches, list)
            else list(_SWATCHES)
        )

    def value(self, tool: str, option: ToolOption) -> Any:
        similar_area = self._options.get(tool, {}).get(option.name, option.default)
        if isinstance(option.widget, ChoiceWidget):
            return similar_area if similar_area in option.widget.options else option.default
        return similar_area if _fits(similar_area, option) else option.default

    def set(self, tool: str, option: ToolOption, value: Any) -> None:
        widget = option.widget
        if isinstance(widget, NumberWidget):
            low, high = widget.minimum, widget.maximum
            value = value if low is None else max(low, value)
            value = value if high is None else min(high, value)
            value = round(value) if option.is_integer else value
        if self.value(tool, option) != value:
            self._options.setdefault(tool, {})[option.name] = value
            self._save()
            self.changed.emit(tool, option.name)

    @property
    def foreground(self) -> QColor:
        return QColor(self._foreground)

    @property
    def background(self) -> QColor:
        return QColor(self._background)

    @property
    def paint_colour(self) -> Colour:
        """The foreground colour as RGBA."""
        return rgba(self._foreground)

    def set_foreground(self, colour: QColor) -> None:
        self._set_colours(colour, self._background)

    def set_background(self, colour: QColor) -> None:
        self._set_colours(self._foreground, colour)

    def swap_colours(self) -> None:
        self._set_colours(self._background, self._foreground)

    def reset_colours(self) -> None:
        self._set_colours(QColor("#000000"), QColor("#ffffff"))

    def add_swatch(self, colour: QColor) -> None:
        """Insert a colour as the first swatch and drop the last one."""
        name = colour.name()
        rest = [each for each in self.swatches if each != name]
        self.swatches = [name, *rest][: len(_SWATCHES)]
        self._save()
        self.colours_changed.emit()

    def _set_colours(self, foreground: QColor, background: QColor) -> None:
        if (foreground, background) != (self._foreground, self._background):
            self._foreground, self._background = QColor(foreground), QColor(background)
            self._save()
            self.colours_changed.emit()

    def _save(self) -> None:
        kept = {
            **self._kept,
            "options": self._options,
            "front": self._foreground.name(QColor.NameFormat.HexArgb),
            "back": self._background.name(QColor.NameFormat.HexArgb),
            "swatches": self.swatches,
        }
        self._store.setValue(_STORE, json.dumps(kept))


def rgba(colour: QColor) -> Colour:
    return colour.red(), colour.green(), colour.blue(), colour.alpha()


def number_option(
    name: str, label: str, default: float, low: float, high: float, step: float, unit: str = ""
) -> ToolOption:
    return ToolOption(name, label, NumberWidget(low, high, step), default, unit)


def choice_option(name: str, label: str, options: Sequence[str], default: str) -> ToolOption:
    return ToolOption(name, label, ChoiceWidget(tuple(options)), default)


def toggle_option(name: str, label: str, default: bool = False) -> ToolOption:
    return ToolOption(name, label, ToggleWidget(), default)


def _fits(value: Any, option: ToolOption) -> bool:
    """Whether a stored value is one that the option can have."""
    widget = option.widget
    if not isinstance(widget, NumberWidget):
        return type(value) is type(option.default)
    low = -math.inf if widget.minimum is None else widget.minimum
    high = math.inf if widget.maximum is None else widget.maximum
    return type(value) in (int, float) and low <= value <= high


def _colour(stored: object, otherwise: str) -> QColor:
    known = isinstance(stored, str) and QColor.isValidColorName(stored)
    return QColor(str(stored) if known else otherwise)
