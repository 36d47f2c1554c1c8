"""A motion module relates as many frames at once as it was trained on."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.errors import RequestError
from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import MOTION_MODULE
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.recipes import model_info
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF903",
    Severity.ERROR,
    why=(
        "A motion module has a table of the places in time that it knows: frames beyond it have "
        "none. Windows that share all their frames never get on."
    ),
    source="The file's header; AnimateDiff, Guo et al. 2023, arXiv:2307.04725.",
    fix=FixGrade.CHOICE,
    types=(MOTION_MODULE,),
)

KIND = "motion_module"


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(MOTION_MODULE):
        context, overlap = (scene.value(path, port) for port in ("context", "overlap"))
        if type(context) is not int:
            continue
        most = _most_frames(scene, path)
        if most and context > most:
            yield scene.problem(
                path,
                f"is {context}; the motion module relates at most {most} frames at once.",
                f"Set it to {min(most, _USUAL)}: longer clips are seen through windows.",
                port="context",
                fix=scene.set_value(path, "context", min(most, _USUAL)),
            )
        if type(overlap) is int and 0 < context <= overlap:
            yield scene.problem(
                path,
                f"is {overlap}: windows of {context} frames cannot share so many.",
                f"Set it to {context // 4}: a quarter is usual.",
                port="overlap",
                fix=scene.set_value(path, "overlap", context // 4),
            )


_USUAL = 16


def _most_frames(scene: LintContext, path: str) -> int:
    name = scene.value(path, "file")
    try:
        info = model_info(scene, KIND, name) if type(name) is str and name else None
    except RequestError:
        return 0  # the rule `model_files` says so
    return info.frames if info else 0
