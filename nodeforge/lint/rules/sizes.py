"""Width and height are what the model's family can make: divisible by its multiple."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem
from nodeforge.lint.recipes import facts, families, label


def check(scene: LintContext) -> Iterator[Problem]:
    sized = {
        path
        for path, node in scene.nodes.items()
        if node.spec
        and {"width", "height"} <= node.spec.input.keys()
        and any(port.type in ("noise", "latent") for port in node.spec.outputs)
    }
    seen: set[tuple[str, str]] = set()
    known = families(scene)
    for path, family in [
        *((path, origin.family) for path in sized if (origin := known.of.get(path))),
        *_of_readers(scene, sized, known.of),
    ]:
        for port in ("width", "height"):
            if (path, port) not in seen and (problem := _wrong(scene, path, port, family)):
                seen.add((path, port))
                yield problem


def _of_readers(scene: LintContext, sized: set[str], known: dict) -> Iterator[tuple[str, str]]:
    """The families of the nodes that noise goes to, which has none of its own."""
    for end, start in scene.links.items():
        if start.node in sized and start.node not in known and end.node in known:
            yield start.node, known[end.node].family


def _wrong(scene: LintContext, path: str, port: str, family: str) -> Problem | None:
    multiple = facts(family).size_multiple
    value = scene.value(path, port)
    if type(value) is not int or value % multiple == 0:
        return None
    nearest = max(multiple, round(value / multiple) * multiple)
    return scene.problem(
        "sizes",
        path,
        f"is {value}, which {label(family)} cannot make: it must be divisible by {multiple}.",
        f"The nearest is {nearest}.",
        port=port,
        fix=scene.set_value(path, port, nearest),
    )
