"""Generating on a canvas in this process, as the window does through the worker."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nodeforge.canvas.generation.intents import METHODS, Intent
from nodeforge.canvas.generation.request import Generation, Selection, Source, request
from nodeforge.diffusion import Residency
from nodeforge.engine import events
from nodeforge.engine.cache import MemoryTier, ResultCache
from nodeforge.engine.content.assets import keep_bytes
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.session import Session
from nodeforge.formats import load
from nodeforge.graph.document import Document
from nodeforge.imaging import Box, Bytes, apply, to_bytes
from nodeforge.settings import Settings, shipped
from nodeforge.worker.build import LoadedNetworks
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_packs

MULTIPLE = 16
"""What nano's sizes are multiples of."""


def _session() -> Session:
    settings = Settings(home=Path(tempfile.mkdtemp(prefix="nodeforge-canvas-")))
    cache = ResultCache(MemoryTier(2**27), None, ValueCodec())
    networks = LoadedNetworks(Residency("cpu"))
    return Session(settings, load_packs(settings).node_types, cache, networks, torch.no_grad)


@dataclass
class CanvasSession:
    """Runs workflows on nano."""

    session: Session = field(default_factory=_session)

    def run(self, document: Document, targets: tuple[str, ...]) -> dict[str, Any]:
        told: list[events.Event] = []
        asked = RunRequest("run", targets=list(targets), assets=document.assets)
        results = self.session.run(document.graph, asked, RunState(told.append))
        if not results:
            raise SystemExit(str(told[-1]))
        return results

    def draw(self, prompt: str, seed: int, steps: int) -> Bytes:
        """A picture from nothing, uint8 (256, 256, 3)."""
        document = load(shipped("workflows") / "text_to_image.json")
        document.node("prompt").values["text"] = prompt
        document.node("noise").values["seed"] = seed
        document.node("schedule").values["steps"] = steps
        return to_bytes(self.run(document, ("decode",))["decode"]["image"].pixels[0].numpy())

    def generate(
        self, picture: Bytes, mask: Bytes, intent: Intent, box: Box | None = None, **values: Any
    ) -> Bytes:
        """`picture` after what is generated in `box` was accepted.

        Args:
            picture: uint8, (height, width, 3).
            mask: uint8, (height, width).
            intent: What for.
            box: Where; None is everywhere.
            values: Of the form, with ``__`` for its dot.
        """
        height, width = mask.shape
        box = box or Box(0, 0, width, height)
        there = (slice(box.top, box.top + box.height), slice(box.left, box.left + box.width))
        source = Source(np.ascontiguousarray(picture[there]), box, (width, height))
        workflow = load(shipped("workflows") / f"{METHODS[intent].workflow}.json")
        form = {name.replace("__", "."): value for name, value in values.items()}
        asked = request(workflow, source, [Selection(mask[there])], intent, form, MULTIPLE)
        out = picture.copy()
        out[there] = apply(picture[there], self._patch(asked))
        return out

    def _patch(self, asked: Generation) -> Bytes:
        for data in asked.files.values():
            keep_bytes(data, ".png", self.session.settings)
        (result,) = asked.results
        patch = self.run(asked.document, asked.results)[result]["patch"]
        return to_bytes(patch.pixels[0].numpy())
