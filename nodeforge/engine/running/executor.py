"""Runs a plan: fetches cached results, computes the others, frees what is no longer read."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

from nodeforge.api import NodeType
from nodeforge.engine import events
from nodeforge.engine.cache import ResultCache
from nodeforge.engine.cache.in_flight import InFlight
from nodeforge.engine.events import ErrorReport, Source
from nodeforge.engine.planning.plan import Plan, PlannedNode, place
from nodeforge.engine.planning.reasons import Reason, Reasons
from nodeforge.engine.planning.work import Work, works_of
from nodeforge.engine.replay.locking import Locking, Made
from nodeforge.engine.running.context import Networks, NodeRun, RunRequest, RunState
from nodeforge.engine.running.lookup import Known, Lookup, in_order, same_keys, unknown_inputs
from nodeforge.engine.running.traces import Trace
from nodeforge.errors import Cancelled, DiskFullError, NodeForgeError, OutOfMemoryError
from nodeforge.graph.model import Output

_LONG = 0.005
"""Seconds after which the trace of a node is written before the next is computed."""
Results = dict[str, Any]
"""A node's results by port."""


class NodeFailedError(NodeForgeError):
    """A node could not be computed. Carries what the person needs to see.

    Args:
        node: Its id.
        report: The error as data, with the node's inputs.
        same: Ids of the nodes that would have had the same result.
    """

    def __init__(self, node: str, report: ErrorReport, same: tuple[str, ...] = ()) -> None:
        super().__init__(report.fact, place=report.place, way_out=report.way_out)
        self.node = node
        self.report = report
        self.same = same


@dataclass(frozen=True)
class Forecast:
    """What a run would do at a node.

    Args:
        source: Where its result would come from.
        seconds: What a node of its type took last, brought to its own frames, pixels and steps
            where these are known; None where none has run yet, and where
            another node of the plan gives its result.
        size: Bytes of its result, in the same way.
        reason: Why it is computed.
        unless: Nodes that are computed before it; where they come out as they did, it is not.
    """

    source: Source
    seconds: float | None = None
    size: int | None = None
    reason: Reason | None = None
    unless: tuple[str, ...] = ()


class ValueRangeError(NodeForgeError):
    """A value is none that its input allows."""


class _DamagedEntryError(Exception):
    """What was promised by the cache cannot be read."""


@dataclass
class _Progress:
    """One run on its way: what is asked, what is known so far, what the client was told."""

    plan: Plan
    request: RunRequest
    state: RunState
    reason: Callable[[str], Reason]
    known: Known = field(default_factory=Known)
    results: dict[str, Results] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)
    inexact: dict[str, Trace] = field(default_factory=dict)
    """Nodes whose results are not quite what was asked for, or come of such; what they came to."""

    @cached_property
    def readers(self) -> dict[str, list[str]]:
        """For each node, those that it feeds."""
        return _reading_nodes(self.plan)


