"""Train the UNet and the text encoder together on cached latents, which are renewed by and by.

The text encoder goes on reading edits and moves, which no picture here shows, so that it serves
the networks for those as well, and stays as it is once this training is over.

v-prediction, every timestep of equal weight: where noise is strongest it asks for the picture
itself, its place and its colours. Epsilon asks for next to nothing there, and so do min-SNR
weights: after 275 steps with them most pictures were background alone.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from tools.nano.batches import Chance
from tools.nano.captions import caption_or_none, prompt
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.latents import LatentCache, Renewal, Scenery, cached, scene_at
from tools.nano.meanings import Meanings
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import (
    fast,
    from_option,
    half_precision,
    preset_option,
    run_options,
    runs_option,
    set_up,
)
from tools.nano.sampling import draw_prompts, new_pipeline, training_schedule
from tools.nano.scenes import held_out
from tools.nano.shapes import moved, new_text_encoder, new_unet, read_vae
from tools.nano.sheets import save_sheet
from tools.nano.starts import fill_unet
from tools.nano.tokens import END, Words, tokenizer_of
from tools.nano.train_text import Reader, reading_loss
from tools.nano.training import Trainer, load_average

EMPTY_SHARE = 0.1
READ_TEXTS = 16  # a step, beside the captions
READING_WEIGHT = 0.1


class TextToLatent(nn.Module):
    """The two networks that learn together."""

    def __init__(self, unet: UNet2DConditionModel, text_encoder: CLIPTextModel) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder

    def forward(self, noisy: Tensor, timesteps: Tensor, tokens: Tensor) -> Tensor:
        words = self.text_encoder(tokens).last_hidden_state
        return self.unet(noisy, timesteps, words).sample


def noised(schedule: Any, latents: Tensor, chance: Chance) -> tuple[Tensor, Tensor, Tensor]:
    """Noisy latents, timesteps spread over the batch, and the v to predict.

    Later timesteps come more often, in proportion: what a word looks like is learned there, while
    to clean up a picture that one can see already is learned in a few hundred steps.
    """
    steps = len(schedule.alphas_cumprod)
    count = len(latents)
    spread = (torch.arange(count) + torch.rand(count, generator=chance.torch)) / count
    timesteps = (spread.sqrt() * steps).long().clamp(max=steps - 1).to(latents.device)
    noise = chance.normal(latents)
    noisy = schedule.add_noise(latents, noise, timesteps)
    return noisy, timesteps, schedule.get_velocity(latents, noise, timesteps)


@dataclass
class Lessons:
    """Batches of latents with captions, drawn by chance from what is cached."""

    styles: tuple[str, ...]
    concepts: list[Concept]
    cache: LatentCache
    words: Words
    empty_share: float = EMPTY_SHARE

    def batch(self, size: int, chance: Chance) -> tuple[Tensor, Tensor]:
        indices = self.cache.any_of(size, chance.numpy)
        scenes = [scene_at(self.concepts, self.styles, index) for index in indices]
        told = [
            caption_or_none(scene, chance.numpy, self.empty_share, self.styles[0])
            for scene in scenes
        ]
        return self.cache[indices], self.words(told)


def build(preset: Preset, tokenizer: CLIPTokenizer) -> TextToLatent:
    torch.manual_seed(0)
    unet = new_unet(preset.unet_channels)
    return TextToLatent(unet, new_text_encoder(tokenizer))


def taught_reader(folder: Path, tokenizer: CLIPTokenizer, labels: int) -> Reader:
    """The text encoder and its scores as `train_text` left them, or fresh ones."""
    reader = Reader(new_text_encoder(tokenizer), labels)
    load_average(reader, folder / "text")
    return reader


def show_prompts(
    model: nn.Module, vae: AutoencoderKL, tokenizer: CLIPTokenizer, prompts: list[str], path: Path
) -> None:
    assert isinstance(model, TextToLatent)
    pipeline = new_pipeline(vae, model.unet, model.text_encoder, tokenizer)
    save_sheet(path, draw_prompts(pipeline, prompts, range(len(prompts))), columns=8)


@dataclass
class Teaching:
    """What a step's loss is made of."""

    model: TextToLatent
    reader: Reader
    end: int
    device: torch.device

    def __post_init__(self) -> None:
        self.model.text_encoder = self.reader.text_encoder
        self.reader.scores.requires_grad_(False)
        self.schedule = training_schedule()
        self.forward = fast(self.model.forward, self.device)

    def loss(self, chance: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        latents, tokens, told, labels = parts
        noisy, timesteps, wanted = noised(self.schedule, latents, chance)
        with half_precision(self.device):
            predicted = self.forward(noisy, timesteps, tokens)
            scores = self.reader(told)
        reading = reading_loss(scores, labels, told, self.end)
        return functional.mse_loss(predicted.float(), wanted) + READING_WEIGHT * reading


def example_prompts(concepts: list[Concept], count: int = 32) -> list[str]:
    """Of combinations that training never shows."""
    kept = np.array(held_out(concepts), object)
    return [prompt(scene) for scene in np.random.default_rng(5).permutation(kept)[:count]]


def renewal_of(preset: Preset, folder: Path, lessons: Lessons, vae: AutoencoderKL) -> Renewal:
    pictures = read_pictures(folder / "data", preset.styles)
    scenery = Scenery(lessons.concepts, preset.styles, pictures)
    return Renewal(lessons.cache, vae, scenery, preset.renew_steps or preset.unet.steps)


@click.command()
@preset_option
@runs_option
@from_option
@run_options
def main(
    preset: str, runs: Path, start: Path | None, minutes: float | None, steps: int | None
) -> bool:
    """Train the UNet and the text encoder of a preset."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    tokenizer = tokenizer_of(folder)
    concepts = read_concepts(folder / "data")
    words, meanings = Words(tokenizer), Meanings(concepts, recipe.styles)
    cache = cached(folder / "latents", recipe.latents)
    lessons = Lessons(recipe.styles, concepts, cache, words)
    vae = moved(read_vae(folder / "vae" / "final"), device)
    stage = replace(recipe.unet, steps=steps or recipe.unet.steps)
    model = build(recipe, tokenizer)
    if start is not None:
        fill_unet(model.unet, start)
    reader = taught_reader(folder, tokenizer, len(meanings))
    teaching = Teaching(model, reader, tokenizer.get_vocab()[END], device)
    trainer = Trainer(moved(model, device), stage, folder / "unet")
    reader.to(device)
    renewal = renewal_of(recipe, folder, lessons, vae)

    def batch_of(chance: Chance) -> tuple[Tensor, ...]:
        renewal.at(chance.step)
        told, labels = meanings.batch(READ_TEXTS, chance.numpy)
        return *lessons.batch(stage.batch, chance), words(told), labels

    prompts = example_prompts(concepts)

    def show(model: nn.Module, path: Path) -> None:
        show_prompts(model, vae, tokenizer, prompts, path)

    return trainer.run(batch_of, teaching.loss, show, minutes)


if __name__ == "__main__":
    main()
