"""How much a node has to do, by the sizes and steps that a workflow says.

The time that a node of a type took last is brought by it to what the next one has to do: 81 frames
take longer than 33. Time is taken to grow in proportion, which holds but for attention over very
long clips and large pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from nodeforge.engine.planning.plan import Plan


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


def works_of(plan: Plan) -> dict[str, Work]:
    """What each node of a plan has to do.

    Its extent is the largest of all that it is made of; steps count for the first node that runs
    a network with them.
    """
    found: dict[str, Work] = {}
    extents: dict[str, _Amount] = {}
    handed_on: dict[str, frozenset[str]] = {}  # nodes with steps, as far as the next network
    for path, node in plan.nodes.items():  # each comes after what feeds it
        feeds = {feed.node for feed in node.feeds}
        own = [_product(plan, path, node.spec.extent)] if node.spec.extent else []
        extents[path] = extent, left = max(
            (_ONE, *(extents[feed] for feed in feeds), *own), key=_size
        )
        stepping = frozenset[str]().union(*(handed_on[feed] for feed in feeds))
        stepping |= {path} if node.spec.steps else set()
        handed_on[path] = stepping & {path} if node.spec.runs_network else stepping
        amounts = [_product(plan, each, plan.nodes[each].spec.steps) for each in stepping]
        times = prod(amount for amount, _ in amounts)
        unknown = left.union(*(missing for _, missing in amounts))
        found[path] = Work(extent, times, unknown)
    return found


_Amount = tuple[float, frozenset[str]]
"""A number, and which of its factors are unknown."""
_ONE: _Amount = 1.0, frozenset()


def _size(extent: _Amount) -> tuple[float, int]:
    return extent[0], len(extent[1])


def _product(plan: Plan, path: str, ports: tuple[str, ...]) -> _Amount:
    """The numbers of some ports, multiplied, and which of them are unknown."""
    node, amount, unknown = plan.nodes[path], 1.0, set[str]()
    for port in ports:
        value = node.literals.get(port)
        if isinstance(value, int | float) and value > 0:
            amount *= value
        else:
            unknown.add(f"{node.spec.type}.{port}")
    return amount, frozenset(unknown)