class Executor:
    """Runs plans on one cache.

    Args:
        node_types: The code of every node type.
        cache: Where results are looked for and kept.
        networks: Loads what recipes name.
        guard: Entered around every node (torch's `no_grad`).
        reasons: Compares plans with the last run.
    """

    def __init__(
        self,
        node_types: Mapping[str, NodeType],
        cache: ResultCache,
        networks: Networks,
        guard: Callable[[], AbstractContextManager[Any]],
        reasons: Reasons,
    ) -> None:
        self._node_types = node_types
        self._cache = cache
        self._networks = networks
        self._guard = guard
        self._reasons = reasons
        self._lookup = Lookup(cache, cache.traces)
        self._locking = Locking(cache, networks)
        self._in_flight = InFlight()
        self._costs: dict[str, tuple[float, int, Work]] = {}
        """By node type: seconds and bytes of the one that was computed last, and its work."""
        self._works: tuple[Plan | None, dict[str, Work]] = None, {}

    def forecast(self, plan: Plan, document: str = "") -> dict[str, Forecast]:
        """For each node that a run would touch, where its result would come from, at what cost."""
        self._cache.traces.refresh()
        known = Known()
        needed = self._lookup.needed(plan, known)
        reason = self._reasons.of(document, plan)
        given = {other for same in same_keys(plan, needed).values() for other in same}
        found: dict[str, Forecast] = {}
        for node_id, source in needed.items():
            if source is not Source.COMPUTED:
                found[node_id] = Forecast(source)
            elif node_id in given:
                found[node_id] = Forecast(Source.MEMORY)
            else:
                cost = self._cost(plan, node_id)
                unless = unknown_inputs(plan.nodes[node_id], plan, needed, known)
                found[node_id] = Forecast(source, *cost, reason(node_id), unless)
        return found

    def _cost(self, plan: Plan, node: str) -> tuple[float | None, int | None]:
        """Seconds and bytes of a node, from the last one of its type."""
        if (last := self._costs.get(plan.nodes[node].spec.type)) is None:
            return None, None
        seconds, size, before = last
        work = self._work(plan, node)
        return seconds * work.ratio(before), round(size * work.extent_ratio(before))

    def _work(self, plan: Plan, node: str) -> Work:
        """What a node has to do; that of all nodes of the plan is kept for the next one."""
        known, works = self._works
        if known is not plan:
            works = works_of(plan)
            self._works = plan, works
        return works[node]

    def result_key(self, plan: Plan, node: str) -> str:
        """The key under which the cache has a node's result, perhaps made by another node."""
        self._cache.traces.refresh()
        known = Known()
        self._lookup.needed(plan, known)
        return known.keys.get(node, plan.nodes[node].key)

    def run(self, plan: Plan, request: RunRequest, state: RunState) -> dict[str, Results]:
        """Compute the plan's targets.

        Raises:
            NodeFailedError: a node could not be computed; the results so far are kept.
            Cancelled: `state.stop` was set.
        """
        self._cache.traces.refresh()
        reason = self._reasons.of(request.document, plan)
        run = _Progress(plan, request, state, reason)
        try:
            while True:
                needed = self._lookup.needed(plan, run.known, run.results)
                try:
                    self._fetch(run, needed)
                    finished = self._compute_all(run, needed)
                except _DamagedEntryError:
                    continue  # it is discarded now: look again at what is needed
                if finished:
                    return {target: run.results[target] for target in plan.targets}
        finally:
            self._cache.traces.flush()
            self._reasons.remember(request.document, plan)

    def _fetch(self, run: _Progress, needed: Mapping[str, Source]) -> None:
        reused: dict[str, Source] = {}
        for node_id, source in needed.items():
            if source is Source.COMPUTED or node_id in run.results:
                continue
            found = self._cache.get(run.known.keys.get(node_id, run.plan.nodes[node_id].key))
            if found is None:
                run.known.keys.pop(node_id, None)
                raise _DamagedEntryError
            run.results[node_id] = found[0]
            reused[node_id] = source
        self._report_reused(run, reused)

    def _report_reused(self, run: _Progress, reused: dict[str, Source]) -> None:
        fresh = {node: source for node, source in reused.items() if node not in run.reported}
        run.reported.update(fresh)
        if fresh:
            run.state.emit(events.Reused(run.request.run, fresh))

    def _compute_all(self, run: _Progress, needed: Mapping[str, Source]) -> bool:
        """Compute what is needed; False where a value came out equal, so that less may be."""
        plan, results = run.plan, run.results
        left = _read_count(plan, needed)
        same = same_keys(plan, needed)
        for node_id in in_order(plan, needed, run.known):
            if node_id in results:
                continue
            if run.state.stop.is_set():
                raise Cancelled
            node, others = plan.nodes[node_id], same.get(node_id, [])
            results[node_id] = self._computed(node, run, others)
            for other in others:
                results[other] = results[node_id]
                if node_id in run.known.traces:
                    run.known.traces[other] = run.known.traces[node_id]
            self._report_reused(run, dict.fromkeys(others, Source.MEMORY))
            found = [self._resolve_readers(each, run) for each in (node_id, *others)]
            for each in (node_id, *others):
                for feed in plan.nodes[each].feeds:
                    left[feed.node] -= 1
                    if not left[feed.node] and feed.node not in plan.targets:
                        results.pop(feed.node, None)
            if any(found):
                return False
        return True

    def _resolve_readers(self, node_id: str, run: _Progress) -> bool:
        """Look by value for the results of what reads a node, and of what reads that."""
        found = False
        waiting = [node_id]
        while waiting:
            for reader in run.readers.get(waiting.pop(), ()):
                if reader in run.results or reader in run.known.traces:
                    continue
                found |= self._lookup.resolve(run.plan.nodes[reader], run.plan, run.known)
                if reader in run.known.traces:
                    waiting.append(reader)
        return found

    def _computed(self, node: PlannedNode, run: _Progress, others: Sequence[str]) -> Results:
        """A node's results: computed, or those that another run has just computed."""
        if node.spec.effects:
            return self._compute(node, run, others)
        waited = self._in_flight.hold(node.key, run, run.state.stop)
        try:
            with self._cache.claimed(node.key, run.state.stop) as perhaps:
                if (waited or perhaps) and (found := self._cache.get(node.key)):
                    self._report_reused(run, {node.id: found[1]})
                    return found[0]
                return self._compute(node, run, others)
        finally:
            self._in_flight.release(node.key)

    def _compute(self, node: PlannedNode, run: _Progress, others: Sequence[str]) -> Results:
        request, state = run.request, run.state
        state.emit(events.Started(request.run, node.id, run.reason(node.id)))
        start = time.perf_counter()
        told = partial(self._locking.text, node, run.plan, partial(self._made, run))
        context = NodeRun(
            *(node.id, node.key, request, state, self._cache, self._networks, node.named),
            lock=told if node.spec.effects else str,
            made_in=self._locking.made_in,
        )
        arguments = self._arguments(node, run.results)
        try:
            _check_values(node, arguments)
            value = self._tried(node, context, arguments)
        except NodeForgeError as error:
            error.at(place(node.id, node.spec))
            report = _known_report(error, arguments)
            raise NodeFailedError(node.id, report, tuple(others)) from error
        except Exception as error:
            report = unexpected_report(error, place(node.id, node.spec), arguments)
            raise NodeFailedError(node.id, report, tuple(others)) from error
        except Cancelled:
            run.state.checkpoints += map(str, context.steps.keep_last())
            raise
        run.state.checkpoints += map(str, context.steps.reached())
        context.steps.keep_digests()
        seconds = time.perf_counter() - start
        size = 0
        if not context.exact or any(feed.node in run.inexact for feed in node.feeds):
            trace = Trace("", self._digests(value), self._locking.made_in)
            run.inexact.update(dict.fromkeys((node.id, *others), trace))
        elif not node.spec.effects:
            pinned = node.pin or any(run.plan.nodes[other].pin for other in others)
            size = self._cache.put(node.key, value, seconds, pinned=pinned, to_disk=None)
            self._keep_trace(node, value, run)
            if seconds > _LONG:
                self._cache.traces.flush()
        self._costs[node.spec.type] = seconds, size, self._work(run.plan, node.id)
        state.emit(events.Finished(request.run, node.id, Source.COMPUTED, seconds, size))
        return value

    def _keep_trace(self, node: PlannedNode, value: Results, run: _Progress) -> None:
        for feed in node.feeds:
            if feed.node not in run.known.traces:  # from a cache whose traces are gone
                digests = self._digests(run.results[feed.node])
                run.known.traces[feed.node] = Trace("", digests)
        by_value = self._lookup.value_key_of(node, run.plan, run.known)
        trace = Trace(by_value, self._digests(value), self._locking.made_in)
        run.known.traces[node.id] = trace
        self._cache.traces.put(node.key, trace)

    def _made(self, run: _Progress, node_id: str) -> Made:
        """What is known of a node of the plan, which may be none of those that a run touches."""
        key = run.plan.nodes[node_id].key
        if (inexact := run.inexact.get(node_id)) is not None:
            return Made(inexact, (key,), fell_back=True)
        trace = run.known.traces.get(node_id) or self._cache.traces.get(key)
        if trace is None and node_id in run.results:
            trace = Trace("", self._digests(run.results[node_id]))
        equal = trace and trace.value_key and self._cache.traces.result_key(trace.value_key)
        keys = run.known.keys.get(node_id), key, equal
        return Made(trace, tuple(filter(None, keys)))

    def _digests(self, value: Results) -> dict[str, str]:
        digest = self._cache.codec.digest
        return {port: made for port, each in value.items() if (made := digest(each)) is not None}

    def _tried(self, node: PlannedNode, context: NodeRun, arguments: dict[str, Any]) -> Results:
        """One more try where memory or the disk ran out; a loop goes on from its last step."""
        try:
            return self._call(node, context, arguments)
        except DiskFullError:
            if not self._cache.make_room():
                raise
            context.notice("The disk was full: results in the cache were deleted to make room.")
            return self._call(node, context, arguments)
        except OutOfMemoryError as error:
            fact = error.fact
        # outside the handler: the failed try's memory is given back before the next
        context.notice(f"{fact} Tried once more: {self._networks.free_memory()}.")
        return self._call(node, context, arguments)

    def _call(self, node: PlannedNode, context: NodeRun, arguments: dict[str, Any]) -> Results:
        node_type = self._node_types[node.spec.type]
        enums = {p: enum(arguments[p]) for p, enum in node_type.enums.items() if p in arguments}
        arguments = arguments | enums
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
        return arguments


