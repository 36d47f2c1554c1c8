"""Checkpoints of long nodes, by step key, in the same two tiers as results."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nodeforge.engine.cache.store import ResultCache

if TYPE_CHECKING:
    from nodeforge.values import Checkpoint

SMALL = 4 * 2**20
"""Bytes up to which every step's checkpoint goes to disk; larger ones each fifth step."""
SPARSE = 5
_MARK = "-step"
_WALK = "-walk"
_DIGESTS = "-digests"
_DIGITS = 12


class StepDigests(NamedTuple):
    """What the steps of a node's loops came to.

    Args:
        digests: Of the latent after each step, in order; empty where it is unknown.
        made_in: Names of the environments in which they were made.
    """

    digests: tuple[str, ...]
    made_in: tuple[str, ...]


class Steps:
    """The `StepStore` of one run of one node.

    Args:
        cache: Where checkpoints are kept.
        node_key: The node's key, under which the keys of its steps are noted.
        made_in: The name of this run's environment.
        told: Who is told of the files of checkpoints, in a thread of the cache's, and how many
            seconds lie between two.
    """

    def __init__(
        self,
        cache: ResultCache,
        node_key: str,
        made_in: str = "",
        told: tuple[Callable[[Path], None], float] | None = None,
    ) -> None:
        self._cache = cache
        self._node_key = node_key
        self._made_in = made_in
        self._walks: list[StepDigests] = []
        """Of each loop that the node has walked, in this run and before."""
        self._since = self._told_at = time.perf_counter()
        self._told = told
        self._last: tuple[str, Checkpoint] | None = None
        """The last checkpoint, while it is in memory alone."""
        self._reached = ""
        """The key of the last checkpoint that this run has stored, or has gone on from."""

    def furthest(self, keys: Sequence[str]) -> tuple[int, Checkpoint] | None:
        """The last of `keys` whose checkpoint can be read, as its index and the checkpoint."""
        self._cache.put(self._node_key + _WALK, list(keys), 0.0, to_disk=True)
        self._walks.append(StepDigests((), ()))
        for index in range(len(keys) - 1, -1, -1):
            if (found := self._cache.get(keys[index] + _MARK)) is not None:
                self._reached = keys[index]
                done = found[0].digests[: index + 1]
                done += ("",) * (index + 1 - len(done))  # it was kept before there were any
                self._walks[-1] = StepDigests(done, found[0].made_in)
                return index, found[0]
        return None

    def store(self, key: str, checkpoint: Checkpoint) -> None:
        now = time.perf_counter()
        seconds, self._since = now - self._since, now
        checkpoint = self._with_digest(checkpoint)
        small = self._cache.codec.size(checkpoint) <= SMALL
        to_disk = small or checkpoint.step % SPARSE == 0
        self._cache.put(key + _MARK, checkpoint, seconds, to_disk=to_disk)
        self._last = None if to_disk else (key, checkpoint)
        self._reached = key
        if to_disk and self._told is not None and now - self._told_at >= self._told[1]:
            self._told_at = now
            for path in self.reached():
                self._cache.when_on_disk(partial(self._told[0], path))

    def _with_digest(self, checkpoint: Checkpoint) -> Checkpoint:
        """`checkpoint` with what its steps came to, so that it is known to who goes on from it."""
        digests, made_in = self._walks.pop() if self._walks else StepDigests((), ())
        made = self._cache.codec.digest(checkpoint.latent) or ""
        if self._made_in and self._made_in not in made_in:
            made_in = (*made_in, self._made_in)
        self._walks.append(StepDigests((*digests, made[:_DIGITS]), made_in))
        return replace(checkpoint, digests=self._walks[-1].digests, made_in=made_in)

    def keep_digests(self) -> None:
        """Keep what the steps came to under the node's key, beside its result."""
        if self._walks:
            digests = [each for walk in self._walks for each in walk.digests]
            made_in = [*dict.fromkeys(name for walk in self._walks for name in walk.made_in)]
            told = {"digests": digests, "made_in": made_in}
            self._cache.put(self._node_key + _DIGESTS, told, 0.0, to_disk=True)

    def keep_last(self) -> list[Path]:
        """Write the last checkpoint to disk: the run was stopped, and is to go on from there.

        Returns:
            Its file, which may not be there yet (`ResultCache.wait_for_disk`); none where no step
            was done, or nothing is kept on disk.
        """
        if self._last is not None:
            key, checkpoint = self._last
            self._cache.put(key + _MARK, checkpoint, 0.0, to_disk=True)
            self._last = None
        return self.reached()

    def reached(self) -> list[Path]:
        """The file of the furthest checkpoint of this run, as `keep_last` gives it."""
        return _files(self._cache, self._reached)

    def keep(self, key: str) -> None:
        """Have the checkpoint under `key` on disk, whatever its size."""
        self._cache.write(key + _MARK)


def step_digests(cache: ResultCache, node_key: str) -> StepDigests | None:
    """What the steps of a node's loops came to; None for a node without, or where it is gone."""
    if (found := cache.get(node_key + _DIGESTS)) is None:
        return None
    return StepDigests(tuple(found[0]["digests"]), tuple(found[0]["made_in"]))


def steps_known(cache: ResultCache, node_key: str) -> int:
    """How many steps a node's loop walked when it last ran; 0 where that is not known."""
    walk = cache.get(node_key + _WALK)
    return len(walk[0]) if walk else 0


def steps_kept(cache: ResultCache, node_key: str) -> int:
    """The last step of a node's loop whose checkpoint is kept, counted from 1; 0 for none."""
    walk = cache.get(node_key + _WALK)
    keys = walk[0] if walk else []
    kept = (n for n in range(len(keys), 0, -1) if cache.where(keys[n - 1] + _MARK) is not None)
    return next(kept, 0)


def last_step(cache: ResultCache, node_key: str) -> list[Path]:
    """The file of the last checkpoint of a node's loop; none where nothing is kept on disk."""
    walk = cache.get(node_key + _WALK)
    return _files(cache, walk[0][-1] if walk and walk[0] else "")


def pin_last_step(cache: ResultCache, node_key: str, pinned: bool) -> None:
    """Keep the last checkpoint of a node's loop on disk for a week, or let it go again."""
    walk = cache.get(node_key + _WALK)
    if walk and walk[0]:
        cache.pin(walk[0][-1] + _MARK, pinned)


def _files(cache: ResultCache, step_key: str) -> list[Path]:
    return [cache.disk.path(step_key + _MARK)] if step_key and cache.disk is not None else []


def checkpoint_of(cache: ResultCache, node_key: str, step: int) -> Checkpoint | None:
    """What a node's loop held after `step` of its steps, counted from 1; None where unknown."""
    walk = cache.get(node_key + _WALK)
    if walk is None or not 1 <= step <= len(walk[0]):
        return None
    found = cache.get(walk[0][step - 1] + _MARK)
    return found and found[0]
