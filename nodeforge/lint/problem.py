"""A problem found by a rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nodeforge.graph.edits import GraphEdit


class Severity(StrEnum):
    """Whether a run is refused."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a workflow.

    Args:
        rule: The id of the rule that found it.
        severity: Errors refuse the run.
        node: The path of the node; empty for the workflow as a whole.
        port: The port's name, where it is about one.
        fact: What is so, a sentence.
        way_out: What the person can do, a sentence.
        fix: An edit that mends it, where that needs no choice.
        title: What the window calls the node; where several are called so, with its path.
    """

    rule: str
    severity: Severity
    node: str
    fact: str
    way_out: str = ""
    port: str = ""
    fix: GraphEdit | None = None
    title: str = ""

    @property
    def place(self) -> str:
        """The node as people know it, and the port."""
        name = self.title or self.node
        if self.node not in (name, "") and not name.endswith(f"({self.node})"):
            name = f"{name} ({self.node})"
        return f"{name}, port '{self.port}'" if self.port else name

    @property
    def told(self) -> str:
        """As the window says it: by the titles that are seen there."""
        port = f" · {self.port.replace('_', ' ')}" if self.port else ""
        place = f"{self.title or self.node}{port}: " if self.node else ""
        said = f"{place}{self.fact} {self.way_out}".strip()
        return said[:1].upper() + said[1:]

    def __str__(self) -> str:
        place = f"{self.place}: " if self.node else ""
        return f"{place}{self.fact}" + (f"\n    {self.way_out}" if self.way_out else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "node": self.node,
            "port": self.port,
            "fact": self.fact,
            "way_out": self.way_out,
            "fixable": self.fix is not None,
        }
