"""How an exposed input is shown: its place among others, label, help and a narrower range.

A subgraph's ports and the entries of the form have the same record, a JSON object with any of
``order``, ``label``, ``help``, ``minimum`` and ``maximum``. What is missing is as at the input that
it stands for; without an order it comes after those that have one, by name.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nodeforge.spec import NumberWidget, PortSpec


@dataclass(frozen=True)
class Presentation:
    """How an exposed input is shown.

    Args:
        order: Its place; the lowest is first. Infinite: after all others.
        label: What it is called; empty: its port's name.
        help: A sentence for the tooltip; empty: the port's.
        minimum: The least number to offer; None: the port's.
        maximum: The greatest number to offer; None: the port's.
    """

    order: float = math.inf
    label: str = ""
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None

    @classmethod
    def from_json(cls, entry: Any) -> Presentation:
        """The presentation in `entry`; what is of a wrong kind there counts as missing."""
        if not isinstance(entry, Mapping):
            return cls()
        found = {key: kind(entry[key]) for key, kind in FIELDS.items() if key in entry}
        return cls(**{key: value for key, value in found.items() if value is not None})

    def to_json(self) -> dict[str, Any]:
        """What differs from a plain presentation."""
        plain = Presentation()
        parts = {key: getattr(self, key) for key in FIELDS}
        return {key: part for key, part in parts.items() if part != getattr(plain, key)}

    def on(self, port: PortSpec) -> PortSpec:
        """`port` with this help, and with this range where both ranges share a number."""
        shown = replace(port, doc=self.help) if self.help else port
        widget = port.widget
        if not isinstance(widget, NumberWidget):
            return shown
        low, high = self._ends(widget)
        if (low, high) == (widget.minimum, widget.maximum) or not self.fits(port):
            return shown
        return replace(shown, widget=replace(widget, minimum=low, maximum=high))

    def fits(self, port: PortSpec) -> bool:
        """Whether this range and that of `port` share a number."""
        if not isinstance(port.widget, NumberWidget):
            return True
        low, high = self._ends(port.widget)
        return low is None or high is None or low <= high

    def _ends(self, widget: NumberWidget) -> tuple[float | None, float | None]:
        lows = [end for end in (widget.minimum, self.minimum) if end is not None]
        highs = [end for end in (widget.maximum, self.maximum) if end is not None]
        return max(lows, default=None), min(highs, default=None)


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _number(value: Any) -> float | None:
    return value if type(value) in (int, float) and math.isfinite(value) else None


FIELDS = {
    "order": _number,
    "label": _text,
    "help": _text,
    "minimum": _number,
    "maximum": _number,
}
"""The fields of the record, with what reads each; None is of a wrong kind."""


def in_order(ports: Collection[str], shown: Mapping[str, Any]) -> list[str]:
    """`ports` by the order in their entries of `shown`, then by name."""
    return sorted(ports, key=lambda port: (Presentation.from_json(shown.get(port)).order, port))
