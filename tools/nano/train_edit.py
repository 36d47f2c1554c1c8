"""Train the UNet that edits: InstructPix2Pix's form (Brooks et al. 2023), from nano's own UNet.

It sees the latent of the picture to be edited beside the noisy one. The pairs are exact, as the
compositor draws both pictures; scene 2k is the picture before edit k, scene 2k + 1 the one after.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_instruct_pix2pix import (
    StableDiffusionInstructPix2PixPipeline,
)
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from tools.nano.batches import Chance
from tools.nano.changes import EDITS, Edit, random_edit
from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.export import load_model, load_vae
from tools.nano.instructions import instruction
from tools.nano.latents import LatentCache, Scenery, cached, fill
from tools.nano.pictures import Pictures, Pixels
from tools.nano.presets import PRESETS, Preset
from tools.nano.runs import fast, half_precision, preset_option, run_options, runs_option, set_up
from tools.nano.sampling import STEPS, draw_prompts, drawing_schedule, training_schedule
from tools.nano.shapes import LATENT_CHANNELS, moved
from tools.nano.sheets import save_sheet
from tools.nano.tokens import Words, tokenizer_of
from tools.nano.train_unet import noised
from tools.nano.training import Trainer

# Of the steps: without the text, without the picture, without both. Guidance compares with these.
DROPPED = (0.05, 0.05, 0.05)
EVEN_PAIRS = 8_192  # of all kinds; after them only what is learnt last
HARDER = ("replace", "add", "larger", "move")
TEXT_GUIDANCE, PICTURE_GUIDANCE = 2.0, 1.3
SHOWN = 16


def edit_at(concepts: list[Concept], style: str, index: int) -> Edit:
    """The training edit of that index."""
    kinds = tuple(EDITS) if index < EVEN_PAIRS else HARDER
    return random_edit(concepts, style, np.random.default_rng((12, index)), kinds=kinds)


class EditScenery(Scenery):
    """The pictures of training edits, before and after in turn."""

    def draw(self, index: int) -> Pixels:
        edit = edit_at(self.concepts, self.styles[0], index // 2)
        return draw(edit.after if index % 2 else edit.before, self.pictures)


@dataclass
class EditLessons:
    """Cached pairs with the words between them."""

    concepts: list[Concept]
    style: str
    cache: LatentCache
    words: Words

    def batch(self, size: int, chance: Chance) -> tuple[Tensor, Tensor, Tensor]:
        """Latents after, latents before, and tokens; some of the last two empty."""
        rng = chance.numpy
        pairs = [index // 2 for index in self.cache.any_of(size, rng)]
        edits = [edit_at(self.concepts, self.style, pair) for pair in pairs]
        told = [instruction(edit, rng) for edit in edits]
        before = self.cache[[2 * pair for pair in pairs]]
        without_text, without_picture, _ = np.cumsum(DROPPED)
        for row, chosen in enumerate(rng.random(size)):
            if chosen < without_text or without_picture <= chosen < sum(DROPPED):
                told[row] = ""
            if without_text <= chosen < sum(DROPPED):
                before[row] = 0
        return self.cache[[2 * pair + 1 for pair in pairs]], before, self.words(told)


@torch.no_grad()
def editing_unet(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The UNet with the source's channels behind the noisy ones, at nothing yet."""
    config = {**unet.config, "in_channels": 2 * LATENT_CHANNELS}
    wide = UNet2DConditionModel.from_config(config)
    assert isinstance(wide, UNet2DConditionModel)
    weights = unet.state_dict()
    entrance = weights.pop("conv_in.weight")
    wide.load_state_dict(weights, strict=False)
    wide.conv_in.weight.zero_()
    wide.conv_in.weight[:, :LATENT_CHANNELS] = entrance
    return wide


