"""The run request and state, and the `RunContext` that a node sees."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from nodeforge.engine import events
from nodeforge.engine.cache import ResultCache, Steps
from nodeforge.engine.content.model_hashes import finished_stamp
from nodeforge.engine.content.referenced_models import Named, referenced_model
from nodeforge.errors import Cancelled
from nodeforge.values.picture_lock import LOCK

if TYPE_CHECKING:
    import numpy as np

    from nodeforge.values import Recipe


class Networks(Protocol):
    """Turns recipes into loaded networks; the worker has the real one."""

    def use(self, recipe: Recipe, check: Callable[[], None]) -> AbstractContextManager[Any]:
        """The network, for a `with` block; `check` raises `Cancelled` while loading."""
        ...

    @property
    def device(self) -> str:
        """Where they compute."""
        ...

    def numerics(self) -> Mapping[str, str]:
        """All that changes numbers."""
        ...

    def environment(self) -> Mapping[str, str]:
        """What made results may hang on beside that: versions, device, threads."""
        ...

    def free_memory(self) -> str:
        """Make room after memory ran out; what was done, a clause."""
        ...


class NoNetworks:
    """For graphs that need none."""

    device = "cpu"

    def use(self, recipe: Recipe, check: Callable[[], None]) -> AbstractContextManager[Any]:
        del check
        return nullcontext(recipe)

    def numerics(self) -> Mapping[str, str]:
        return {}

    def environment(self) -> Mapping[str, str]:
        return {}

    def free_memory(self) -> str:
        return "nothing could be dropped"


@dataclass
class RunRequest:
    """What a run was asked for.

    Args:
        run: Its id; every event carries it.
        targets: Nodes whose results are wanted; empty for all that save or show something.
        assets: The workflow's assets by name.
        granted: Paths that the person gave.
        sent: Files that another machine has sent: the kind, the name in the workflow, the path.
        lock: What the workflow was last run with, as in its file.
        stamp: Text chunks for saved pictures.
        outputs: The folder for what nodes save.
        previews: Whether pictures of work in progress are wanted.
        document: Names the workflow among others, so that its last run is found again.
        kept_loops: Nodes of whose loops the last checkpoints are told when the run has ended.
        afresh: Whether all is computed again, from an empty cache that ends with the run.
        checkpoints: Files of this machine's cache that it may go on from; another machine is
            sent them.
        tells_steps: Seconds between two checkpoints that are told of (`events.Kept`); 0 tells of
            none.
    """

    run: str
    targets: list[str] = field(default_factory=list)
    assets: Mapping[str, Any] = field(default_factory=dict)
    granted: list[str] = field(default_factory=list)
    sent: list[list[str]] = field(default_factory=list)
    lock: Mapping[str, Any] = field(default_factory=dict)
    stamp: Mapping[str, str] = field(default_factory=dict)
    outputs: Path = Path()
    previews: bool = False
    document: str = ""
    kept_loops: list[str] = field(default_factory=list)
    afresh: bool = False
    checkpoints: list[str] = field(default_factory=list)
    tells_steps: float = 0.0

    @property
    def meaning(self) -> dict[str, Any]:
        """What names of files mean in the workflow, as messages to the worker say it."""
        said = {"assets": dict(self.assets), "granted": self.granted, "lock": dict(self.lock)}
        return {**said, "sent": self.sent} if self.sent else said


@dataclass
class RunState:
    """What a run has done so far, and whether it is to stop."""

    emit: Callable[[events.Event], None]
    stop: Flag = field(default_factory=Flag)
    outputs: list[str] = field(default_factory=list)
    model_calls: int = 0
    checkpoints: list[str] = field(default_factory=list)
    """Files of the cache that a later run goes on from."""


def stamp_of(stamp: Mapping[str, str], copy: str) -> dict[str, str]:
    """The text chunks for what `copy` saves: others' summaries, ``parameters COPY``, go."""
    own = {name: text for name, text in stamp.items() if "#" not in name}
    for name, text in stamp.items():
        chunk, _, of = name.partition(" ")
        if of == copy and "#" in of:
            own[chunk] = text
    return own


class NodeRun:
    """One node's share of a run: `nodeforge.api.RunContext`."""

    def __init__(
        self,
        node: str,
        key: str,
        request: RunRequest,
        state: RunState,
        cache: ResultCache,
        networks: Networks,
        named: Named = MappingProxyType({}),
        lock: Callable[[], str] = str,
        made_in: str = "",
    ) -> None:
        self._node = node
        self._request = request
        self._state = state
        self._networks = networks
        self._named = named
        self._lock = lock
        self._start = time.perf_counter()
        self.exact = True
        """Whether the result is what was asked for, and may be cached."""
        told = (self._tell_kept, request.tells_steps) if request.tells_steps else None
        self.steps = Steps(cache, key, made_in, told)

    @functools.cached_property
    def stamp(self) -> Mapping[str, str]:
        """That of the run, with the lock of what the node saves; a copy behind a list has a
        summary of its own.
        """
        texts, unknown = finished_stamp(stamp_of(self._request.stamp, self._node))
        if unknown:
            named = ", ".join(unknown)
            self.notice(f"the SHA-256 of {named} is not known yet, and not in what is saved.")
        return {**texts, LOCK: lock} if (lock := self._lock()) else texts

    @property
    def outputs(self) -> Path:
        return self._request.outputs

    @property
    def device(self) -> str:
        return self._networks.device

    @property
    def numerics(self) -> Mapping[str, str]:
        return self._networks.numerics()

    def check(self) -> None:
        if self._state.stop.is_set():
            raise Cancelled

    def progress(
        self,
        step: int,
        of: int,
        preview: Callable[[], np.ndarray] | None = None,
        part: float = 0.0,
        rate: float = 8.0,
    ) -> None:
        seconds = time.perf_counter() - self._start
        self._emit(events.Progress(self._request.run, self._node, step, of, seconds, part))
        if preview is not None and self._request.previews:
            self._emit(self._preview(step, preview(), rate))
        self.check()

    def _tell_kept(self, path: Path) -> None:
        self._emit(events.Kept(self._request.run, self._node, str(path)))

    def _preview(self, step: int, pixels: np.ndarray, rate: float) -> events.Preview:
        """The event of a picture, or of a video's: uint8 ([frames,] height, width, 3)."""
        height, width = pixels.shape[-3:-1]
        told = self._request.run, self._node, step, width, height, pixels.tobytes()
        if pixels.ndim == 3:
            return events.Preview(*told)
        return events.Preview(*told, frames=len(pixels), rate=rate)

    def use(self, recipe: Recipe) -> AbstractContextManager[Any]:
        return self._networks.use(recipe, self.check)

    def named(self, name: str) -> Path:
        return referenced_model(self._named, name)

    def count_model_call(self) -> None:
        self._state.model_calls += 1

    def fell_back(self, fact: str) -> None:
        self.exact = False
        self.notice(fact)

    def notice(self, fact: str) -> None:
        """Tell the person something that the result does not depend on."""
        self._emit(events.Notice(self._request.run, self._node, fact))

    def saved(self, path: Path) -> None:
        self._state.outputs.append(str(path))
        self._emit(events.Saved(self._request.run, self._node, str(path)))

    def _emit(self, event: events.Event) -> None:
        self._state.emit(event)
