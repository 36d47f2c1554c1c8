"""Problems as text, JSON, SARIF 2.1.0 (OASIS) and GitHub's workflow commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nodeforge import __version__
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.registry import rules_by_key

_SARIF = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}
_GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}


def line(problem: Problem) -> str:
    """As a person reads it: ``warning NF203 [guidance_too_high] guidance, port 'scale': ...``."""
    return f"{problem.severity} {problem.code} [{problem.rule}] {problem}"


def as_text(problems: Sequence[Problem], file: str, lines: Mapping[str, int]) -> str:
    """A line for each, with the way out below."""
    del file, lines
    return "\n".join(map(line, problems))


def as_json(problems: Sequence[Problem], file: str, lines: Mapping[str, int]) -> str:
    """A list of objects."""
    del file
    told = [
        {**problem.to_json(), "line": lines.get(problem.node, 1) if lines else None}
        for problem in problems
    ]
    return json.dumps(told, indent=2, ensure_ascii=False)


def as_github(problems: Sequence[Problem], file: str, lines: Mapping[str, int]) -> str:
    """Commands that annotate a file in GitHub Actions."""
    return "\n".join(
        f"::{_GITHUB_LEVELS[each.severity]} file={_property(file)},"
        f"line={lines.get(each.node, 1)},title={_property(f'{each.code} {each.rule}')}"
        f"::{_data(_message(each))}"
        for each in problems
    )


def as_sarif(problems: Sequence[Problem], file: str, lines: Mapping[str, int]) -> str:
    """A log with one run, for code scanning."""
    codes = sorted({each.code for each in problems})
    log = {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(codes)},
                "results": [_result(each, file, codes, lines) for each in problems],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


Report = Callable[[Sequence[Problem], str, Mapping[str, int]], str]
REPORTS: dict[str, Report] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
"""By the name of the format.

Each takes the problems, the name of their file, and the lines that the nodes begin at, by path.
"""


def _driver(codes: Iterable[str]) -> dict[str, Any]:
    rules = rules_by_key()
    return {
        "name": "NodeForge",
        "semanticVersion": __version__,
        "rules": [
            {
                "id": code,
                "name": rules[code].name,
                "shortDescription": {"text": rules[code].summary},
                "fullDescription": {"text": rules[code].why},
                "defaultConfiguration": {"level": _SARIF_LEVELS[rules[code].level]},
            }
            for code in codes
        ],
    }


def _result(
    problem: Problem, file: str, codes: list[str], lines: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "ruleId": problem.code,
        "ruleIndex": codes.index(problem.code),
        "level": _SARIF_LEVELS[problem.severity],
        "message": {"text": _message(problem)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file},
                    "region": {"startLine": lines.get(problem.node, 1)},
                },
                "logicalLocations": [{"fullyQualifiedName": problem.node}],
            }
        ],
    }


def _message(problem: Problem) -> str:
    place = f"{problem.place}: " if problem.node else ""
    return f"{place}{problem.fact} {problem.way_out}".strip()


def _data(text: str) -> str:
    """Escaped as GitHub's workflow commands ask."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
