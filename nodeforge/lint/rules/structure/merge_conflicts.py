"""No conflict of a merge is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nodeforge.graph.changes import ABSENT
from nodeforge.graph.edits import SetEntry
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF118",
    Severity.ERROR,
    why="Two people changed the same; what stands there now is only one side's.",
    source="`nodeforge merge`, which lists what both sides changed.",
    fix=FixGrade.CHOICE,
)
_LONGEST = 60


def check(scene: LintContext) -> Iterator[Problem]:
    paths = {*scene.whole.nodes, *scene.whole.groups}
    for key, told in scene.conflicts.items():
        entry = told if isinstance(told, dict) else {}
        path, port = str(entry.get("path", "")), str(entry.get("port", ""))
        there = path in paths
        place = "" if there else f"{path} {port}: ".lstrip()
        our, their = (_short(entry.get(side)) for side in ("ours", "theirs"))
        yield scene.problem(
            path if there else "",
            f"{place}a merge has kept {our}; the other side has {their}.",
            "Set what is right, then resolve the conflict.",
            port=port if there else "",
            fix=SetEntry("conflicts", key, ABSENT, "resolve the conflict"),
            severity=Severity.ERROR,
        )


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
