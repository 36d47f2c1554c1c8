"""A small picture made in this process with real networks, and made again as `replay` does."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tiny_models
from PIL import Image as Picture

from nodeforge.api import Image, NodeType, RunContext, node, node_type_of
from nodeforge.diffusion import Residency
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.engine import events
from nodeforge.engine.cache import DiskTier, MemoryTier, ResultCache
from nodeforge.engine.content.pack_content import read_pack
from nodeforge.engine.replay.replaying import picture_again, read_picture, replay_request
from nodeforge.engine.replay.verdict import Verdict, judge
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.session import Session
from nodeforge.formats import run_stamp
from nodeforge.graph.document import Document
from nodeforge.settings import Settings, shipped
from nodeforge.worker.build import LoadedNetworks, guard
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_pack
from support.counting import graph

SHIPPED = ("image", "latent", "lists", "models", "sampling", "text", "values")
TINT = """
from nodeforge.api import Image, node

@node("tint.darken")
def darken(image: Image) -> Image:
    \"\"\"Darken a picture.

    Args:
        image: The picture.
    \"\"\"
    return Image(image.pixels * SHARE)
"""
NODES: dict[str, tuple[str, dict[str, Any]]] = {
    "model": ("models.load", {"file": "tiny"}),
    "style": ("models.load_lora", {"file": "style.safetensors", "strength": 0.8}),
    "prompt": ("text.encode", {"text": "a fox"}),
    "negative": ("text.encode", {"text": "blurry"}),
    "noise": ("sampling.noise", {"seed": 1, "width": 64, "height": 64, "batch": 2}),
    "sampler": ("sampling.sampler", {"name": "euler"}),
    "schedule": ("sampling.schedule", {"name": "normal", "steps": 3}),
    "guidance": ("sampling.guidance", {"scale": 4.0}),
    "denoise": ("sampling.denoise", {}),
    "decode": ("latent.decode", {}),
    "load": ("image.load", {"file": "paper.png"}),
    "blend": ("image.blend", {"opacity": 0.3}),
    "tint": ("tint.darken", {}),
    "drift": ("test.drift", {}),
    "save": ("image.save", {}),
}
LINKS = {
    "style.model": "model.model",
    "style.text_encoder": "model.text_encoder",
    "prompt.text_encoder": "style.text_encoder",
    "negative.text_encoder": "style.text_encoder",
    "denoise.model": "style.model",
    "denoise.positive": "prompt.conditioning",
    "denoise.negative": "negative.conditioning",
    "denoise.noise": "noise.noise",
    "denoise.sampler": "sampler.sampler",
    "denoise.schedule": "schedule.schedule",
    "denoise.guidance": "guidance.guidance",
    "decode.latent": "denoise.latent",
    "decode.vae": "model.vae",
    "blend.base": "decode.image",
    "blend.over": "load.image",
    "tint.image": "blend.image",
    "drift.image": "tint.image",
    "save.image": "drift.image",
}


@dataclass
class Drift:
    """What `test.drift` does, beyond its inputs: as another library, or a careless author, would.

    Args:
        by: Added to every pixel, 0..1.
        falls_back: Whether it says that memory ran out.
    """

    by: float = 0.0
    falls_back: bool = False


DRIFT = Drift()


@node("test.drift")
def drift(run: RunContext, image: Image) -> Image:
    """Pass a picture on, nearly.

    Args:
        image: The picture.
    """
    if DRIFT.falls_back:
        run.fell_back("used smaller tiles")
    return Image((image.pixels + DRIFT.by).clamp(0, 1))


class Machine(LoadedNetworks):
    """The real networks, on a machine where some versions are others."""

    def __init__(self, residency: Residency, others: Mapping[str, str]) -> None:
        super().__init__(residency)
        self._others = others

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), **self._others}


@dataclass
class Studio:
    """A home with a model, a LoRA, a picture and a pack; each use of it is as a new process."""

    home: Path
    policy: Policy = field(default_factory=Policy)
    environment: dict[str, str] = field(default_factory=dict)
    change: Callable[[dict[str, NodeType]], None] = lambda _: None
    events: list[events.Event] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home)

    @property
    def model(self) -> Path:
        return self.settings.models / "checkpoints" / "tiny"

    @property
    def lora(self) -> Path:
        return self.settings.models / "loras" / "style.safetensors"

    @property
    def paper(self) -> Path:
        return self.settings.inputs / "paper.png"

    @property
    def pictures(self) -> list[Path]:
        """What has been saved."""
        return sorted((self.home / "outputs").iterdir())

    def furnish(self, model: Path) -> None:
        """Put everything there; `model` is copied."""
        shutil.copytree(model, self.model)
        self.lora.parent.mkdir(parents=True)
        tiny_models.write_lora(self.model, self.lora)
        self.paper.parent.mkdir(parents=True)
        Picture.new("RGB", (64, 64), (200, 180, 90)).save(self.paper)
        self.write_pack(0.9)

    def write_pack(self, share: float) -> None:
        folder = self.settings.packs / "tint"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text(f"SHARE = {share}\n{TINT}")

    def session(self, memory: bool = True) -> Session:
        for name in [name for name in sys.modules if name.startswith("nodeforge_packs.tint")]:
            del sys.modules[name]
        types: dict[str, NodeType] = {}
        for name in SHIPPED:
            types |= load_pack(shipped("nodes") / name)
        folder = self.settings.packs / "tint"
        types |= load_pack(folder, read_pack(folder))
        made = node_type_of(drift)
        assert made is not None
        types["test.drift"] = made
        self.change(types)
        disk = None if memory else DiskTier(self.settings.cache / "results", "test", 2**26)
        cache = ResultCache(MemoryTier(2**26), disk, ValueCodec())
        networks = Machine(Residency("cpu", self.policy), self.environment)
        return Session(self.settings, types, cache, networks, guard)

    def document(self, **values: Mapping[str, Any]) -> Document:
        nodes = {name: (kind, dict(given)) for name, (kind, given) in NODES.items()}
        for name, given in values.items():
            nodes[name][1].update(given)
        return Document(graph(nodes, LINKS))

    def save(
        self, document: Document, session: Session | None = None, *, stop_after: int = 0
    ) -> list[Path]:
        """The pictures that a run saves; it is stopped after so many steps, if any."""
        session = session or self.session()
        self.events = []
        state = RunState(self.events.append)

        def emit(event: events.Event) -> None:
            self.events.append(event)
            if isinstance(event, events.Progress) and event.step == stop_after:
                state.stop.set()

        state.emit = emit
        stamp = run_stamp(document, session.catalogue)
        request = RunRequest("run", ["save"], stamp=stamp, outputs=self.home / "outputs")
        session.run(document.graph, request, state)
        session.cache.flush()
        failed = [event for event in self.events if isinstance(event, events.Failed)]
        assert not failed, failed
        return [Path(each) for each in state.outputs]

    def replay(self, picture: Path, edit: Callable[[Document], object] = lambda _: None) -> Verdict:
        """The verdict on a picture, made again on what the home holds now.

        Args:
            picture: The picture.
            edit: What a person has done to the workflow in it.
        """
        document, lock = read_picture(picture)
        edit(document)
        session = self.session()
        again = self.home / "again"
        request = replay_request(
            document, lock, session.catalogue, self.settings, run="replay", outputs=again
        )
        happened: list[events.Event] = []
        session.run(document.graph, request, RunState(happened.append))
        last = happened[-1]
        assert isinstance(last, events.RunFinished), last
        saved = [Path(path) for path in last.outputs]
        return judge(picture, picture_again(lock, saved), session.catalogue)
