"""The report of a ComfyUI import, as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nodeforge.formats.comfyui.comfy_graph import ModelFile


@dataclass
class ConvertedNode:
    """The result of converting one ComfyUI node.

    Args:
        id: Its id in ComfyUI.
        class_type: Its class.
        title: The user's title.
        nodes: Ids of the NodeForge nodes, the main one first.
        found_in: Where its meaning went, if it has no node of its own.
        lacks: Why it has no counterpart; its node is a placeholder then.
        is_active: It takes part in a run: it is neither muted nor bypassed.
    """

    id: str
    class_type: str
    title: str = ""
    nodes: list[str] = field(default_factory=list)
    found_in: str = "a value of what it is linked to"
    lacks: str = ""
    is_active: bool = True

    @property
    def missing(self) -> str:
        """Why a node that is needed has no counterpart; empty where it has, or is not run."""
        return self.lacks if self.is_active else ""

    @property
    def label(self) -> str:
        title = f" “{self.title}”" if self.title else ""
        return f"{self.id} {self.class_type}{title}"


@dataclass
class Report:
    """The result of an import.

    Args:
        converted: One entry for each ComfyUI node, in the order of the file.
        differences: What makes other pictures than in ComfyUI, to the ComfyUI nodes concerned;
            no nodes where it concerns all.
        problems: What in the file could not be read.
        pictures: Pictures, videos and sounds that the workflow names but does not contain.
        families: Families of models in it that NodeForge does not run yet.
        models: Model files that are not here, whose addresses the workflow says.
    """

    converted: list[ConvertedNode] = field(default_factory=list)
    differences: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    families: list[str] = field(default_factory=list)
    models: list[ModelFile] = field(default_factory=list)

    @property
    def missing(self) -> list[ConvertedNode]:
        return [each for each in self.converted if each.missing]

    def add_difference(self, text: str, node: str = "") -> None:
        nodes = self.differences.setdefault(text, [])
        if node and node not in nodes:
            nodes.append(node)

    @property
    def summary(self) -> str:
        """One or two sentences."""
        made = sum(len(each.nodes) for each in self.converted)
        count, missing = len(self.converted), len(self.missing)
        text = f"{count} {'node' if count == 1 else 'nodes'} of ComfyUI became {made}."
        if missing:
            has = "has no counterpart and is a placeholder"
            have = "have no counterpart and are placeholders"
            text += f" {missing} {has if missing == 1 else have}."
        return " ".join([text, *map(_not_run, self.families)])

    def lines(self) -> Iterator[str]:
        """The whole report as lines of text."""
        yield self.summary
        for each in self.converted:
            if not each.missing:
                yield f"  {each.label}: {', '.join(each.nodes) or each.found_in}"
        yield from self.warnings()

    def warnings(self) -> Iterator[str]:
        """Missing counterparts, differences, missing files and problems."""
        if self.missing:
            yield "No counterpart; a placeholder keeps its values:"
        for each in self.missing:
            yield f"  {each.label} ({', '.join(each.nodes)}): {each.missing}"
        if self.differences:
            yield "Other than in ComfyUI:"
        for text, nodes in self.differences.items():
            yield f"  {text}{f' (node {_few(nodes)})' if nodes else ''}"
        if self.pictures:
            named = ", ".join(dict.fromkeys(self.pictures))
            yield f"Files to choose, or to copy to the folder for inputs: {named}"
        if self.models:
            yield "Model files that are not here, and where the workflow says they are from:"
        for each in self.models:
            folder = f" (for the folder {each.directory})" if each.directory else ""
            yield f"  {each.name}{folder}: {each.url}"
        if self.problems:
            yield "In the file:"
        yield from (f"  {text}" for text in dict.fromkeys(self.problems))

    def to_json(self) -> dict[str, Any]:
        return {
            "converted": [
                {
                    "id": each.id,
                    "class": each.class_type,
                    "title": each.title,
                    "nodes": each.nodes,
                    **({"missing": each.missing} if each.missing else {}),
                }
                for each in self.converted
            ],
            "differences": [{"text": t, "nodes": nodes} for t, nodes in self.differences.items()],
            "file_problems": list(dict.fromkeys(self.problems)),
            "pictures": list(dict.fromkeys(self.pictures)),
            "families": self.families,
            "models": [each._asdict() for each in self.models],
        }


def _not_run(family: str) -> str:
    return f"{family} is a family that NodeForge does not run yet."


def _few(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
