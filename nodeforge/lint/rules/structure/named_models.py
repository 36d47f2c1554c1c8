"""Every model that a text names is in a model folder, or loaded under that name before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from nodeforge.errors import RequestError
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.recipes import model_path
from nodeforge.lint.rule import Rule
from nodeforge.spec import ModelFileWidget, TextWidget

RULE = Rule(
    "NF113",
    Severity.ERROR,
    why="A text may name embeddings, which are loaded with the prompt.",
    source="The model folders.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    if scene.models is None:
        return
    from nodeforge.models import referenced_names  # only where there are models to look at

    for path, port, kind, text in _texts(scene):
        named = referenced_names(kind, text)
        loaded = _loaded(scene, path, kind) if named else set[str]()
        for name in named:
            try:
                if name not in loaded:
                    model_path(scene, scene.models, kind, name)
            except RequestError as error:
                yield scene.problem(path, error.fact, error.way_out, port=port)


def _texts(scene: LintContext) -> Iterator[tuple[str, str, str, str]]:
    """Path, port, kind of models and text wherever a text may name models."""
    for path, node in scene.nodes.items():
        for port in node.spec.inputs if node.spec else ():
            if isinstance(port.widget, TextWidget) and port.widget.names:
                text = scene.value(path, port.name)
                if type(text) is str:
                    yield path, port.name, port.widget.names, text


def _loaded(scene: LintContext, path: str, kind: str) -> set[str]:
    """What nodes before the one at `path` load, by the names that they give it."""
    found, seen, waiting = set[str](), {path}, [path]
    while waiting:
        for starts in scene.inputs.get(waiting.pop(), {}).values():
            fresh = [start.node for start in starts if start.node not in seen]
            seen.update(fresh)
            waiting += fresh
            found.update(name for node in fresh for name in _given(scene, node, kind))
    return found


def _given(scene: LintContext, path: str, kind: str) -> Iterator[str]:
    spec = scene.nodes[path].spec
    for port in spec.inputs if spec else ():
        if isinstance(port.widget, ModelFileWidget) and port.widget.kind == kind:
            file = str(scene.value(path, port.name) or "").replace("\\", "/")
            yield str(scene.value(path, "name") or PurePosixPath(file).stem)
