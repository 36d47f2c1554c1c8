"""Reads a docstring in Google's style: summary, body, ``Args:`` and ``Returns:``."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_SECTION = re.compile(r"^(Args|Returns|Raises):\s*$")
_ENTRY = re.compile(r"^(\w+):\s*(.*)$")


@dataclass
class Docstring:
    """A docstring's parts; `args` and `returns` map a name to its sentence."""

    summary: str = ""
    body: str = ""
    args: dict[str, str] = field(default_factory=dict)
    returns: dict[str, str] = field(default_factory=dict)


def parse(text: str | None) -> Docstring:
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for line in inspect.cleandoc(text or "").splitlines():
        if header := _SECTION.match(line):
            current = header[1]
            sections[current] = []
        else:
            sections[current].append(line)
    summary, _, rest = "\n".join(sections[""]).strip().partition("\n\n")
    return Docstring(
        summary=" ".join(summary.split()),
        body=rest.strip(),
        args=_entries(sections.get("Args", [])),
        returns=_entries(sections.get("Returns", [])),
    )


def _entries(lines: list[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc("\n".join(["", *lines])).splitlines():
        if entry := _ENTRY.match(line):
            name = entry[1]
            entries[name] = entry[2].strip()
        elif name and line.strip():
            entries[name] = f"{entries[name]} {line.strip()}".strip()
    return entries
