"""A workflow names files so that others have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.spec import FileWidget

RULE = Rule(
    "NF804",
    Severity.WARNING,
    why=(
        "A path of one computer is not there on another. Names in the model folders are, and "
        "pictures can go with the workflow."
    ),
    source="How files are looked for.",
)

_ABSOLUTE = re.compile(r"/|[A-Za-z]:[\\/]|\\\\|~[/\\]")


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.nodes.items():
        for port in node.spec.inputs if node.spec else ():
            if not isinstance(port.widget, FileWidget):
                continue  # models: the rule `missing_models`
            value = scene.value(path, port.name)
            if type(value) is not str or not _ABSOLUTE.match(value):
                continue
            if Path(value) not in scene.granted:
                yield scene.problem(
                    path,
                    f"'{value[:80]}' is a path of one computer.",
                    "Put the file into the inputs folder, and choose it there.",
                    port=port.name,
                )
