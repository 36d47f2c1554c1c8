"""A problem found by a rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nodeforge.graph.edits import GraphEdit


class Severity(StrEnum):
    """How serious a problem is, the worst first."""

    ERROR = "error"
    """A run is refused: it would fail, or could not mean what the workflow says."""
    WARNING = "warning"
    """A worse picture than meant, or none of the effect that was asked for."""
    HINT = "hint"
    """There is a better way. Never in the exit code, quiet in the window."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]

    @property
    def milder(self) -> Severity:
        """The next less serious one."""
        return Severity.WARNING if self is Severity.ERROR else Severity.HINT


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class FixGrade(StrEnum):
    """Whether a fix can be made without asking."""

    SAFE = "safe"
    """It changes no picture that was right: what it mends could not run, or had no effect."""
    CHOICE = "choice"
    """It changes the picture: one good value of several."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a workflow.

    Args:
        rule: The name of the rule that found it.
        severity: Errors refuse the run.
        node: The path of the node; empty for the workflow as a whole.
        port: The port's name, where it is about one.
        fact: What is so, a sentence.
        way_out: What the person can do, a sentence.
        fix: An edit that mends it, where there is one.
        title: What the window calls the node; where several are called so, with its path.
        code: The rule's code, as ``NF203``.
        grade: What `fix` is; None without one.
        words: The part of the port's text that it is about, as it stands there.
        idle: Whether nothing that is saved or shown depends on the node.
    """

    rule: str
    severity: Severity
    node: str
    fact: str
    way_out: str = ""
    port: str = ""
    fix: GraphEdit | None = None
    title: str = ""
    code: str = ""
    grade: FixGrade | None = None
    words: str = ""
    idle: bool = False

    @property
    def matters_to_a_run(self) -> bool:
        """Whether to tell it before a run."""
        return self.severity is not Severity.HINT and not self.idle

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
            "code": self.code,
            "rule": self.rule,
            "severity": self.severity.value,
            "node": self.node,
            "port": self.port,
            "fact": self.fact,
            "way_out": self.way_out,
            "fixable": self.fix is not None,
            "fix": self.grade.value if self.grade else None,
        }
