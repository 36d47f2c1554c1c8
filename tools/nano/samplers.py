"""How often the wanted thing is named first, by sampler and number of steps.

NodeForge's own loop draws, so that the figures are of what its users get, and the samplers that
diffusers lacks are among them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from nodeforge.diffusion import (
    SAMPLERS,
    Denoising,
    LocalHost,
    Residency,
    behaviour,
    decode,
    denoise,
    describe,
    native_size,
    table,
)
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.settings import Precision
from nodeforge.values import Conditioning, Guidance, Noise, Sampler, Schedule
from tools.nano.pictures import Pixels
from tools.nano.sampling import GUIDANCE
from tools.nano.sheets import save_sheet

SCHEDULE = "normal"
STEPS = (4, 8, 16, 32)
PROMPTS = 32
BATCH = 8
FIRST_SEED = 1000

_KINDS = table()
SUITABLE = tuple(name for name in SAMPLERS if _KINDS[name, SCHEDULE])
"""All samplers of diffusers' convention but those for flow-matching models."""

Draw = Callable[[str, int, Sequence[str], int], tuple[list[Pixels], int]]
"""From sampler, steps, prompts and the first one's seed to pictures and calls of the model."""


class Drawer:
    """An exported model, run as NodeForge runs it in half precision.

    That is bfloat16 on processors that have units for it, and takes half the time there.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._model, self._encoder, self._vae = describe(folder)
        self._residency = Residency(device, Policy(precision=Precision.HALF))

    def __call__(
        self, sampler: str, steps: int, prompts: Sequence[str], seed: int
    ) -> tuple[list[Pixels], int]:
        """One picture a prompt, of seeds that count up; and how often the model was called."""
        host = LocalHost(self._residency)
        side, _ = native_size(self._model.weights)
        task = Denoising(
            self._model,
            self._encoded(host, prompts),
            Sampler(sampler),
            Schedule(SCHEDULE, steps),
            Guidance(GUIDANCE),
            noise=Noise(seed, side, side, len(prompts)),
        )
        latent = denoise(host, task)
        with host.use(self._vae) as vae:
            pixels = decode(vae, latent).pixels
        return list((pixels * 255).round().to(torch.uint8).numpy()), host.model_calls

    def _encoded(self, host: LocalHost, texts: Sequence[str]) -> Conditioning:
        """A prompt that says to each item of the batch what its own text says."""
        with host.use(self._encoder) as encoder:
            said = [behaviour(encoder.family).encode(encoder, text) for text in texts]
        embedding = torch.cat([each.prompts[0].embedding for each in said])
        return replace(said[0], prompts=(replace(said[0].prompts[0], embedding=embedding),))


@dataclass(frozen=True)
class Grid:
    """The table of samplers by steps, kept batch by batch until it is whole.

    Args:
        draw: Makes the pictures.
        prompts: The same for every cell.
        named: From the place of the first prompt and the pictures of it and those after it, to
            whether the thing in each is named first.
        folder: Where what is measured is kept, with a sheet of each cell's last batch.
    """

    draw: Draw
    prompts: Sequence[str]
    named: Callable[[int, Sequence[Pixels]], list[bool]]
    folder: Path

    def measured(self) -> dict[str, Any]:
        """Shares and calls of the model by sampler, for each number of steps."""
        rows = {name: [self.cell(name, steps) for steps in STEPS] for name in SUITABLE}
        for file in self.folder.glob("*.json"):
            file.unlink()
        return {
            "prompts": len(self.prompts),
            "steps": STEPS,
            "top1": {name: [_mean(cell["named"]) for cell in row] for name, row in rows.items()},
            "calls": {name: [_mean(cell["calls"]) for cell in row] for name, row in rows.items()},
        }

    def cell(self, sampler: str, steps: int) -> dict[str, list[int]]:
        """Whether the thing was named, for each prompt; the model's calls, for each batch."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{sampler}-{steps}.json"
        cell = json.loads(file.read_text("utf-8")) if file.exists() else {"named": [], "calls": []}
        while (first := len(cell["named"])) < len(self.prompts):
            part = self.prompts[first : first + BATCH]
            pictures, calls = self.draw(sampler, steps, part, FIRST_SEED + first)
            save_sheet(file.with_suffix(".png"), pictures, columns=BATCH)
            cell["named"] += self.named(first, pictures)
            cell["calls"].append(calls)
            file.write_text(json.dumps(cell), "utf-8")
        return cell


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
