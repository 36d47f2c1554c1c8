"""Train a ControlNet that follows Canny edges, on top of the finished UNet.

Most captions are empty or leave the place open, so that it reads the edges and not the words.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from torch import Tensor
from torch.nn import functional

from tools.nano.batches import Chance
from tools.nano.captions import caption, caption_without_place
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts
from tools.nano.edges import to_condition
from tools.nano.export import load_model
from tools.nano.latents import LatentCache, cached, scene_at
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import fast, half_precision, preset_option, run_options, runs_option, set_up
from tools.nano.sampling import training_schedule
from tools.nano.scenes import Scene
from tools.nano.shapes import moved, new_controlnet
from tools.nano.tokens import Words, tokenizer_of
from tools.nano.train_unet import TextToLatent, noised
from tools.nano.training import Trainer

WORDING_SHARES = (0.4, 0.4, 0.2)  # of captions: empty, without the place, whole


@dataclass
class EdgeLessons:
    """Cached latents with the edges of the scenes they were made from."""

    preset: Preset
    concepts: list[Concept]
    cache: LatentCache
    words: Words

    def batch(self, size: int, chance: Chance) -> tuple[Tensor, Tensor, Tensor]:
        indices = self.cache.any_of(size, chance.numpy)
        scenes = [scene_at(self.concepts, self.preset.styles, index) for index in indices]
        told = [self.told(scene, chance.numpy) for scene in scenes]
        return self.cache[indices], self.words(told), self.cache.edges(indices)

    def told(self, scene: Scene, rng: np.random.Generator) -> str:
        style = self.preset.styles[0]
        wordings = ("", caption_without_place(scene, rng, style), caption(scene, rng, style))
        return wordings[int(rng.choice(3, p=WORDING_SHARES))]


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
def main(preset: str, runs: Path, minutes: float | None, steps: int | None) -> bool:
    """Train the ControlNet of a preset."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    cache = cached(folder / "latents", recipe.latents)
    lessons = EdgeLessons(
        recipe, read_concepts(folder / "data"), cache, Words(tokenizer_of(folder))
    )
    base = moved(load_model(recipe, folder), device).requires_grad_(False)
    stage = replace(recipe.controlnet, steps=steps or recipe.controlnet.steps)
    torch.manual_seed(0)
    controlnet = moved(new_controlnet(base.unet), device)
    trainer = Trainer(controlnet, stage, folder / "controlnet", seed=1)
    schedule = training_schedule()
    forward = fast(predict, device)

    def loss_of(chance: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        latents, tokens, packed = parts
        noisy, timesteps, wanted = noised(schedule, latents, chance)
        with half_precision(device):
            predicted = forward(base, controlnet, noisy, timesteps, tokens, to_condition(packed))
        return functional.mse_loss(predicted.float(), wanted)

    return trainer.run(partial(lessons.batch, stage.batch), loss_of, minutes=minutes)


if __name__ == "__main__":
    main()
