"""What the linter says of a node, as its views show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nodeforge.lint import Problem, Severity


@dataclass(frozen=True)
class NodeProblems:
    """The problems of a node.

    Args:
        text: What they say, a line each, the worst first.
        severity: Of the worst.
        ports: The same of each port that they are about.
    """

    text: str = ""
    severity: Severity = Severity.HINT
    ports: Mapping[str, NodeProblems] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_loud(self) -> bool:
        """Whether they are shown without being asked for: hints are quiet."""
        return self.severity is not Severity.HINT


NO_PROBLEMS = NodeProblems()


def by_node(problems: Iterable[Problem]) -> dict[str, NodeProblems]:
    """The problems of each node, by its path."""
    found: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        if problem.node:
            found[problem.node].append(problem)
    return {path: _together(each, ports=True) for path, each in found.items()}


def _together(problems: list[Problem], *, ports: bool) -> NodeProblems:
    by_port: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems if ports else ():
        if problem.port:
            by_port[problem.port].append(problem)
    worst = sorted(problems, key=lambda problem: problem.severity.rank)
    return NodeProblems(
        "\n".join(_line(problem, port=ports) for problem in worst),
        worst[0].severity,
        {port: _together(each, ports=False) for port, each in by_port.items()},
    )


def _line(problem: Problem, *, port: bool) -> str:
    place = f"{problem.port.replace('_', ' ')}: " if problem.port and port else ""
    text = f"{place}{problem.fact} {problem.way_out}".strip()
    return text[:1].upper() + text[1:]
