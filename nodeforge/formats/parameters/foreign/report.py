"""What became of the settings in a picture of another program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nodeforge.formats.parameters.foreign.picture_settings import PictureSettings
from nodeforge.graph.document import Document


@dataclass
class SettingsReport:
    """The result of making a workflow of settings.

    Args:
        program: That made the picture.
        nodes: Ids of the nodes that were made.
        not_understood: Settings that have no place in the workflow, by name.
        differences: Sentences that say why the picture will be another one here.
        missing: Model files that no folder has, as kind and name.
    """

    program: str
    nodes: list[str] = field(default_factory=list)
    not_understood: dict[str, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, settings: PictureSettings) -> SettingsReport:
        """What is said before any node is made."""
        told = dict(settings.not_understood), list(settings.differences)
        return cls(settings.program, [], *told)

    @property
    def summary(self) -> str:
        """One to three sentences."""
        text = f"Settings of {self.program} became {len(self.nodes)} nodes."
        if self.not_understood:
            text += f" Not understood: {', '.join(self.not_understood)}."
        if self.missing:
            text += f" Not here: {', '.join(name for _, name in self.missing)}."
        return text

    def lines(self) -> Iterator[str]:
        """The whole report as lines of text."""
        yield self.summary
        yield from self.warnings()

    def warnings(self) -> Iterator[str]:
        """What was not understood, differences and missing files."""
        if self.not_understood:
            yield "Has no place in the workflow:"
        yield from (f"  {name}: {value}" for name, value in self.not_understood.items())
        if self.differences:
            yield f"Other than in {self.program}:"
        yield from (f"  {text}" for text in self.differences)
        if self.missing:
            yield "Model files that are not here:"
        yield from (f"  {kind}: {name}" for kind, name in self.missing)

    def to_json(self) -> dict[str, Any]:
        return {
            "program": self.program,
            "nodes": self.nodes,
            "not_understood": self.not_understood,
            "differences": self.differences,
            "missing": [{"kind": kind, "name": name} for kind, name in self.missing],
        }


@dataclass
class ImportedSettings:
    """The settings of a picture as a workflow, and the report."""

    document: Document
    report: SettingsReport
