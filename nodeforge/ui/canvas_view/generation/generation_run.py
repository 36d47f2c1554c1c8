"""One generation of the canvas, from the form's values to its candidates."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from nodeforge.canvas.generation.intents import Intent
from nodeforge.canvas.generation.loras import Lora
from nodeforge.canvas.generation.request import Generation
from nodeforge.canvas.generation.separation import TakenApart, laid_over_each_other
from nodeforge.formats import document_to_json
from nodeforge.imaging import Bytes
from nodeforge.ui.canvas_view.generation.staging_area import Candidate, Layers, Variations
from nodeforge.ui.running.job_queue import WAITING, Job


@dataclass(eq=False)
class GenerationRun:
    """One generation, from the form values to its candidates.

    `drawn_together`: its batch is one draw of noise; `item`: the only picture made of it;
    `layer`: the layer to take apart, empty for what is seen; `taken`: what was taken apart;
    `layers`: what came of it so far.
    """

    intent: Intent
    values: dict[str, Any]
    seed: int | None
    live: bool = False
    variations: Variations = ()
    drawn_together: bool = False
    item: int | None = None
    loras: tuple[Lora, ...] = ()
    layer: str = ""
    taken: TakenApart | None = None
    layers: list[Bytes] = field(default_factory=list, repr=False)
    job: Job | None = None
    generation: Generation | None = None
    cancelled: bool = False
    step: tuple[int, int] = (0, 0)
    render_arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def pictures(self) -> set[str]:
        """SHA-256 of the picture files that its job reads."""
        if self.generation is None:
            return set()
        assets, files = self.generation.document.assets, self.generation.files
        return {assets[name]["sha256"] for name in files}

    @property
    def is_waiting(self) -> bool:
        """Whether its job waits in the queue."""
        return self.job is not None and self.job.state == WAITING

    def seed_of_item(self, item: int) -> tuple[int | None, Variations]:
        """Seed and variations of a candidate; the last seed counts up with the item, unless the
        batch is one draw of noise.
        """
        if self.drawn_together:
            return self.seed, self.variations
        if self.variations:
            *others, (seed, share) = self.variations
            return self.seed, (*others, (seed + item, share))
        return None if self.seed is None else self.seed + item, ()

    @property
    def name(self) -> str:
        """The name of its layers: the start of the prompt."""
        asked = ("instruction.text",) if self.intent is Intent.EDIT else ("prompt.text",)
        texts = (str(v) for k, v in self.values.items() if k in asked)
        return next((text.strip()[:32] for text in texts if text.strip()), "Generated")

    @staticmethod
    def patch(answer: dict[str, Any]) -> Bytes:
        """What the worker rendered: ``shape`` and ``payload``, RGBA8."""
        return np.frombuffer(answer["payload"], np.uint8).reshape(answer["shape"])

    def candidate(self, item: int, patch: Bytes) -> Candidate:
        """A candidate of one picture."""
        assert self.generation is not None, "it has run"
        made = self.seed_of_item(item)
        box = self.generation.box
        return Candidate(patch, box, self.name, *made, self._record(item), self.live)

    def separated(self) -> Candidate:
        """The candidate of all layers together."""
        assert self.generation is not None, "it has run"
        taken = self.taken or TakenApart(self.name)
        box, shown = self.generation.box, laid_over_each_other(self.layers)
        layers = Layers(tuple(self.layers), taken)
        about = self.seed_of_item(0)
        return Candidate(shown, box, taken.name, *about, self._record(0), self.live, layers=layers)

    def _record(self, item: int) -> dict[str, Any]:
        """What is stored of it in the project, once the candidate is accepted."""
        assert self.generation is not None, "it has run"
        document = self.generation.document
        return {
            "workflow": document_to_json(document),
            "pictures": {name: document.assets[name] for name in self.generation.files},
            "intent": str(self.intent),
            "values": self.values,
            "loras": [asdict(lora) for lora in self.loras],
            "box": list(self.generation.box),
            "item": item if self.item is None else self.item,
            **({"layer": self.layer} if self.layer else {}),
        }
