"""Runs a plan: fetches what is cached, computes the rest, drops what nothing reads any more."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from nodeforge.api import NodeType
from nodeforge.engine import events
from nodeforge.engine.cache import ResultCache
from nodeforge.engine.context import Networks, NodeRun, RunRequest, RunState
from nodeforge.engine.events import ErrorReport, Source
from nodeforge.engine.plan import Plan, PlannedNode, place
from nodeforge.errors import Cancelled, NodeForgeError, OutOfMemoryError
from nodeforge.graph.model import Output

Results = dict[str, Any]
"""A node's results by port."""


class NodeFailedError(NodeForgeError):
    """A node could not be computed. Carries what the person needs to see.

    Args:
        node: Its id.
        report: The error as data, with the node's inputs.
    """

    def __init__(self, node: str, report: ErrorReport) -> None:
        super().__init__(report.fact, place=report.place, way_out=report.way_out)
        self.node = node
        self.report = report


@dataclass(frozen=True)
class Forecast:
    """What a run would do at a node.

    Args:
        source: Where its result would come from.
        seconds: What a node of its type took last; None where none has run yet.
        size: Bytes of the result it gave.
    """

    source: Source
    seconds: float | None = None
    size: int | None = None


class _DamagedEntryError(Exception):
    """What was promised by the cache cannot be read."""


@dataclass(frozen=True)
class _Course:
    """One run on its way: what is asked, what is known so far, what the client was told."""

    plan: Plan
    request: RunRequest
    state: RunState
    results: dict[str, Results] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


