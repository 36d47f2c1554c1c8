"""Links and values are at ports that exist, and links come from nodes that exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import lru_cache

from nodeforge.graph.edits import ABSENT, Link, SetValue, Together, Unlink
from nodeforge.graph.model import Input, Mode, Node, Output, Subgraph
from nodeforge.graph.ports import input_names, input_spec, output_names
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF106",
    Severity.ERROR,
    why=(
        "A value or a link at a port that is not there has no effect: often a spelling "
        "mistake, or a file of another version."
    ),
    source="The nodes' declarations.",
    fix=FixGrade.SAFE,
)


def check(scene: LintContext) -> Iterator[Problem]:
    nodes: dict[str, Node] = {**scene.whole.nodes, **scene.whole.groups}
    for end, start in scene.whole.links.items():
        target = nodes.get(end.node)
        if target is None:
            yield scene.problem(
                end.node,
                f"there is no such node, but a link from '{start}' to its port '{end.port}'.",
                "Remove the link.",
                fix=Unlink(end),
            )
        elif target.mode is not Mode.MUTE:
            source = nodes.get(start.node)
            if source is not None:
                yield from _wrong_end(scene, target, end, start)
            yield from _wrong_start(scene, source, end, start)
    for path, node in nodes.items():
        if node.values and node.mode is not Mode.MUTE:
            yield from _wrong_values(scene, path, node)


def _wrong_end(scene: LintContext, node: Node, end: Input, start: Output) -> Iterator[Problem]:
    spec = scene.catalogue.get(node.type)
    if isinstance(node, Subgraph):
        if end.port not in node.inputs:
            near = _near(end.port, node.inputs)
            yield _no_input(scene, end, start, near)
        return
    if spec is None:
        return
    port = spec.input.get(end.port)
    if port is None:
        yield _no_input(scene, end, start, _near(end.port, spec.input))
    elif port.many != (end.item is not None):
        wanted = Input(end.node, end.port, 0 if port.many else None)
        fact = "is a list: the link needs a place in it." if port.many else "is no list."
        yield scene.problem(
            end.node,
            fact,
            f"Link to '{wanted.port}'.",
            port=end.port,
            fix=_moved(end, wanted, start),
        )


def _no_input(scene: LintContext, end: Input, start: Output, near: str | None) -> Problem:
    hint = f"Did you mean '{near}'? " if near else ""
    port = input_spec(scene.whole.nodes.get(end.node), near, scene.catalogue) if near else None
    free = near and not (port and port.many) and Input(end.node, near) not in scene.whole.links
    fix = _moved(end, Input(end.node, near), start) if near and free else Unlink(end)
    way_out = f"{hint}Remove the link, or link another port."
    return scene.problem(end.node, "there is no such input.", way_out, port=end.port, fix=fix)


def _moved(end: Input, wanted: Input, start: Output) -> Together:
    return Together(f"link {wanted}", [Unlink(end), Link(start, wanted)])


def _wrong_start(
    scene: LintContext, node: Node | None, end: Input, start: Output
) -> Iterator[Problem]:
    if node is None:
        fact = f"is linked to the node '{start.node}', which does not exist."
        way_out = "Remove the link, or link another output."
    elif start.port in output_names(node, scene.catalogue) or not _is_known(scene, node):
        return
    else:
        near = _near(start.port, output_names(node, scene.catalogue))
        fact = f"is linked to '{scene.port_title(start)}', which does not exist."
        way_out = (f"Did you mean '{near}'? " if near else "") + "Link another output."
    yield scene.problem(end.node, fact, way_out, port=end.port, fix=Unlink(end))


def _wrong_values(scene: LintContext, path: str, node: Node) -> Iterator[Problem]:
    if not _is_known(scene, node):
        return
    spec = scene.catalogue.get(node.type)
    known = node.inputs if isinstance(node, Subgraph) else spec.input if spec else {}
    for name, value in node.values.items():
        if name in known:
            continue
        near = _near(name, input_names(node, scene.catalogue))
        edits = [SetValue(path, name, ABSENT)]
        if near and near not in node.values:
            edits.append(SetValue(path, near, value))
        hint = f"Did you mean '{near}'? " if near else ""
        yield scene.problem(
            path,
            "has a value, but there is no such input.",
            f"{hint}Remove the value.",
            port=name,
            fix=Together(f"mend {name} of {path}", edits),
        )


def _is_known(scene: LintContext, node: Node) -> bool:
    return isinstance(node, Subgraph) or node.type in scene.catalogue


def _near(name: str, names: Iterable[str]) -> str | None:
    return _close(name[:200], tuple(names))


@lru_cache(maxsize=4096)
def _close(name: str, names: tuple[str, ...]) -> str | None:
    """Files with many mistakes have the same ones again and again."""
    # a shorter or longer name by half is none that was meant: most are told by that alone
    alike = [each for each in names if 2 * len(each) > len(name) and 2 * len(name) > len(each)]
    return next(iter(difflib.get_close_matches(name, alike, n=1)), None)
