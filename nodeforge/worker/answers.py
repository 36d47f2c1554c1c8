"""The questions that a worker answers, by the names that they have on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nodeforge import models
from nodeforge.diffusion import Residency, describe, describe_denoiser
from nodeforge.diffusion.memory.attention_speeds import attention_speeds
from nodeforge.diffusion.tensors.attention import attention_backends
from nodeforge.diffusion.tensors.devices import devices, report_of
from nodeforge.diffusion.weights import pickles, saving
from nodeforge.engine.session import Session
from nodeforge.errors import Cancelled
from nodeforge.formats import graph_from_json
from nodeforge.worker.clips import OpenClips, facts_of
from nodeforge.worker.packs import Packs
from nodeforge.worker.render import LARGEST, render
from nodeforge.worker.server import Answer, request_from
from nodeforge.worker.sizes import memory_needs, model_files

Header = dict[str, Any]
"""What a question says."""


@dataclass(frozen=True)
class Answers:
    """Answers from what a worker has: its session, its networks, the clips that are open."""

    session: Session
    packs: Packs
    residency: Residency
    clips: OpenClips = field(default_factory=OpenClips)

    def beside_runs(self) -> dict[str, Callable[[Header], Answer]]:
        """Questions that are answered whatever runs."""
        return {
            "catalogue": self._catalogue,
            "convert_pickle": self._convert_pickle,
            "save_smaller": self._save_smaller,
            "plan": self._plan,
            "memory_needs": self._memory_needs,
            "render": self._render,
            "open_clip": self._open_clip,
            "steps": self._steps,
            "pin_last_step": self._pin_last_step,
            "devices": self._devices,
            "free": self._free,
            "forget_contents": self._forget_contents,
        }

    def playing(self) -> dict[str, Callable[[Header], Answer]]:
        """Questions about a clip that ``open_clip`` has opened."""
        return {
            "clip_frames": self._clip_frames,
            "clip_sound": self._clip_sound,
            "clip_waveform": self._clip_waveform,
        }

    def computing(self) -> dict[str, Callable[..., Answer]]:
        """Questions that compute with the networks, between runs."""
        return {"attention_speeds": self._attention_speeds}

    def _catalogue(self, _: Header) -> Answer:
        return {**self.session.catalogue.to_json(), "refused": self.packs.refused}, b""

    def _plan(self, header: Header) -> Answer:
        planned = self.session.plan(graph_from_json(header["graph"]), request_from(header))
        forecast = self.session.forecast(planned, header.get("document", ""))
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

    def _memory_needs(self, header: Header) -> Answer:
        return {"models": memory_needs(header["models"], self.residency)}, b""

    def _kept(self, header: Header) -> Any:
        """The value that a question is about."""
        graph, place = graph_from_json(header["graph"]), (header["node"], header.get("port", ""))
        return self.session.kept(graph, request_from(header), *place, header.get("step", 0))

    def _render(self, header: Header) -> Answer:
        value = self._kept(header)
        facts = facts_of(value)
        told = {"clip": facts and asdict(facts)}
        pixels = render(value, header.get("longest", LARGEST), header.get("item", 0))
        if pixels is None:
            return {"shape": [], **told}, b""
        return {"shape": pixels.shape, **told}, pixels.tobytes()

    def _steps(self, header: Header) -> Answer:
        asked = graph_from_json(header["graph"]), request_from(header), header["node"]
        found = self.session.steps(*asked)
        return {"steps": found, "kept": self.session.steps_kept(*asked)}, b""

    def _pin_last_step(self, header: Header) -> Answer:
        asked = graph_from_json(header["graph"]), request_from(header), header["node"]
        self.session.pin_last_step(*asked, header["pinned"])
        return {}, b""

    def _devices(self, _: Header) -> Answer:
        device = self.residency.device
        return {
            "devices": [asdict(each) for each in devices()],
            "chosen": asdict(report_of(device)),
            "attention": attention_backends(device),
        }, b""

    def _attention_speeds(self, header: Header, check: Callable[[], None]) -> Answer:
        """What attention kernels take with a model; None where a run came in between."""
        path, kind = Path(header["path"]), models.Kind(header["kind"])
        recipe = describe_denoiser(path) if kind is models.Kind.UNET else describe(path).model
        try:
            speeds = attention_speeds(self.residency, recipe, check)
        except Cancelled:
            return {"speeds": None}, b""
        return {"speeds": [asdict(each) for each in speeds]}, b""

    def _free(self, _: Header) -> Answer:
        self.residency.free()
        self.clips.clear()
        self.session.cache.memory.clear()
        return {}, b""

    def _forget_contents(self, _: Header) -> Answer:
        models.fingerprints().forget()
        return {}, b""

    def _convert_pickle(self, header: Header) -> Answer:
        count = pickles.convert_pickle(Path(header["path"]), Path(header["target"]))
        return {"tensors": count}, b""

    def _save_smaller(self, header: Header) -> Answer:
        count = saving.save_smaller(Path(header["path"]), Path(header["target"]), header["form"])
        return {"matrices": count}, b""

    def _open_clip(self, header: Header) -> Answer:
        return {"clip": self.clips.open(self._kept(header))}, b""

    def _clip_frames(self, header: Header) -> Answer:
        asked = header["clip"], header["first"], header["count"], header["longest"]
        pixels = self.clips.frames(*asked)
        return {"first": header["first"], "shape": pixels.shape}, pixels.tobytes()

    def _clip_sound(self, header: Header) -> Answer:
        samples, rate = self.clips.sound(header["clip"])
        return {"rate": rate, "channels": samples.shape[1]}, samples.tobytes()

    def _clip_waveform(self, header: Header) -> Answer:
        pixels = self.clips.waveform(header["clip"], header["width"], header["height"])
        if pixels is None:
            return {"shape": []}, b""
        return {"shape": pixels.shape}, pixels.tobytes()
