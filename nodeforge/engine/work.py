"""How much a node has to do, by the sizes and steps that a workflow says.

The time that a node of a type took last is brought by it to what the next one has to do: 81 frames
take longer than 33. Time is taken to grow in proportion, which holds but for attention over very
long clips and large pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nodeforge.engine.plan import Plan


@dataclass(frozen=True)
class Work:
    """Comparable with the work of another node of the same type.

    Args:
        extent: Of what it works on: pixels, frames, pictures, seconds, multiplied.
        steps: How often it does so.
        unknown: What is left to the model, or known only while running.
    """

    extent: float = 1.0
    steps: float = 1.0
    unknown: frozenset[str] = frozenset()

    def extent_ratio(self, before: Work) -> float:
        """How much larger its results are than those of `before`; 1 where nobody can tell."""
        alike = self.unknown == before.unknown and before.extent > 0
        return self.extent / before.extent if alike else 1.0

    def ratio(self, before: Work) -> float:
        """How much longer it takes than `before`; 1 where nobody can tell."""
        alike = self.unknown == before.unknown and before.steps > 0
        return self.extent_ratio(before) * (self.steps / before.steps if alike else 1.0)


def work_of(plan: Plan, node: str) -> Work:
    """What a node of a plan has to do.

    Its extent is the largest of all that it is made of; steps count for the first node that runs
    a network with them.
    """
    extent, left, steps, unknown = 1.0, frozenset[str](), 1.0, frozenset[str]()
    for path, is_own in _above(plan, node):
        spec = plan.nodes[path].spec
        if spec.extent:
            extent, left = max((extent, left), _product(plan, path, spec.extent), key=_size)
        if is_own:
            times, missing = _product(plan, path, spec.steps)
            steps, unknown = steps * times, unknown | missing
    return Work(extent, steps, unknown | left)


def _size(extent: tuple[float, frozenset[str]]) -> tuple[float, int]:
    return extent[0], len(extent[1])


def _above(plan: Plan, node: str) -> Iterator[tuple[str, bool]]:
    """The node and all that feeds it; whether no other node that runs a network lies between."""
    seen: set[tuple[str, bool]] = set()
    waiting = [(node, True)]
    while waiting:
        path, is_own = entry = waiting.pop()
        if entry in seen:
            continue
        seen.add(entry)
        yield entry
        passes = is_own and (path == node or not plan.nodes[path].spec.runs_network)
        waiting += [(feed.node, passes) for feed in plan.nodes[path].feeds]


def _product(plan: Plan, path: str, ports: tuple[str, ...]) -> tuple[float, frozenset[str]]:
    """The numbers of some ports, multiplied, and which of them are unknown."""
    node, amount, unknown = plan.nodes[path], 1.0, set[str]()
    for port in ports:
        value = node.literals.get(port)
        if isinstance(value, int | float) and value > 0:
            amount *= value
        else:
            unknown.add(f"{node.spec.type}.{port}")
    return amount, frozenset(unknown)
