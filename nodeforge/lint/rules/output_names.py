"""A saved picture's name stays in the folder for results, and its words stand for something."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem
from nodeforge.values.output_names import wrong_place, wrong_word

SAVE = "image.save"


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.nodes.items():
        prefix = scene.value(path, "prefix") if node.type == SAVE else None
        if type(prefix) is str and (wrong := wrong_word(prefix) or wrong_place(prefix)):
            yield scene.problem("output_names", path, *wrong, port="prefix")
