"""The model under test with its judges, and what all sections of an evaluation share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.utils.logging import disable_progress_bar

from tools.nano.captions import prompt
from tools.nano.compose import draw
from tools.nano.pictures import Pixels
from tools.nano.presets import Preset
from tools.nano.recogniser import Examples, examples_of, judge, load_recogniser
from tools.nano.runs import device_of
from tools.nano.sampling import draw_prompts
from tools.nano.scenes import Scene, held_out
from tools.nano.second_judge import SecondJudge, load_second_judge
from tools.nano.train_vae import round_trips, to_tensor

SEEDS = 3
MOST_CONCEPTS = 300
Result = dict[str, Any]


@dataclass
class Bench:
    """The model under test, its judge, and what it was asked to draw."""

    preset: Preset
    folder: Path
    model: Path
    only: int | None = None

    @cached_property
    def device(self) -> torch.device:
        return device_of(self.preset)

    @cached_property
    def pipeline(self) -> StableDiffusionPipeline:
        disable_progress_bar()
        pipeline = StableDiffusionPipeline.from_pretrained(self.model).to(self.device)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    @cached_property
    def examples(self) -> Examples:
        return examples_of(self.preset, self.folder)

    @cached_property
    def recogniser(self) -> Any:
        return load_recogniser(self.folder, len(self.examples.concepts)).to(self.device)

    @cached_property
    def second_judge(self) -> SecondJudge:
        return load_second_judge(self.folder, len(self.examples.concepts))

    @cached_property
    def asked(self) -> list[Scene]:
        """Held-out scenes, one a concept and seed."""
        rng = np.random.default_rng(21)
        concepts = self.examples.concepts
        if self.device.type == "cpu" and len(concepts) > MOST_CONCEPTS:
            chosen = sorted(rng.permutation(len(concepts))[:MOST_CONCEPTS])
            concepts = [concepts[int(i)] for i in chosen]
        known = [held_out([concept]) for concept in concepts]
        known = [scenes for scenes in known if scenes]
        asked = [row[int(rng.integers(len(row)))] for _ in range(SEEDS) for row in known]
        return asked[: self.only]

    @cached_property
    def fixed(self) -> list[Scene]:
        """The hundred scenes of which tables of settings are made."""
        order = np.random.default_rng(22).permutation(len(self.asked))
        return [self.asked[int(i)] for i in order[: min(100, self.only or 100)]]

    def wanted(self, scenes: Sequence[Scene]) -> list[int]:
        return [self.examples.concepts.index(scene.subjects[0]) for scene in scenes]

    def draw(self, scenes: Sequence[Scene], **options: Any) -> list[Pixels]:
        prompts = [prompt(scene) for scene in scenes]
        return draw_prompts(self.pipeline, prompts, range(1000, 1000 + len(prompts)), **options)

    def top(self, scenes: Sequence[Scene], pictures: Sequence[Pixels], places: int = 1) -> float:
        return judge(self.recogniser, pictures).top(self.wanted(scenes), places)

    def real(self, scenes: Sequence[Scene]) -> list[Pixels]:
        return [draw(scene, self.examples.styles) for scene in scenes]


def round_trip(vae: AutoencoderKL, pictures: Sequence[Pixels]) -> list[Pixels]:
    return round_trips(vae, to_tensor(np.stack(pictures)).to(vae.device))


def shares(labels: Sequence[str], hits: Sequence[bool]) -> dict[str, float]:
    """The share of hits for each label."""
    rows: dict[str, list[bool]] = {}
    for label, hit in zip(labels, hits, strict=True):
        rows.setdefault(label, []).append(hit)
    return {label: sum(row) / len(row) for label, row in sorted(rows.items())}
