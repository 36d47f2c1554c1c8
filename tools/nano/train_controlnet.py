"""Train a ControlNet that follows Canny edges, on top of the finished UNet.

Half of the captions are empty, so that it learns to read the edges and not the words.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from torch import Tensor
from torch.nn import functional

from tools.nano.captions import caption_or_none
from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.export import load_model
from tools.nano.latents import LatentCache, scene_at
from tools.nano.pictures import Pictures, Pixels
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import device_of, preset_option, quiet_threads, run_options, runs_option
from tools.nano.sampling import training_schedule
from tools.nano.shapes import moved, new_controlnet
from tools.nano.tokens import Words, tokenizer_of
from tools.nano.train_unet import TextToLatent, noised
from tools.nano.training import Chance, Trainer

EMPTY_SHARE = 0.5
THRESHOLDS = (60, 140)


def canny(picture: Pixels) -> Pixels:
    """Edges of a picture: white lines on black, (height, width), as the ControlNet expects them."""
    return np.asarray(cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), *THRESHOLDS), np.uint8)


def to_condition(edges: list[Pixels]) -> Tensor:
    """(batch, 3, height, width) in 0..1."""
    stacked = torch.from_numpy(np.stack(edges)).float().div_(255)
    return stacked[:, None].repeat(1, 3, 1, 1)


@dataclass
class EdgeLessons:
    """Cached latents with the edges of the scenes they were made from."""

    preset: Preset
    concepts: list[Concept]
    styles: dict[str, Pictures]
    cache: LatentCache
    words: Words

    def batch(self, chance: Chance, size: int) -> tuple[Tensor, Tensor, Tensor]:
        indices = [int(i) for i in chance.numpy.integers(len(self.cache), size=size)]
        scenes = [scene_at(self.concepts, self.preset.styles, index) for index in indices]
        edges = to_condition([canny(draw(scene, self.styles)) for scene in scenes])
        told = [caption_or_none(scene, chance.numpy, EMPTY_SHARE) for scene in scenes]
        return self.cache[indices], self.words(told), edges


def predict(
    base: TextToLatent,
    controlnet: ControlNetModel,
    noisy: Tensor,
    timesteps: Tensor,
    tokens: Tensor,
    edges: Tensor,
) -> Tensor:
    with torch.no_grad():
        words = base.text_encoder(tokens).last_hidden_state
    down, middle = controlnet(noisy, timesteps, words, controlnet_cond=edges, return_dict=False)
    return base.unet(
        noisy,
        timesteps,
        words,
        down_block_additional_residuals=down,
        mid_block_additional_residual=middle,
    ).sample


@click.command()
@preset_option
@runs_option
@run_options
def main(preset: str, runs: Path, minutes: float | None, steps: int | None) -> None:
    """Train the ControlNet of a preset."""
    recipe = PRESETS[preset]
    device = device_of(recipe)
    quiet_threads(recipe)
    folder = runs / preset
    cache = LatentCache(folder / "latents", recipe.latents)
    cache.refresh()
    lessons = EdgeLessons(
        recipe,
        read_concepts(folder / "data"),
        read_pictures(folder / "data", recipe.styles),
        cache,
        Words(tokenizer_of(folder)),
    )
    base = load_model(recipe, folder).to(device).requires_grad_(False)
    stage = replace(recipe.controlnet, steps=steps or recipe.controlnet.steps)
    torch.manual_seed(0)
    controlnet = moved(new_controlnet(base.unet), device)
    trainer = Trainer(controlnet, stage, folder / "controlnet", seed=1)
    schedule = training_schedule()

    def loss_of(chance: Chance) -> Tensor:
        latents, tokens, edges = (part.to(device) for part in lessons.batch(chance, stage.batch))
        noisy, timesteps, wanted = noised(schedule, latents, chance)
        with torch.autocast(device.type, torch.bfloat16):
            predicted = predict(base, controlnet, noisy, timesteps, tokens, edges)
        return functional.mse_loss(predicted.float(), wanted)

    trainer.run(loss_of, minutes=minutes)


if __name__ == "__main__":
    main()