def _take(results: Mapping[str, Results], source: Output) -> Any:
    return results[source.node][source.port]


def _reading_nodes(plan: Plan) -> dict[str, list[str]]:
    """For each node, those that it feeds."""
    reading: dict[str, list[str]] = {}
    for node in plan.nodes.values():
        for feed in node.feeds:
            reading.setdefault(feed.node, []).append(node.id)
    return reading


def _read_count(plan: Plan, needed: Mapping[str, Source]) -> Counter[str]:
    """How often each node's results will be read."""
    return Counter(
        feed.node
        for node_id, source in needed.items()
        if source is Source.COMPUTED
        for feed in plan.nodes[node_id].feeds
    )


def _known_report(error: NodeForgeError, arguments: Mapping[str, Any]) -> ErrorReport:
    report = ErrorReport.of(error)
    return replace(report, inputs=_inputs(arguments), traceback=_trace(error))


def unexpected_report(
    error: Exception, place: str = "", arguments: Mapping[str, Any] = MappingProxyType({})
) -> ErrorReport:
    """An error that no code of ours has made for a person to read."""
    return ErrorReport(
        kind=type(error).__name__,
        fact=f"{type(error).__name__}: {error}",
        place=place,
        way_out="NodeForge did not foresee this; '--debug' shows where it happened.",
        known=False,
        inputs=_inputs(arguments),
        traceback=_trace(error),
    )


def _check_values(node: PlannedNode, arguments: Mapping[str, Any]) -> None:
    """Values of linked nodes are known only now; those of the workflow are checked as well.

    Raises:
        ValueRangeError: one is none that its input allows.
    """
    for name, widget in node.spec.limited:
        value = arguments.get(name)
        if value is not None and not widget.allows(value):
            raise ValueRangeError(
                f"is {describe(value)}, which is not {widget.allowed}.",
                place=f"port '{name}'",
                way_out="Change the value, or what is linked to it.",
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
