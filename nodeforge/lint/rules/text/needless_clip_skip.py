"""Layers of the text encoder are left out only where models were trained so."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.prompts import family_of_prompt
from nodeforge.lint.rule import Rule

_ENCODING = ("text.encode", "text.change_at_step")

RULE = Rule(
    "NF612",
    Severity.WARNING,
    why=(
        "SDXL and SD 2 already read the last layer but one: A1111's 2 is 0 here. Models that "
        "were not trained without a layer lose what the prompt says."
    ),
    source=(
        "SD.Next issue 3138; sd-scripts, whose default for SDXL is its usual layer; the "
        "families' configurations."
    ),
    fix=FixGrade.CHOICE,
    types=_ENCODING,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(*_ENCODING):
        skip = scene.value(path, "clip_skip")
        family = family_of_prompt(scene, path) if type(skip) is int and skip > 0 else None
        if family is None or type(skip) is not int or skip <= family.most_clip_skip:
            continue
        most = family.most_clip_skip
        usual = (
            "reads all layers that count"
            if not most
            else f"bears {most}, which A1111 calls {most + 1}"
        )
        yield scene.problem(
            path,
            f"is {skip}; {family.label} {usual}.",
            f"Set it to {most}.",
            port="clip_skip",
            fix=scene.set_value(path, "clip_skip", most),
        )
