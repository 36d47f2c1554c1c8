"""Finds where each result of a plan would come from: cache, equal value, or computing."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from nodeforge.engine.cache import ResultCache
from nodeforge.engine.events import Source
from nodeforge.engine.planning.keys import value_key
from nodeforge.engine.planning.plan import Plan, PlannedNode
from nodeforge.engine.running.traces import Trace, Traces
from nodeforge.graph.model import Output


@dataclass
class Known:
    """What is known of a plan's nodes without their values.

    Args:
        traces: Of nodes whose outputs' digests are known.
        keys: Under which key a node's result is, where that is not its own.
        value_keys: Of nodes whose inputs' digests are all known.
    """

    traces: dict[str, Trace] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    value_keys: dict[str, str] = field(default_factory=dict)


class Lookup:
    """Finds results for the nodes of a plan.

    Args:
        cache: Where results are kept.
        traces: What nodes' values came to.
    """

    def __init__(self, cache: ResultCache, traces: Traces) -> None:
        self._cache = cache
        self._traces = traces

    def needed(self, plan: Plan, known: Known, done: Container[str] = ()) -> dict[str, Source]:
        """The nodes that a run touches, in order, and where each result comes from.

        What only feeds cached results is not touched at all.

        Args:
            plan: What is asked.
            known: Is added to.
            done: Nodes whose results are at hand.
        """
        needed = self._backwards(plan, known, done)
        missing = [node for node, source in needed.items() if source is Source.COMPUTED]
        if not missing:
            return needed
        found = False
        unknown: set[str] = set()
        for node_id in missing:
            node = plan.nodes[node_id]
            if self._traces.get(node.key) is None and any(
                feed.node in unknown for feed in node.feeds
            ):
                unknown.add(node_id)  # nor can its value be known
                continue
            found |= self.resolve(node, plan, known)
            if node_id not in known.traces:
                unknown.add(node_id)
        return self._backwards(plan, known, done) if found else needed

    def resolve(self, node: PlannedNode, plan: Plan, known: Known) -> bool:
        """Look for the node's result by the values of its inputs; whether it was found."""
        if node.spec.effects or node.id in known.traces:
            return False
        trace = self._traces.get(node.key)
        if trace is None:
            by_value = self.value_key_of(node, plan, known)
            other = by_value and self._traces.result_key(by_value)
            trace = self._traces.get(other) if other else None
            if trace is None:
                return False
        known.traces[node.id] = trace
        if trace.value_key:
            known.value_keys[node.id] = trace.value_key
        other = trace.value_key and self._traces.result_key(trace.value_key)
        if other and other != node.key and self._cache.where(other) is not None:
            known.keys[node.id] = other
            return True
        return False

    def value_key_of(self, node: PlannedNode, plan: Plan, known: Known) -> str:
        """The node's key by the values of its inputs; empty where one is not known."""
        if (there := known.value_keys.get(node.id)) is not None:
            return there
        fed: dict[str, str] = {}
        for port, link in node.links.items():
            digests = [
                self._digest(source, plan, known)
                for source in (link if isinstance(link, list) else (link,))
            ]
            if not all(digests):
                return ""
            fed[port] = ",".join(digests)
        known.value_keys[node.id] = made = value_key(node.static, fed)
        return made

    def where(self, node: PlannedNode, known: Known) -> Source | None:
        """Where the node's result is; None where it must be computed."""
        if node.spec.effects:
            return None
        return self._cache.where(known.keys.get(node.id, node.key))

    def _digest(self, source: Output, plan: Plan, known: Known) -> str:
        trace = known.traces.get(source.node)
        if trace is None:
            trace = self._traces.get(plan.nodes[source.node].key)
            if trace is None:
                return ""
            known.traces[source.node] = trace
        return trace.digests.get(source.port, "")

    def _backwards(self, plan: Plan, known: Known, done: Container[str]) -> dict[str, Source]:
        wanted = set(plan.targets)
        needed: dict[str, Source] = {}
        for node in reversed(plan.nodes.values()):
            if node.id not in wanted or node.id in done:
                continue
            source = self.where(node, known)
            needed[node.id] = source or Source.COMPUTED
            if source is None:
                wanted.update(feed.node for feed in node.feeds)
        return dict(reversed(needed.items()))


def in_order(plan: Plan, needed: Mapping[str, Source], known: Known) -> list[str]:
    """The nodes to be computed, sources first.

    Those whose values are unknown come as early as they can: what they come to may spare the
    others, of which only the value is gone.
    """
    missing = [node_id for node_id, source in needed.items() if source is Source.COMPUTED]
    if not any(node_id in known.traces for node_id in missing):
        return missing
    order: dict[str, None] = {}
    unknown = [node_id for node_id in missing if node_id not in known.traces]
    for first in (*unknown, *missing):
        stack = [first]
        while stack:
            sources = (feed.node for feed in plan.nodes[stack[-1]].feeds)
            waiting = [
                each
                for each in sources
                if needed.get(each) is Source.COMPUTED and each not in order
            ]
            if waiting:
                stack.append(waiting[0])
            else:
                order[stack.pop()] = None
    return list(order)


def same_keys(plan: Plan, needed: Mapping[str, Source]) -> dict[str, list[str]]:
    """For the first of several nodes to be computed that have one key, the others, in order."""
    first: dict[str, str] = {}
    same: dict[str, list[str]] = {}
    for node_id, source in needed.items():
        node = plan.nodes[node_id]
        if source is not Source.COMPUTED or node.spec.effects:
            continue
        if (leader := first.setdefault(node.key, node_id)) != node_id:
            same.setdefault(leader, []).append(node_id)
    return same


def unknown_inputs(
    node: PlannedNode, plan: Plan, needed: Mapping[str, Source], known: Known
) -> tuple[str, ...]:
    """The nodes on whose values it depends whether `node` is computed; none where it surely is.

    They are the nearest before it that are surely computed.
    """
    if node.spec.effects:
        return ()
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = [source.node for source in node.feeds]
    while waiting:
        node_id = waiting.pop()
        if node_id in seen or needed.get(node_id) is not Source.COMPUTED:
            continue
        seen.add(node_id)
        fed_by = [source.node for source in plan.nodes[node_id].feeds]
        unknown = [each for each in fed_by if needed.get(each) is Source.COMPUTED]
        if unknown and node_id not in known.traces:
            waiting.extend(unknown)
        elif node_id not in known.traces:
            found[node_id] = None
    return tuple(found)
