"""The form in a workflow file: a list of sections, each with its entries in order.

``[{"title": "Picture", "entries": [{"port": "schedule.steps", "label": "Steps", "help": "...",
"minimum": 1, "maximum": 50}]}]``. Its place in the lists is the entry's order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodeforge.formats.errors import WrongShapeError
from nodeforge.graph.form import SECTION, form_sections
from nodeforge.graph.presentation import FIELDS

_ORDER = "order"


def form_from_json(raw: Any) -> dict[str, Any]:
    """The records of `nodeforge.graph.form`, by ``path.port``.

    Raises:
        WrongShapeError: it is not of this shape; the place is the spot in the JSON.
    """
    form: dict[str, Any] = {}
    for place, section in _each(raw, "form"):
        title = section.get("title", "")
        if type(title) is not str:
            raise WrongShapeError("is not text.", place=f"{place}.title")
        for spot, entry in _each(section.get("entries", []), f"{place}.entries"):
            key = entry.get("port")
            if type(key) is not str or "." not in key:
                raise WrongShapeError("is not NODE.PORT.", place=f"{spot}.port")
            if key in form:
                raise WrongShapeError(f"names '{key}' again.", place=f"{spot}.port")
            for name, read in FIELDS.items():
                if name in entry and read(entry[name]) is None:
                    kind = "text" if name in ("label", "help") else "a finite number"
                    raise WrongShapeError(f"is not {kind}.", place=f"{spot}.{name}")
            record = {name: value for name, value in entry.items() if name != "port"}
            form[key] = record | ({SECTION: title} if title else {}) | {_ORDER: len(form)}
    return form


def form_to_json(form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`form` as a file has it."""
    return [
        ({"title": title} if title else {}) | {"entries": [_entry(key, form[key]) for key in keys]}
        for title, keys in form_sections(form).items()
    ]


def _entry(key: str, record: Any) -> dict[str, Any]:
    known = record if isinstance(record, Mapping) else {}
    kept = {name: value for name, value in known.items() if name not in (SECTION, _ORDER)}
    return {**kept, "port": key}


def _each(raw: Any, place: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a list, each with its place."""
    if type(raw) is not list:
        raise WrongShapeError("is not a list.", place=place)
    found: list[tuple[str, dict[str, Any]]] = []
    for number, item in enumerate(raw):
        if type(item) is not dict:
            raise WrongShapeError("is not an object.", place=f"{place}[{number}]")
        found.append((f"{place}[{number}]", item))
    return found
