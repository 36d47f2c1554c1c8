"""Plans and runs graphs on one cache, emitting events. The worker wraps this in a process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from nodeforge.api import NodeType
from nodeforge.engine import events
from nodeforge.engine.cache import (
    MemoryTier,
    ResultCache,
    checkpoint_of,
    last_step,
    pin_last_step,
    steps_kept,
    steps_known,
)
from nodeforge.engine.content.files import Files
from nodeforge.engine.content.model_hashes import begin_hashing
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.planning.keys import numerics_digest
from nodeforge.engine.planning.plan import Plan, PlanError, default_targets, make_plan
from nodeforge.engine.planning.reasons import Reasons
from nodeforge.engine.running.context import Networks, NoNetworks, RunRequest, RunState
from nodeforge.engine.running.executor import (
    Executor,
    Forecast,
    NodeFailedError,
    Results,
    unexpected_report,
)
from nodeforge.errors import Cancelled, NodeForgeError
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph
from nodeforge.graph.planned import Evaluator, expand
from nodeforge.models import fingerprints
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue

_TRIES = 3
"""How often a model is read that changes meanwhile."""
_TOLD = 64 * 2**20
"""Bytes of a model between two words of progress."""


class Session:
    """Everything that runs share.

    Args:
        settings: Folders and limits.
        node_types: The code of every node type, by id.
        cache: Where results are kept.
        networks: Loads what recipes name.
        guard: Entered around every node.
    """

    def __init__(
        self,
        settings: Settings,
        node_types: Mapping[str, NodeType],
        cache: ResultCache,
        networks: Networks | None = None,
        guard: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self.settings = settings
        self.cache = cache
        self.networks = networks or NoNetworks()
        self.catalogue = Catalogue(node_type.spec for node_type in node_types.values())
        self._planned = {
            type_id: node_type.function
            for type_id, node_type in node_types.items()
            if node_type.spec.planned
        }
        self._told_problem = ""
        self._reasons = Reasons(settings.cache / "last-runs" if cache.disk else None)
        self._executor = Executor(node_types, cache, self.networks, guard, self._reasons)
        self._afresh = partial(Executor, node_types, networks=self.networks, guard=guard)

    def plan(self, graph: Graph, request: RunRequest) -> Plan:
        """What `request` would compute of `graph`.

        Raises:
            RequestError: the workflow cannot be run as it stands.
        """
        flat = flatten(graph, self.catalogue)
        targets = request.targets or default_targets(flat)
        if not targets:
            raise PlanError(
                "there is nothing to run.", way_out="Add a node that saves or shows something."
            )
        files = Files(
            self.settings, request.assets, request.granted, request.lock, sent=request.sent
        )
        evaluate = Evaluator(self._planned, files.resolve)
        expanded = expand(flat, self.catalogue, evaluate, targets)
        numerics = numerics_digest(self.networks.numerics())
        return make_plan(expanded.graph, expanded.ids(targets), files, numerics)

    def forecast(self, plan: Plan, document: str = "") -> dict[str, Forecast]:
        """What a run of `plan` would do at each node that it touches."""
        return self._executor.forecast(plan, document)

    def kept(self, graph: Graph, request: RunRequest, node: str, port: str, step: int) -> Any:
        """What the cache holds of a node, without computing anything.

        Args:
            node: Its id in the flattened workflow.
            port: Which of its results; not read where `step` is given.
            step: The step of its loop, counted from 1; 0 is the result.

        Returns:
            The value; of a step, its clean estimate. None where the cache has none.
        """
        key = self._result_key(graph, request, node)
        if step:
            checkpoint = checkpoint_of(self.cache, key, step)
            return checkpoint and (checkpoint.clean or checkpoint.latent)
        found = self.cache.get(key)
        return found and found[0].get(port)

    def steps(self, graph: Graph, request: RunRequest, node: str) -> int:
        """How many steps the loop of `node` walks, as far as the cache tells; else 0."""
        key = self._result_key(graph, request, node)
        return steps_known(self.cache, key)

    def steps_kept(self, graph: Graph, request: RunRequest, node: str) -> int:
        """The last step of the loop of `node` that can be shown: of a stopped run, not all."""
        key = self._result_key(graph, request, node)
        if self.cache.where(key) is not None:
            return steps_known(self.cache, key)
        return steps_kept(self.cache, key)

    def pin_last_step(self, graph: Graph, request: RunRequest, node: str, pinned: bool) -> None:
        """Keep the last checkpoint of the loop of `node` for a week, or let it go again."""
        pin_last_step(self.cache, self._result_key(graph, request, node), pinned)

    def _plan_with_content(self, graph: Graph, request: RunRequest, state: RunState) -> Plan:
        """The plan, with the content of every model known."""
        plan = self.plan(graph, request)
        for _ in range(_TRIES):
            if not plan.unread:
                return plan
            _read_models(plan.unread, request, state)
            plan = self.plan(graph, request)
        raise PlanError(
            "changes while it is read.",
            place=str(next(iter(plan.unread))),
            way_out="Wait until it is copied, then run again.",
        )

    def save_last_runs(self) -> None:
        """Let other processes say why nodes are computed."""
        self._reasons.save()

    def _executor_on_nothing(self) -> Executor:
        """An executor that finds no result of before, and leaves none."""
        memory = MemoryTier(self.settings.memory_cache_bytes)
        return self._afresh(ResultCache(memory, None, self.cache.codec), reasons=Reasons(None))

    def _last_steps(self, plan: Plan, loops: list[str]) -> list[str]:
        """The files of the last checkpoints of some nodes, once they are there."""
        if not loops:
            return []
        self.cache.wait_for_disk()
        keys = [self._executor.result_key(plan, loop) for loop in loops]
        return [str(path) for key in keys for path in last_step(self.cache, key)]

    def _result_key(self, graph: Graph, request: RunRequest, node: str) -> str:
        plan = self.plan(graph, replace(request, targets=[node]))
        if not plan.targets:
            raise PlanError("is left out of a run.", place=node, way_out="Switch it on again.")
        return self._executor.result_key(plan, plan.targets[0])

    def run(self, graph: Graph, request: RunRequest, state: RunState) -> dict[str, Results]:
        """Run `graph`; everything that happens is told to `state.emit`, failures too.

        Returns:
            The targets' results; empty when the run failed or was stopped.
        """
        start = time.perf_counter()
        begin_hashing(request.stamp)
        try:
            plan = self._plan_with_content(graph, request, state)
            executor = self._executor_on_nothing() if request.afresh else self._executor
            results = executor.run(plan, request, state)
        except Cancelled:
            self.cache.wait_for_disk()  # who hears of a checkpoint finds it
            state.emit(events.RunCancelled(request.run, state.model_calls, state.checkpoints))
        except NodeFailedError as error:
            state.emit(events.Failed(request.run, error.node, error.report, error.same))
        except NodeForgeError as error:
            state.emit(events.Failed(request.run, "", ErrorReport.of(error)))
        except Exception as error:  # a mistake of ours is an answer, not the worker's end
            state.emit(events.Failed(request.run, "", unexpected_report(error)))
        else:
            seconds = time.perf_counter() - start
            self._tell_of_shared_cache(request, state, plan)
            kept = self._last_steps(plan, request.kept_loops)
            calls = state.model_calls
            state.emit(events.RunFinished(request.run, state.outputs, seconds, calls, kept))
            return results
        return {}

    def _tell_of_shared_cache(self, request: RunRequest, state: RunState, plan: Plan) -> None:
        """Say once that the folder which machines share cannot be used, or can no more."""
        problem = self.cache.shared.problem() if self.cache.shared is not None else ""
        if problem and problem != self._told_problem:
            fact = f"{problem} Results are kept on this machine alone."
            state.emit(events.Notice(request.run, plan.targets[0], fact))
        self._told_problem = problem


def _read_models(unread: Mapping[Path, int], request: RunRequest, state: RunState) -> None:
    """Read what names models by their content, before the run.

    Raises:
        Cancelled: `state.stop` was set.
        ModelFileError: one is damaged or cannot be read.
    """
    for path, size in unread.items():
        done = told = 0

        def watch(count: int, path: Path = path, size: int = size) -> None:
            nonlocal done, told
            if state.stop.is_set():
                raise Cancelled
            done += count
            if done - told >= _TOLD or done >= size:
                told = done
                state.emit(events.Reading(request.run, str(path), done, size))

        fingerprints().of(path, watch)
