"""Makes the lock of what a node saves, from the plan and from what its nodes came to.

The engine has it made while a picture is saved. Digests come from the traces, so that a lock is
the same whether results were computed, found in the cache, or gone on with from a step.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nodeforge.engine.cache import ResultCache, StepDigests, step_digests
from nodeforge.engine.planning.keys import digest
from nodeforge.engine.planning.plan import Plan, PlannedNode
from nodeforge.engine.replay.lock import LockedNode, PictureLock, lock_text
from nodeforge.engine.running.traces import Trace
from nodeforge.graph.model import Output
from nodeforge.spec import ModelFileWidget

if TYPE_CHECKING:
    from nodeforge.engine.running.context import Networks

_DIGEST, _VALUE = 16, 8
"""Hexadecimal digits in a lock, of results and of values."""
_ENVIRONMENT = "-environment"


class Made(NamedTuple):
    """What is known of a node that has been computed, in this run or before.

    Args:
        trace: What its results came to; None where nobody knows.
        keys: Under which the cache may tell of it: its own, or one of an equal node.
        fell_back: Whether it was made another way than asked for.
    """

    trace: Trace | None
    keys: tuple[str, ...]
    fell_back: bool = False


class Locking:
    """Makes the locks of a run's pictures.

    Args:
        cache: Tells digests of steps, and environments.
        networks: Tell where this process computes.
    """

    def __init__(self, cache: ResultCache, networks: Networks) -> None:
        self._cache = cache
        self._networks = networks

    @cached_property
    def _environment(self) -> dict[str, str]:
        return dict(self._networks.environment())

    @cached_property
    def made_in(self) -> str:
        """A name for this process's environment, under which the cache tells it again.

        Results are kept beyond the process: who finds them must know where they were made.
        """
        if not self._environment:
            return ""
        name = digest(json.dumps(self._environment, sort_keys=True))[:_VALUE]
        self._cache.put(name + _ENVIRONMENT, self._environment, 0.0, to_disk=True)
        return name

    def text(self, node: PlannedNode, plan: Plan, made: Callable[[str], Made]) -> str:
        """The lock of what `node` saves.

        Args:
            node: The node that saves.
            plan: Has what feeds it.
            made: Tells of another node, by id.
        """
        lock = PictureLock(
            node.id, environment=self._environment, numerics=dict(self._networks.numerics())
        )
        for each in _above(node, plan):
            lock.nodes[each.id] = locked = _locked(each)
            lock.models |= _models(each)
            if locked.source:
                lock.packs[locked.pack] = locked.source
            if each is not node:
                self._put_in_results(locked, made(each.id))
        return lock_text(lock)

    def _put_in_results(self, locked: LockedNode, made: Made) -> None:
        locked.fell_back = made.fell_back
        if made.trace is None:
            return
        locked.digests = {port: each[:_DIGEST] for port, each in made.trace.digests.items()}
        known = (step_digests(self._cache, key) for key in made.keys)
        steps = next(filter(None, known), StepDigests((), ()))
        locked.steps = list(steps.digests)
        for name in (*steps.made_in, made.trace.made_in):
            if name and name != self.made_in:
                locked.made_in |= self._others(name)

    def _others(self, name: str) -> dict[str, str]:
        """What of a named environment is another than here."""
        found = self._cache.get(name + _ENVIRONMENT)
        there: dict[str, str] = found[0] if found else {}
        return {n: value for n, value in there.items() if self._environment.get(n, "") != value}


def _above(node: PlannedNode, plan: Plan) -> list[PlannedNode]:
    """What feeds `node`, in the plan's order, and that itself."""
    found, waiting = {node.id}, [node]
    while waiting:
        for feed in waiting.pop().feeds:
            if feed.node not in found:
                found.add(feed.node)
                waiting.append(plan.nodes[feed.node])
    return [each for each in plan.nodes.values() if each.id in found]


def _locked(node: PlannedNode) -> LockedNode:
    spec = node.spec
    return LockedNode(
        spec.type,
        spec.version,
        node.key,
        pack=spec.pack if spec.source else "",
        source=spec.source,
        network=spec.runs_network,
        values={port: digest(repr(value))[:_VALUE] for port, value in node.counted.items()},
        files={port: path.name for port, path in _files(node).items()},
        links={port: _sources(link) for port, link in node.links.items()},
    )


def _files(node: PlannedNode) -> dict[str, Path]:
    """The files of a node, by port; those that its texts name as ``port@name``."""
    files = {port: value for port, value in node.literals.items() if isinstance(value, Path)}
    for counted in node.counted:
        _, mark, name = counted.partition("@")
        if mark and isinstance(path := node.named.get(name), Path):
            files[counted] = path
    return files


def _models(node: PlannedNode) -> dict[str, str]:
    """The content keys of a node's models, by the names of their files."""
    return {
        path.name: str(node.counted[port])
        for port, path in _files(node).items()
        if "@" in port or isinstance(node.spec.input[port].widget, ModelFileWidget)
    }


def _sources(link: Output | list[Output]) -> list[str]:
    feeds = link if isinstance(link, list) else [link]
    return [f"{feed.node}.{feed.port}" for feed in feeds]
