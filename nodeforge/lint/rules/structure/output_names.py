"""A saved file's name stays in the folder for results, and its words stand for something."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.output_names import wrong_place, wrong_word

RULE = Rule(
    "NF110",
    Severity.ERROR,
    why=(
        "A file's name may not lead out of the results folder, and a word in braces that "
        "stands for nothing stays in the name."
    ),
    source="The save node's words for names.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.nodes.items():
        if node.spec is None or (saves := node.spec.saves) is None:
            continue
        prefix = scene.value(path, saves.prefix)
        if type(prefix) is str and (wrong := wrong_word(prefix) or wrong_place(prefix)):
            yield scene.problem(path, *wrong, port=saves.prefix)
