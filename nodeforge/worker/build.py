"""Puts the worker together: settings, packs, cache and networks."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

from nodeforge.diffusion import Residency
from nodeforge.diffusion.networks.building import import_libraries
from nodeforge.diffusion.tensors.devices import choose, out_of_memory_explained
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.engine.cache import DiskTier, KeyClaims, MemoryTier, ResultCache, SharedTier
from nodeforge.engine.session import Session
from nodeforge.settings import Settings, load_settings
from nodeforge.values import Recipe
from nodeforge.worker.answers import Answers
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_packs
from nodeforge.worker.server import Server
from nodeforge.worker.versions import cache_version, environment

_NEED_LIBRARIES = ("memory_needs", "devices")
"""Questions whose answers import modules of diffusers."""


class LoadedNetworks:
    """The engine's `Networks` on the diffusion library's residency."""

    def __init__(self, residency: Residency) -> None:
        self._residency = residency

    def use(self, recipe: Recipe, check: Callable[[], None]) -> AbstractContextManager[Any]:
        return self._residency.use(recipe, check=check)

    @property
    def device(self) -> str:
        return str(self._residency.device)

    def numerics(self) -> Mapping[str, str]:
        return self._residency.numerics()

    def environment(self) -> Mapping[str, str]:
        return environment(self._residency.device)

    def free_memory(self) -> str:
        return self._residency.free_memory()


@contextmanager
def guard() -> Iterator[None]:
    """Around every node: no gradients, and memory that ran out is an error people know."""
    with torch.no_grad(), out_of_memory_explained():
        yield


def build_server(
    device: str,
    requests: BinaryIO,
    replies: BinaryIO,
    *,
    spare_core: bool = False,
    threads: int = 0,
    shares_work: bool = False,
    left: Callable[[], None] = lambda: None,
) -> Server:
    """A server on the user's settings, packs and cache; `left` as `Server` has it.

    Args:
        shares_work: Waits for results that another worker on this cache computes.
    """
    settings = load_settings()
    if threads:
        torch.set_num_threads(threads)
    elif spare_core:
        torch.set_num_threads(max(1, torch.get_num_threads() - 1))
    packs = load_packs(settings)
    residency = Residency(choose(device), Policy.of(settings))
    cache = ResultCache(
        MemoryTier(settings.memory_cache_bytes),
        DiskTier(settings.result_cache, cache_version(), settings.disk_cache_bytes),
        ValueCodec(),
        KeyClaims(settings.cache / "claims") if shares_work else None,
        _shared_tier(settings),
    )
    session = Session(settings, packs.node_types, cache, LoadedNetworks(residency), guard)
    answers = Answers(session, packs, residency)
    playing = answers.playing()
    asked = answers.beside_runs() | playing
    return Server(
        *(session, requests, replies, asked, left, _prepare, _NEED_LIBRARIES, playing),
        computing=answers.computing(),
    )


def _shared_tier(settings: Settings) -> SharedTier | None:
    if not settings.shared_cache:
        return None
    return SharedTier(Path(settings.shared_cache), cache_version(), settings.shared_cache_bytes)


def _prepare() -> None:
    import_libraries()
    gc.freeze()  # what the libraries made stays; walking it again cost a third of a long chain
