"""Every model that a node names is in a model folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from nodeforge.errors import RequestError
from nodeforge.graph.edits import GraphEdit
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.recipes import model_path, model_ports
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF111",
    Severity.ERROR,
    why=("A run needs the file. The name is looked for in all model folders, also in subfolders."),
    source="The model folders.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    if scene.models is None:
        return
    for path, port, kind, name in model_ports(scene):
        try:
            model_path(scene, scene.models, kind, name)
        except RequestError as error:
            fix = _relink(scene, path, port, name, getattr(error, "near", ()))
            yield scene.problem(path, error.fact, error.way_out, port=port, fix=fix)


def _relink(
    scene: LintContext, path: str, port: str, name: str, near: tuple[str, ...]
) -> GraphEdit | None:
    """The one file of the same name that lies in another folder."""
    alike = [other for other in near if _stem(other) == _stem(name)]
    return scene.set_value(path, port, alike[0]) if len(alike) == 1 else None


def _stem(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/").lower()).stem