class Executor:
    """Runs plans on one cache.

    Args:
        node_types: The code of every node type.
        cache: Where results are looked for and kept.
        networks: Loads what recipes name.
        guard: Entered around every node (torch's `no_grad`).
    """

    def __init__(
        self,
        node_types: Mapping[str, NodeType],
        cache: ResultCache,
        networks: Networks,
        guard: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._node_types = node_types
        self._cache = cache
        self._networks = networks
        self._guard = guard
        self._costs: dict[str, tuple[float, int]] = {}

    def forecast(self, plan: Plan) -> dict[str, Forecast]:
        """For each node that a run would touch, where its result would come from, at what cost."""
        needed = _needed(plan, self._where, {})
        return {
            node_id: Forecast(source, *self._costs.get(plan.nodes[node_id].spec.type, (None, None)))
            for node_id, source in needed.items()
        }

    def run(self, plan: Plan, request: RunRequest, state: RunState) -> dict[str, Results]:
        """Compute the plan's targets.

        Raises:
            NodeFailedError: a node could not be computed; the results so far are kept.
            Cancelled: `state.stop` was set.
        """
        course = _Course(plan, request, state)
        while True:
            needed = _needed(plan, self._where, course.results)
            try:
                self._fetch(course, needed)
                self._run(course, needed)
            except _DamagedEntryError:
                continue  # it is discarded now: look again at what is needed
            return {target: course.results[target] for target in plan.targets}

    def _where(self, node: PlannedNode) -> Source | None:
        return None if node.spec.effects else self._cache.where(node.key)

    def _fetch(self, course: _Course, needed: dict[str, Source]) -> None:
        reused: dict[str, Source] = {}
        for node_id, source in needed.items():
            if source is Source.COMPUTED or node_id in course.results:
                continue
            found = self._cache.get(course.plan.nodes[node_id].key)
            if found is None:
                raise _DamagedEntryError
            course.results[node_id] = found[0]
            if node_id not in course.told:
                reused[node_id] = source
        course.told.update(reused)
        if reused:
            course.state.emit(events.Reused(course.request.run, reused))

    def _run(self, course: _Course, needed: dict[str, Source]) -> None:
        plan, results = course.plan, course.results
        readers = _readers(plan, needed)
        for node_id, source in needed.items():
            if source is not Source.COMPUTED or node_id in results:
                continue
            if course.state.stop.is_set():
                raise Cancelled
            node = plan.nodes[node_id]
            results[node_id] = self._compute(node, course)
            for feed in node.sources():
                readers[feed.node] -= 1
                if not readers[feed.node] and feed.node not in plan.targets:
                    results.pop(feed.node, None)

    def _compute(self, node: PlannedNode, course: _Course) -> Results:
        request, state = course.request, course.state
        state.emit(events.Started(request.run, node.id))
        start = time.perf_counter()
        context = NodeRun(
            node.id, node.key, request, state, self._cache, self._networks, node.named
        )
        arguments = self._arguments(node, course.results)
        try:
            value = self._tried(node, context, arguments)
        except NodeForgeError as error:
            error.at(place(node.id, node.spec))
            raise NodeFailedError(node.id, _known_report(error, arguments)) from error
        except Exception as error:
            report = _surprise_report(error, arguments, place(node.id, node.spec))
            raise NodeFailedError(node.id, report) from error
        seconds = time.perf_counter() - start
        size = 0
        if context.exact and not node.spec.effects:
            size = self._cache.put(node.key, value, seconds, pinned=node.pin, to_disk=None)
        self._costs[node.spec.type] = seconds, size
        state.emit(events.Finished(request.run, node.id, Source.COMPUTED, seconds, size))
        return value

    def _tried(self, node: PlannedNode, context: NodeRun, arguments: dict[str, Any]) -> Results:
        """One more try where memory ran out; a loop goes on from its last step."""
        try:
            return self._call(node, context, arguments)
        except OutOfMemoryError as error:
            fact = error.fact
        # outside the handler: the failed try's memory is given back before the next
        context.notice(f"{fact} Tried once more: {self._networks.relieve()}.")
        return self._call(node, context, arguments)

    def _call(self, node: PlannedNode, context: NodeRun, arguments: dict[str, Any]) -> Results:
        node_type = self._node_types[node.spec.type]
        with self._guard():
            if node_type.wants_run:
                value = node_type.function(context, **arguments)
            else:
                value = node_type.function(**arguments)
        if node_type.many_results:
            return dict(value._asdict())
        return {port.name: value for port in node.spec.outputs}

    def _arguments(self, node: PlannedNode, results: Mapping[str, Results]) -> dict[str, Any]:
        arguments = dict(node.literals)
        for port, link in node.links.items():
            arguments[port] = (
                [_take(results, source) for source in link]
                if isinstance(link, list)
                else _take(results, link)
            )
        for port, enum in self._node_types[node.spec.type].enums.items():
            if port in arguments:
                arguments[port] = enum(arguments[port])
        return arguments


def _take(results: Mapping[str, Results], source: Output) -> Any:
    return results[source.node][source.port]


def _needed(
    plan: Plan,
    where: Callable[[PlannedNode], Source | None],
    results: Mapping[str, Results],
) -> dict[str, Source]:
    """The nodes a run touches, in order, and where each result comes from.

    What only feeds cached results is not touched at all.
    """
    wanted = set(plan.targets)
    needed: dict[str, Source] = {}
    for node in reversed(plan.nodes.values()):
        if node.id not in wanted or node.id in results:
            continue
        source = where(node)
        needed[node.id] = source or Source.COMPUTED
        if source is None:
            wanted.update(feed.node for feed in node.sources())
    return dict(reversed(needed.items()))


def _readers(plan: Plan, needed: Mapping[str, Source]) -> Counter[str]:
    return Counter(
        feed.node
        for node_id, source in needed.items()
        if source is Source.COMPUTED
        for feed in plan.nodes[node_id].sources()
    )


def _known_report(error: NodeForgeError, arguments: Mapping[str, Any]) -> ErrorReport:
    report = ErrorReport.of(error)
    return replace(report, inputs=_inputs(arguments), traceback=_trace(error))


def _surprise_report(error: Exception, arguments: Mapping[str, Any], place: str) -> ErrorReport:
    return ErrorReport(
        kind=type(error).__name__,
        fact=f"{type(error).__name__}: {error}",
        place=place,
        way_out="NodeForge did not foresee this; '--debug' shows where it happened.",
        known=False,
        inputs=_inputs(arguments),
        traceback=_trace(error),
    )


def _inputs(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {port: describe(value) for port, value in arguments.items()}


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


def describe(value: Any) -> str:
    """`value` in a few words, for a person who looks for what went wrong."""
    if isinstance(value, list):
        return f"{len(value)} × {describe(value[0])}" if value else "none"
    width, height = getattr(value, "width", None), getattr(value, "height", None)
    if width is not None and height is not None:
        return f"{type(value).__name__} {width} × {height}"
    if isinstance(value, str | int | float | bool) or value is None:
        text = str(value)
        return text if len(text) <= 80 else text[:79] + "…"
    return type(value).__name__
