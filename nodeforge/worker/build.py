"""Puts the worker together: packs, cache, networks, and the questions it answers."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import torch

from nodeforge import models
from nodeforge.diffusion import Residency, describe, describe_denoiser
from nodeforge.diffusion.memory.attention_speeds import attention_speeds
from nodeforge.diffusion.networks.building import import_libraries
from nodeforge.diffusion.tensors.attention import attention_backends
from nodeforge.diffusion.tensors.devices import choose, devices, out_of_memory_explained, report_of
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.diffusion.weights import pickles, saving
from nodeforge.engine.cache import DiskTier, KeyClaims, MemoryTier, ResultCache, SharedTier
from nodeforge.engine.session import Session
from nodeforge.errors import Cancelled
from nodeforge.formats import graph_from_json
from nodeforge.settings import Settings, load_settings
from nodeforge.values import Recipe
from nodeforge.worker.clips import OpenClips, facts_of
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import Packs, load_packs
from nodeforge.worker.render import LARGEST, render
from nodeforge.worker.server import Answer, Server, request_from
from nodeforge.worker.sizes import memory_needs, model_files
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
    clips = OpenClips()
    playing = _clip_answers(clips)
    answers = _answers(session, packs, residency, clips) | playing
    return Server(
        *(session, requests, replies, answers, left, _prepare, _NEED_LIBRARIES, playing),
        computing={"attention_speeds": partial(_attention, residency)},
    )


def _attention(residency: Residency, header: dict[str, Any], check: Callable[[], None]) -> Answer:
    """What attention kernels take with a model; None where a run came in between."""
    path, kind = Path(header["path"]), models.Kind(header["kind"])
    recipe = describe_denoiser(path) if kind is models.Kind.UNET else describe(path).model
    try:
        speeds = attention_speeds(residency, recipe, check)
    except Cancelled:
        return {"speeds": None}, b""
    return {"speeds": [asdict(each) for each in speeds]}, b""


def _shared_tier(settings: Settings) -> SharedTier | None:
    if not settings.shared_cache:
        return None
    return SharedTier(Path(settings.shared_cache), cache_version(), settings.shared_cache_bytes)


def _prepare() -> None:
    import_libraries()
    gc.freeze()  # what the libraries made stays; walking it again cost a third of a long chain


def _answers(
    session: Session, packs: Packs, residency: Residency, clips: OpenClips
) -> dict[str, Callable[[dict[str, Any]], Answer]]:
    def catalogue(_: dict[str, Any]) -> Answer:
        return {**session.catalogue.to_json(), "refused": packs.refused}, b""

    def plan(header: dict[str, Any]) -> Answer:
        planned = session.plan(graph_from_json(header["graph"]), request_from(header))
        forecast = session.forecast(planned, header.get("document", ""))
        return {
            "nodes": {node: asdict(what) for node, what in forecast.items()},
            "models": model_files(planned),
            "companions": {
                node.id: {port: models.locked_entry(info) for port, info in node.companions.items()}
                for node in planned.nodes.values()
                if node.companions
            },
            "unread": {str(path): size for path, size in planned.unread.items()},
        }, b""

    def memory(header: dict[str, Any]) -> Answer:
        return {"models": memory_needs(header["models"], residency)}, b""

    def kept(header: dict[str, Any]) -> Any:
        graph, place = graph_from_json(header["graph"]), (header["node"], header.get("port", ""))
        return session.kept(graph, request_from(header), *place, header.get("step", 0))

    def picture(header: dict[str, Any]) -> Answer:
        value = kept(header)
        facts = facts_of(value)
        told = {"clip": facts and asdict(facts)}
        pixels = render(value, header.get("longest", LARGEST), header.get("item", 0))
        if pixels is None:
            return {"shape": [], **told}, b""
        return {"shape": pixels.shape, **told}, pixels.tobytes()

    def steps(header: dict[str, Any]) -> Answer:
        asked = graph_from_json(header["graph"]), request_from(header), header["node"]
        return {"steps": session.steps(*asked), "kept": session.steps_kept(*asked)}, b""

    def pin_last_step(header: dict[str, Any]) -> Answer:
        asked = graph_from_json(header["graph"]), request_from(header), header["node"]
        session.pin_last_step(*asked, header["pinned"])
        return {}, b""

    def report(_: dict[str, Any]) -> Answer:
        chosen = asdict(report_of(residency.device))
        there = [asdict(each) for each in devices()]
        return {
            "devices": there,
            "chosen": chosen,
            "attention": attention_backends(residency.device),
        }, b""

    def free(_: dict[str, Any]) -> Answer:
        residency.free()
        clips.clear()
        session.cache.memory.clear()
        return {}, b""

    def forget_contents(_: dict[str, Any]) -> Answer:
        models.fingerprints().forget()
        return {}, b""

    def convert_pickle(header: dict[str, Any]) -> Answer:
        count = pickles.convert_pickle(Path(header["path"]), Path(header["target"]))
        return {"tensors": count}, b""

    def smaller(header: dict[str, Any]) -> Answer:
        count = saving.save_smaller(Path(header["path"]), Path(header["target"]), header["form"])
        return {"matrices": count}, b""

    return {
        "catalogue": catalogue,
        "convert_pickle": convert_pickle,
        "save_smaller": smaller,
        "plan": plan,
        "memory_needs": memory,
        "render": picture,
        "open_clip": lambda header: ({"clip": clips.open(kept(header))}, b""),
        "steps": steps,
        "pin_last_step": pin_last_step,
        "devices": report,
        "free": free,
        "forget_contents": forget_contents,
    }


def _clip_answers(clips: OpenClips) -> dict[str, Callable[[dict[str, Any]], Answer]]:
    """The questions about a clip that ``open_clip`` has opened."""

    def frames(header: dict[str, Any]) -> Answer:
        asked = header["clip"], header["first"], header["count"], header["longest"]
        pixels = clips.frames(*asked)
        return {"first": header["first"], "shape": pixels.shape}, pixels.tobytes()

    def sound(header: dict[str, Any]) -> Answer:
        samples, rate = clips.sound(header["clip"])
        return {"rate": rate, "channels": samples.shape[1]}, samples.tobytes()

    def waveform(header: dict[str, Any]) -> Answer:
        pixels = clips.waveform(header["clip"], header["width"], header["height"])
        if pixels is None:
            return {"shape": []}, b""
        return {"shape": pixels.shape}, pixels.tobytes()

    return {"clip_frames": frames, "clip_sound": sound, "clip_waveform": waveform}
