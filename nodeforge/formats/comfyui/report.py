"""What became of a ComfyUI workflow: told to a person, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Became:
    """What one node of ComfyUI became.

    Args:
        id: There.
        kind: Its class there.
        title: What the person called it.
        nodes: Ids of ours, the one that stands for it first.
        instead: Where it is found without a node of its own.
        missing: Why it has no counterpart here; its node is a placeholder then.
    """

    id: str
    kind: str
    title: str = ""
    nodes: list[str] = field(default_factory=list)
    instead: str = "a value of what it is linked to"
    missing: str = ""

    @property
    def told(self) -> str:
        title = f" “{self.title}”" if self.title else ""
        return f"{self.id} {self.kind}{title}"


@dataclass
class Report:
    """What an import did.

    Args:
        became: In the order of the file.
        differs: What makes other pictures than in ComfyUI, to the nodes there that it is about;
            none for what is about all.
        oddities: What of the file could not be read.
        pictures: Files that must be brought, as the workflow names them without holding them.
    """

    became: list[Became] = field(default_factory=list)
    differs: dict[str, list[str]] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[Became]:
        return [each for each in self.became if each.missing]

    def differ(self, text: str, node: str = "") -> None:
        nodes = self.differs.setdefault(text, [])
        if node and node not in nodes:
            nodes.append(node)

    @property
    def summary(self) -> str:
        """One sentence or two."""
        made = sum(len(each.nodes) for each in self.became)
        count, missing = len(self.became), len(self.missing)
        text = f"{count} {'node' if count == 1 else 'nodes'} of ComfyUI became {made}."
        if missing:
            has = "has no counterpart and is a placeholder"
            have = "have no counterpart and are placeholders"
            text += f" {missing} {has if missing == 1 else have}."
        return text

    def lines(self) -> Iterator[str]:
        """All of it as text."""
        yield self.summary
        for each in self.became:
            if not each.missing:
                yield f"  {each.told}: {', '.join(each.nodes) or each.instead}"
        yield from self.warnings()

    def warnings(self) -> Iterator[str]:
        """What a person must know, without what went well."""
        if self.missing:
            yield "No counterpart; a placeholder keeps its values:"
        for each in self.missing:
            yield f"  {each.told} ({', '.join(each.nodes)}): {each.missing}"
        if self.differs:
            yield "Other than in ComfyUI:"
        for text, nodes in self.differs.items():
            yield f"  {text}{f' (node {_few(nodes)})' if nodes else ''}"
        if self.pictures:
            named = ", ".join(dict.fromkeys(self.pictures))
            yield f"Pictures to choose, or to copy to the folder for inputs: {named}"
        if self.oddities:
            yield "In the file:"
        yield from (f"  {text}" for text in dict.fromkeys(self.oddities))

    def to_json(self) -> dict[str, Any]:
        return {
            "became": [
                {
                    "id": each.id,
                    "class": each.kind,
                    "title": each.title,
                    "nodes": each.nodes,
                    **({"missing": each.missing} if each.missing else {}),
                }
                for each in self.became
            ],
            "differs": [{"text": t, "nodes": nodes} for t, nodes in self.differs.items()],
            "oddities": list(dict.fromkeys(self.oddities)),
            "pictures": list(dict.fromkeys(self.pictures)),
        }


def _few(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
