"""Train a LoRA for a style that the base model does not draw.

Most captions do not name the style: at weight 1 it draws so by itself, at weight 0 it is gone.
"""

from dataclasses import replace
from pathlib import Path

import click
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor, nn
from torch.nn import functional

from tools.nano.captions import caption_or_none
from tools.nano.data import read_concepts, read_pictures
from tools.nano.export import load_model, load_vae
from tools.nano.latents import LatentCache, fill, scene_at
from tools.nano.presets import PRESETS
from tools.nano.runs import device_of, preset_option, quiet_threads, run_options, runs_option
from tools.nano.sampling import training_schedule
from tools.nano.shapes import moved
from tools.nano.tokens import Words, tokenizer_of
from tools.nano.train_unet import noised
from tools.nano.training import Chance, Trainer

RANK = 16
# A flat drawing differs from a 3d one in shading everywhere, so convolutions take part.
TARGETS = ("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "conv1", "conv2")
LATENTS = 1024
EMPTY_SHARE = 0.1


def with_adapter(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The UNet frozen, but for an adapter."""
    torch.manual_seed(0)
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(TARGETS)))
    return unet


def save_adapter(unet: nn.Module, path: Path) -> None:
    """In the peft layout that diffusers' loaders take, in float16."""
    layers: dict[str, nn.Module | Tensor] = {
        key: value.half() for key, value in get_peft_model_state_dict(unet).items()
    }
    StableDiffusionPipeline.save_lora_weights(
        path.parent, unet_lora_layers=layers, weight_name=path.name
    )


@click.command()
@preset_option
@runs_option
@run_options
def main(preset: str, runs: Path, minutes: float | None, steps: int | None) -> None:
    """Train the style LoRA of a preset."""
    recipe = PRESETS[preset]
    device = device_of(recipe)
    quiet_threads(recipe)
    folder = runs / preset
    styles = (recipe.lora_style,)
    concepts = read_concepts(folder / "data")
    cache = LatentCache(folder / "lora-latents", LATENTS)
    pictures = read_pictures(folder / "data", styles)
    fill(cache, moved(load_vae(folder), device), concepts, styles, pictures)
    cache.refresh()
    base = load_model(recipe, folder).to(device)
    words = Words(tokenizer_of(folder))
    unet = with_adapter(base.unet)
    stage = replace(recipe.lora, steps=steps or recipe.lora.steps)
    trainer = Trainer(unet, stage, folder / "lora", seed=2)
    schedule = training_schedule()

    def loss_of(chance: Chance) -> Tensor:
        indices = [int(i) for i in chance.numpy.integers(len(cache), size=stage.batch)]
        scenes = [scene_at(concepts, styles, i) for i in indices]
        told = [caption_or_none(scene, chance.numpy, EMPTY_SHARE) for scene in scenes]
        noisy, timesteps, wanted = noised(schedule, cache[indices].to(device), chance)
        with torch.autocast(device.type, torch.bfloat16):
            with torch.no_grad():
                prompt = base.text_encoder(words(told).to(device)).last_hidden_state
            predicted = unet(noisy, timesteps, prompt).sample
        return functional.mse_loss(predicted.float(), wanted)

    trainer.run(loss_of, minutes=minutes)
    save_adapter(trainer.average, folder / "lora" / f"{recipe.lora_style}.safetensors")


if __name__ == "__main__":
    main()
