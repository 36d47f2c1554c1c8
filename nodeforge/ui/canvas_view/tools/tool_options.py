"""How each tool is set and which colours are at hand: the person's, for every canvas."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QColor

from nodeforge.canvas import Colour
from nodeforge.spec import ChoiceWidget, NumberWidget, ToggleWidget

_STORE = "canvas/kit"
_SWATCHES = (
    *("#000000", "#ffffff", "#7f7f7f", "#c3272b", "#e8792b", "#f3c13a", "#5a9e3d", "#2f9e8f"),
    *("#2f6fd0", "#6a4fc0", "#c0459b", "#8a5a34", "#f2c9a5", "#3b2a20", "#9fd3f0", "#1d2b4f"),
)


@dataclass(frozen=True)
class Option:
    """Something about a tool that can be set.

    Args:
        widget: How it is edited.
        default: Its first value; an option of a menu, a number, or whether it is on.
        unit: What a number counts.
    """

    name: str
    label: str
    widget: NumberWidget | ChoiceWidget | ToggleWidget
    default: Any
    unit: str = ""

    @property
    def whole(self) -> bool:
        return isinstance(self.default, int)


class Kit(QObject):
    """Options of tools by name, two colours and the swatches; remembered between starts.

    Args:
        store: Where they are remembered.
    """

    changed = Signal(str, str)
    """The tool and its option."""
    colours_changed = Signal()

    def __init__(self, store: QSettings) -> None:
        super().__init__()
        self._store = store
        kept = _read(store)
        self._options: dict[str, dict[str, Any]] = kept.get("options", {})
        self._front = QColor(kept.get("front", "#000000"))
        self._back = QColor(kept.get("back", "#ffffff"))
        self.swatches: list[str] = list(kept.get("swatches", _SWATCHES))

    def value(self, tool: str, option: Option) -> Any:
        found = self._options.get(tool, {}).get(option.name, option.default)
        if isinstance(option.widget, ChoiceWidget):
            return found if found in option.widget.options else option.default
        return found if type(found) in (type(option.default), int, float) else option.default

    def set(self, tool: str, option: Option, value: Any) -> None:
        widget = option.widget
        if isinstance(widget, NumberWidget):
            low, high = widget.minimum, widget.maximum
            value = value if low is None else max(low, value)
            value = value if high is None else min(high, value)
            value = round(value) if option.whole else value
        if self.value(tool, option) != value:
            self._options.setdefault(tool, {})[option.name] = value
            self._keep()
            self.changed.emit(tool, option.name)

    @property
    def front(self) -> QColor:
        return QColor(self._front)

    @property
    def back(self) -> QColor:
        return QColor(self._back)

    @property
    def ink(self) -> Colour:
        """The colour that is painted with."""
        return rgba(self._front)

    def set_front(self, colour: QColor) -> None:
        self._set_colours(colour, self._back)

    def set_back(self, colour: QColor) -> None:
        self._set_colours(self._front, colour)

    def swap_colours(self) -> None:
        self._set_colours(self._back, self._front)

    def plain_colours(self) -> None:
        self._set_colours(QColor("#000000"), QColor("#ffffff"))

    def keep_swatch(self, colour: QColor) -> None:
        """Put a colour first among the swatches; the last one goes."""
        name = colour.name()
        rest = [each for each in self.swatches if each != name]
        self.swatches = [name, *rest][: len(_SWATCHES)]
        self._keep()
        self.colours_changed.emit()

    def _set_colours(self, front: QColor, back: QColor) -> None:
        if (front, back) != (self._front, self._back):
            self._front, self._back = QColor(front), QColor(back)
            self._keep()
            self.colours_changed.emit()

    def _keep(self) -> None:
        kept = {
            "options": self._options,
            "front": self._front.name(QColor.NameFormat.HexArgb),
            "back": self._back.name(QColor.NameFormat.HexArgb),
            "swatches": self.swatches,
        }
        self._store.setValue(_STORE, json.dumps(kept))


def rgba(colour: QColor) -> Colour:
    return colour.red(), colour.green(), colour.blue(), colour.alpha()


def number(
    name: str, label: str, default: float, low: float, high: float, step: float, unit: str = ""
) -> Option:
    return Option(name, label, NumberWidget(low, high, step), default, unit)


def choice(name: str, label: str, options: Sequence[str], default: str) -> Option:
    return Option(name, label, ChoiceWidget(tuple(options)), default)


def toggle(name: str, label: str, default: bool = False) -> Option:
    return Option(name, label, ToggleWidget(), default)


def _read(store: QSettings) -> dict[str, Any]:
    try:
        kept = json.loads(str(store.value(_STORE, "{}")))
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}
