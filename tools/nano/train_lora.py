"""Train a LoRA for a style that the base model does not draw.

Most captions do not name the style: at weight 1 it draws so by itself, at weight 0 it is gone.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor, nn
from torch.nn import functional

from tools.nano.batches import Chance
from tools.nano.data import read_concepts, read_pictures
from tools.nano.export import load_model, load_vae
from tools.nano.latents import Scenery, cached, fill
from tools.nano.presets import PRESETS
from tools.nano.runs import fast, half_precision, preset_option, run_options, runs_option, set_up
from tools.nano.sampling import training_schedule
from tools.nano.shapes import moved
from tools.nano.tokens import Words, tokenizer_of
from tools.nano.train_unet import Lessons, noised
from tools.nano.training import Trainer

RANK = 16
# As with the ControlNet, guidance pulls against it as the loss does not. Style at weight 1, of 40:
# 85 % as trained, also after 700 steps, 92 % with this; more spoils shapes.
PULL = 1.25
# A flat drawing differs from a 3d one in shading everywhere, so convolutions take part.
TARGETS = ("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "conv1", "conv2")


def with_adapter(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The UNet frozen, but for an adapter."""
    torch.manual_seed(0)
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(TARGETS)))
    return unet


def save_adapter(unet: nn.Module, path: Path, pull: float = 1.0) -> None:
    """In the peft layout that diffusers' loaders take, in float16, `pull` times as strong."""
    layers: dict[str, nn.Module | Tensor] = {
        key: (value * pull if ".lora_B." in key else value).half()
        for key, value in get_peft_model_state_dict(unet).items()
    }
    StableDiffusionPipeline.save_lora_weights(
        path.parent, unet_lora_layers=layers, weight_name=path.name
    )


@click.command()
@preset_option
@runs_option
@run_options
def main(preset: str, runs: Path, minutes: float | None, steps: int | None) -> bool:
    """Train the style LoRA of a preset."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    styles, concepts = (recipe.lora_style,), read_concepts(folder / "data")
    base = moved(load_model(recipe, folder), device).requires_grad_(False)
    cache = cached(folder / "lora-latents", recipe.lora_latents)
    vae = moved(load_vae(folder), device)
    fill(cache, vae, Scenery(concepts, styles, read_pictures(folder / "data", styles)))
    cache.refresh()
    lessons = Lessons(styles, concepts, cache, Words(tokenizer_of(folder)))
    unet = with_adapter(base.unet)
    stage = replace(recipe.lora, steps=steps or recipe.lora.steps)
    trainer = Trainer(unet, stage, folder / "lora", seed=2)
    schedule = training_schedule()

    forward = fast(base.forward, device)

    def loss_of(chance: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        latents, tokens = parts
        noisy, timesteps, wanted = noised(schedule, latents, chance)
        with half_precision(device):
            predicted = forward(noisy, timesteps, tokens)
        return functional.mse_loss(predicted.float(), wanted)

    done = trainer.run(partial(lessons.batch, stage.batch), loss_of, minutes=minutes)
    save_adapter(trainer.average, folder / "lora" / f"{recipe.lora_style}.safetensors", PULL)
    return done


if __name__ == "__main__":
    main()