@dataclass
class Editing:
    """What a step's loss is made of; the text encoder is frozen."""

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    device: torch.device

    def __post_init__(self) -> None:
        self.schedule = training_schedule()
        self.forward: Any = fast(self.unet.forward, self.device)

    def loss(self, chance: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        after, before, tokens = parts
        noisy, timesteps, wanted = noised(self.schedule, after, chance)
        with torch.no_grad():
            words = self.text_encoder(tokens).last_hidden_state
        with half_precision(self.device):
            predicted = self.forward(torch.cat([noisy, before], 1), timesteps, words).sample
        return functional.mse_loss(predicted.float(), wanted)


def editing_pipeline(
    vae: nn.Module, unet: nn.Module, text_encoder: CLIPTextModel, tokenizer: CLIPTokenizer
) -> StableDiffusionInstructPix2PixPipeline:
    parts: dict[str, object] = {"vae": vae, "unet": unet, "text_encoder": text_encoder}
    pipeline = StableDiffusionInstructPix2PixPipeline(
        **parts,  # pyright: ignore[reportArgumentType]
        tokenizer=tokenizer,
        scheduler=drawing_schedule(),  # pyright: ignore[reportArgumentType]
        safety_checker=None,  # pyright: ignore[reportArgumentType]
        feature_extractor=None,  # pyright: ignore[reportArgumentType]
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def edited(
    pipeline: StableDiffusionInstructPix2PixPipeline,
    pictures: list[Pixels],
    told: list[str],
    steps: int = STEPS,
) -> list[Pixels]:
    """Each picture edited as its words ask."""
    return draw_prompts(
        pipeline,
        told,
        range(len(told)),
        steps=steps,
        guidance=TEXT_GUIDANCE,
        per_prompt={"image": [Image.fromarray(picture) for picture in pictures]},
        image_guidance_scale=PICTURE_GUIDANCE,
    )


def kept_out_edits(concepts: list[Concept], style: str, count: int) -> list[Edit]:
    rng = np.random.default_rng(13)
    return [random_edit(concepts, style, rng, kept_out=True) for _ in range(count)]


def edit_cache(preset: Preset, folder: Path) -> LatentCache:
    return cached(folder / "edit-latents", preset.edit_latents)


@click.command()
@preset_option
@runs_option
@run_options
@click.option(
    "--from",
    "start",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The average of an earlier training, to go on from where its folder is lost.",
)
def main(
    preset: str, runs: Path, minutes: float | None, steps: int | None, start: Path | None
) -> bool:
    """Train the editing UNet of a preset; its pairs are drawn and encoded first."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder, style = runs / preset, recipe.styles[0]
    concepts, tokenizer = read_concepts(folder / "data"), tokenizer_of(folder)
    styles: dict[str, Pictures] = read_pictures(folder / "data")
    vae, base = load_vae(folder), moved(load_model(recipe, folder), device).requires_grad_(False)
    cache = edit_cache(recipe, folder)
    fill(cache, moved(vae, device), EditScenery(concepts, (style,), styles))
    cache.refresh()
    lessons = EditLessons(concepts, style, cache, Words(tokenizer))
    stage = replace(recipe.edit, steps=steps or recipe.edit.steps)
    unet = moved(editing_unet(base.unet), device)
    if start is not None:
        unet.load_state_dict(load_file(start))
    trainer = Trainer(unet, stage, folder / "edit", seed=8)
    shown = kept_out_edits(concepts, style, SHOWN)

    def show(model: nn.Module, path: Path) -> None:
        pipeline = editing_pipeline(vae, model, base.text_encoder, tokenizer)
        before = [draw(edit.before, styles) for edit in shown]
        rng = np.random.default_rng(0)
        after = edited(pipeline, before, [instruction(e, rng, plain=True) for e in shown])
        wanted = [draw(edit.after, styles) for edit in shown]
        save_sheet(path, [*before, *after, *wanted], columns=SHOWN)

    return trainer.run(
        lambda chance: lessons.batch(stage.batch, chance),
        Editing(unet, base.text_encoder, device).loss,
        show,
        minutes,
    )


if __name__ == "__main__":
    main()
