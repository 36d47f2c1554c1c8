"""Format 3: the form is a list of sections with entries; before, an object by ``path.port``."""

from __future__ import annotations

from typing import Any

_LAST = float("inf")
_KINDS = {
    "label": (str,),
    "help": (str,),
    "minimum": (int, float),
    "maximum": (int, float),
}
"""Fields of an entry, and what they are."""


def step(raw: dict[str, Any]) -> dict[str, Any]:
    """`raw` of format 2 in format 3: its entries in one section without a title.

    What format 2 would not have shown, as a label that is a number, is left out.
    """
    form = raw.get("form")
    if not isinstance(form, dict):
        return raw
    entries = sorted(form.items(), key=lambda entry: (_order(entry[1]), entry[0]))
    shown = [{**_shown(record), "port": port} for port, record in entries if "." in port]
    return {**raw, "form": [{"entries": shown}] if shown else []}


def _order(record: Any) -> float:
    order = record.get("order") if isinstance(record, dict) else None
    return float(order) if isinstance(order, int | float) else _LAST


def _shown(record: Any) -> dict[str, Any]:
    known = record if isinstance(record, dict) else {}
    return {
        name: value
        for name, value in known.items()
        if name != "order" and type(value) in _KINDS.get(name, (type(value),))
    }
