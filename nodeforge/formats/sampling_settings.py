"""What the denoise loops of a workflow are told, with what they leave to the model resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nodeforge.graph.flatten import FlatGraph
from nodeforge.graph.model import Input
from nodeforge.models import FAMILIES, Kind, ModelInfo, SamplingSettings, resolve
from nodeforge.spec import ModelFileWidget
from nodeforge.values.setting_names import AUTO, COMFYUI, DIFFUSERS

LOOP = "sampling.denoise"
REFINING = "sampling.refine_regions"
"""A loop for each part of a mask, with its seed and size at the node itself."""
LOOPS = (LOOP, REFINING)
VIDEO_NOISE = "sampling.video_noise"
MOTION_MODULE = "models.load_motion_module"
_REFINED_STRENGTH = 0.5
"""Of a *Refine regions* whose schedule is left to it."""
_SHOWS = ("text.instruct", "text.add_reference")
_DENOISERS = (Kind.CHECKPOINT, Kind.UNET)
Recognised = Callable[[str, str], ModelInfo | None]
"""From the kind and the name of a model to what it is; None where that cannot be told."""


class LoopTrace:
    """Follows links back to the nodes that a loop's settings were given in.

    Args:
        flat: The workflow, with its planned values.
        recognised: Tells what a model is, for settings that are left to it.
    """

    def __init__(self, flat: FlatGraph, recognised: Recognised | None = None) -> None:
        self.flat = flat
        self._recognised = recognised
        self._feeds: dict[str, list[str]] = {}
        for end, start in flat.links.items():
            self._feeds.setdefault(end.node, []).append(start.node)

    def loops(self) -> Iterator[str]:
        """The denoise loops."""
        return (path for path in self.flat.nodes if self.is_loop(path))

    def first_pass(self, saver: str = "") -> str | None:
        """The denoise loop that no other one feeds, of those that something saved needs.

        Args:
            saver: The node that saves it; empty for any.
        """
        effects = [path for path, n in self.flat.nodes.items() if n.spec and n.spec.effects]
        for start in [saver] if saver else effects or list(self.flat.nodes):
            loops = [path for path in self.upstream(start) if self.is_loop(path)]
            for loop in loops:
                if not any(self.is_loop(path) for path in self.upstream(loop) if path != loop):
                    return loop
        return None

    def settings(self, loop: str) -> SamplingSettings | None:
        """What a loop is told; None where something is left to a model that is not known."""
        asked = SamplingSettings(
            sampler=str(self.value(loop, "sampler", "name") or AUTO),
            schedule=self._schedule(loop),
            steps=_whole(self.value(loop, "schedule", "steps")),
            guidance=_number(self.value(loop, "guidance", "scale")),
            width=_whole(self.size(loop, "width")),
            height=_whole(self.size(loop, "height")),
            frames=self._frames(loop),
            convention=COMFYUI
            if self.value(loop, "sampler", "convention") == COMFYUI
            else DIFFUSERS,
        )
        draws_video = self._video_noise(loop) is not None
        if asked.complete and (asked.frames is not None or not draws_video):
            return asked
        model = self.model(loop)
        if model is None or model.family not in FAMILIES:
            return asked if asked.complete else None
        prediction = self.value(loop, "model", "prediction")
        kind = model.prediction_type if prediction in (None, AUTO) else str(prediction)
        variant = self.value(loop, "model", "variant")
        told = str(variant) if variant not in (None, AUTO) else model.variant
        made = resolve(asked, model.family, told, kind or "")
        if asked.width is None and asked.height is None and self.shows_references(loop):
            return replace(made, width=None, height=None)  # that of the first picture
        return made

    def seed(self, loop: str) -> Any:
        """The seed that the loop's noise is drawn from."""
        if self.is_refining(loop):
            return self.literal(loop, "seed")
        return self.value(loop, "noise", "seed")

    def size(self, loop: str, side: str) -> Any:
        """A side of what the loop draws, where the workflow says it."""
        if self.is_refining(loop):
            return self.literal(loop, "size")
        return self.value(loop, "noise", side)

    def strength(self, loop: str) -> Any:
        """The share of the schedule that is run; None is all of it."""
        if self.is_refining(loop) and Input(loop, "schedule") not in self.flat.links:
            return _REFINED_STRENGTH
        return self.value(loop, "schedule", "strength")

    def _frames(self, loop: str) -> int | None:
        """Of a video noise; where it says none, as many as a motion module relates at once."""
        noise = self._video_noise(loop)
        frames = _whole(self.literal(noise, "frames")) if noise else None
        if frames is not None:
            return frames
        return _whole(self.motion_context(loop))

    def _video_noise(self, loop: str) -> str | None:
        path = self.given_in(loop, "noise", "seed")
        return path if path and self.flat.nodes[path].type == VIDEO_NOISE else None

    def motion_context(self, loop: str) -> Any:
        """Frames that the motion module on the loop's model relates; None where it has none."""
        for path in self.behind(loop, "model"):
            if self.flat.nodes[path].type == MOTION_MODULE:
                return self.literal(path, "context")
        return None

    def shows_references(self, loop: str) -> bool:
        """Whether the loop's prompt shows pictures, whose size then counts."""
        found = self.behind(loop, "positive")
        return any(self.flat.nodes[path].type in _SHOWS for path in found)

    def model(self, loop: str) -> ModelInfo | None:
        """What the loop's model is."""
        named = self._model(loop)
        return self._recognised(*named[1:]) if named and self._recognised else None

    def model_name(self, loop: str) -> str | None:
        """The file of the loop's model, as the workflow names it."""
        named = self._model(loop)
        return named[2] if named else None

    def model_named(self, loop: str) -> tuple[str, str] | None:
        """Kind and name of the loop's model, as the workflow names it."""
        named = self._model(loop)
        return named[1:] if named else None

    def path_of(self, kind: str, name: str) -> Path | None:
        """Where a model is, as far as that can be told."""
        info = self._recognised(kind, name) if self._recognised else None
        return info.path if info else None

    def model_node(self, loop: str) -> str | None:
        """The node that names the loop's model."""
        named = self._model(loop)
        return named[0] if named else None

    def _model(self, loop: str) -> tuple[str, str, str] | None:
        """Node, kind and name of the loop's model; LoRAs and others between are passed by."""
        for path in self.behind(loop, "model"):
            spec = self.flat.nodes[path].spec
            widget = spec.input["file"].widget if spec and "file" in spec.input else None
            if isinstance(widget, ModelFileWidget) and widget.kind in _DENOISERS:
                name = self.literal(path, "file")
                return (path, widget.kind, str(name)) if name else None
        return None

    def behind(self, loop: str, port: str) -> list[str]:
        """What the loop's `port` depends on, nearest first."""
        start = self.flat.links.get(Input(loop, port))
        return self.upstream(start.node) if start else []

    def upstream(self, path: str) -> list[str]:
        """`path` and what it depends on, nearest first."""
        found = dict.fromkeys([path])
        waiting = [path]
        for node in waiting:
            for source in self._feeds.get(node, ()):
                if source not in found:
                    found[source] = None
                    waiting.append(source)
        return waiting

    def value(self, loop: str, port: str, name: str) -> Any:
        """The value of input `name` in the nearest node that has one, behind `port`."""
        node = self.given_in(loop, port, name)
        return None if node is None else self.literal(node, name)

    def is_loop(self, path: str) -> bool:
        return self.flat.nodes[path].type in LOOPS

    def is_refining(self, loop: str) -> bool:
        """Whether a loop draws the parts of a mask."""
        return self.flat.nodes[loop].type == REFINING

    def _schedule(self, loop: str) -> str:
        if self.value(loop, "schedule", "sigmas") is not None:
            return "custom"
        return str(self.value(loop, "schedule", "name") or AUTO)

    def given_in(self, loop: str, port: str, name: str) -> str | None:
        """The nearest node behind the loop's `port` that has an input `name`."""
        for path in self.behind(loop, port):
            node = self.flat.nodes[path]
            if node.spec is not None and name in node.spec.input:
                return path
        return None

    def literal(self, path: str, port: str) -> Any:
        """The value of an input: its own, or the planned one that feeds it, of a list the first."""
        start = self.flat.links.get(Input(path, port))
        if start is not None:
            return next(iter(self.flat.planned.get(start, ())), None)
        node = self.flat.nodes[path]
        declared = node.spec.input.get(port) if node.spec else None
        return node.values.get(port, declared.default if declared else None)


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) else None
