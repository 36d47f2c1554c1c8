"""What the denoise loop costs beside the model calls it makes, and beside diffusers' pipeline.

python -m benchmarks.denoise_loop [--json]

A random model whose step takes at least 100 ms on one thread; 20 steps, the three ways in turn.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from benchmarks.reporting import options, tell
from nodeforge import diffusion
from nodeforge.values import Conditioning, Guidance, Noise, Sampler, Schedule
from tests import tiny_models

STEPS = 20
SIZE = 256
SEED = 3
REPEATS = 7
CHANNELS = (64, 160)


class Setting:
    """One model, ready for the three ways to run it."""

    def __init__(self, folder: Path) -> None:
        tiny_models.write_folder(folder, channels=CHANNELS)
        self.described = diffusion.describe(folder)
        self.residency = diffusion.Residency("cpu")
        with self.residency.use(self.described.text_encoder) as encoder:
            self.positive = diffusion.encode_prompt(encoder, "a red cat")
            self.negative = diffusion.encode_prompt(encoder, "blurry")
        self.pipeline: Any = StableDiffusionPipeline.from_pretrained(
            folder, safety_checker=None, requires_safety_checker=False
        )
        self.pipeline.set_progress_bar_config(disable=True)

    def ours(self) -> torch.Tensor:
        """The loop, with a checkpoint after each step."""
        task = diffusion.Denoising(
            self.described.model,
            self.positive,
            Sampler("ddim"),
            Schedule("normal", STEPS),
            Guidance(7.5),
            self.negative,
            noise=Noise(SEED, SIZE, SIZE),
        )
        return diffusion.denoise(diffusion.LocalHost(self.residency), task).samples

    def theirs(self) -> torch.Tensor:
        """diffusers' pipeline without text encoder and VAE."""
        return self.pipeline(
            prompt_embeds=_embedding(self.positive),
            negative_prompt_embeds=_embedding(self.negative),
            num_inference_steps=STEPS,
            height=SIZE,
            width=SIZE,
            generator=torch.Generator().manual_seed(SEED),
            output_type="latent",
        ).images

    @torch.no_grad()
    def bare(self) -> torch.Tensor:
        """The model calls alone."""
        x = torch.randn(2, 4, SIZE // 8, SIZE // 8)
        embedding = torch.cat([_embedding(self.negative), _embedding(self.positive)])
        with self.residency.use(self.described.model) as model:
            for step in range(STEPS):
                timestep = torch.tensor(1 + 50 * step)
                model.network(x, timestep, encoder_hidden_states=embedding, return_dict=False)
        return x


def _embedding(conditioning: Conditioning) -> torch.Tensor:
    return conditioning.prompts[0].embedding


def measure() -> dict[str, float]:
    """Milliseconds a step, and the ratios of the three ways."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(Path(folder))
        difference = float((setting.ours() - setting.theirs()).abs().max())
        ways = {"bare": setting.bare, "ours": setting.ours, "pipeline": setting.theirs}
        rounds = [{name: _seconds(way) for name, way in ways.items()} for _ in range(REPEATS)]
    figures = {"ms a step": statistics.median(r["bare"][0] for r in rounds) / STEPS * 1000}
    for place, clock in enumerate(("", " (processor time)")):
        figures[f"loop / bare model calls{clock}"] = _ratio(rounds, "ours", "bare", place)
        figures[f"loop / pipeline{clock}"] = _ratio(rounds, "ours", "pipeline", place)
    return {**figures, "largest difference to the pipeline": difference}


def _ratio(rounds: list[dict[str, tuple[float, float]]], one: str, other: str, clock: int) -> float:
    """The median of the rounds' own ratios, so that a slow moment touches both."""
    return statistics.median(times[one][clock] / times[other][clock] for times in rounds)


def _seconds(way: Callable[[], object]) -> tuple[float, float]:
    """By the clock, and of the processor: what else runs on the machine changes the first."""
    start, used = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    tell(measure(), options(__doc__).parse_args().json)


if __name__ == "__main__":
    main()
