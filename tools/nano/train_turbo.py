"""Train a LoRA for four model calls without guidance: consistency distillation (Luo et al. 2023).

The student says at once where the teacher, guided, would end; it is taught to say the same a step
of the teacher's later. Symbols are the paper's: `omega` is the guidance scale, f the student.
"""

import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_lcm import LCMScheduler
from torch import Tensor, nn

from tools.nano.batches import Chance
from tools.nano.data import read_concepts
from tools.nano.export import load_model, load_vae
from tools.nano.latents import cached
from tools.nano.presets import PRESETS
from tools.nano.runs import fast, half_precision, preset_option, run_options, runs_option, set_up
from tools.nano.sampling import GUIDANCE, draw_prompts, new_pipeline, training_schedule
from tools.nano.shapes import moved
from tools.nano.sheets import save_sheet
from tools.nano.tokens import Words, tokenizer_of
from tools.nano.train_lora import save_adapter, with_adapter
from tools.nano.train_unet import Lessons, TextToLatent, example_prompts
from tools.nano.training import Trainer

CALLS = 4
TEACHER_STEPS = 50
SIGMA_DATA, TIMESTEP_SCALE = 0.5, 10.0  # what LCMScheduler assumes
HUBER = 1e-3


def spread(values: Tensor) -> Tensor:
    """One number a picture, to multiply latents by."""
    return values[:, None, None, None]


def ends(x: Tensor, v: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """The clean latent and the noise that a velocity speaks of; `alpha` is cumulative."""
    signal, noise = spread(alpha.sqrt()), spread((1 - alpha).sqrt())
    return signal * x - noise * v, signal * v + noise * x


def boundary(timesteps: Tensor) -> tuple[Tensor, Tensor]:
    """c_skip and c_out: at timestep 0 the answer is the picture itself."""
    scaled = timesteps.float() * TIMESTEP_SCALE
    total = scaled.square() + SIGMA_DATA**2
    return spread(SIGMA_DATA**2 / total), spread(scaled / total.sqrt())


@dataclass
class Distillation:
    """Teacher and student; the text encoder is frozen."""

    teacher: UNet2DConditionModel
    student: UNet2DConditionModel
    text_encoder: Any
    nothing: Tensor  # the tokens of an empty prompt
    device: torch.device
    omega: float = GUIDANCE

    def __post_init__(self) -> None:
        self.alphas = training_schedule().alphas_cumprod.to(self.device)
        self.forward: Any = fast(self.student.forward, self.device)

    def f(self, x: Tensor, timesteps: Tensor, words: Tensor) -> Tensor:
        """The student's answer."""
        with half_precision(self.device):
            v = self.forward(x, timesteps, words).sample.float()
        clean, _ = ends(x, v, self.alphas[timesteps])
        skip, out = boundary(timesteps)
        return skip * x + out * clean

    @torch.no_grad()
    def teach(self, x: Tensor, timesteps: Tensor, earlier: Tensor, words: Tensor) -> Tensor:
        """One DDIM step of the guided teacher, from `timesteps` to `earlier`."""
        none = self.text_encoder(self.nothing).last_hidden_state.expand_as(words)
        twice = torch.cat([x, x]), torch.cat([timesteps] * 2), torch.cat([words, none])
        with half_precision(self.device):
            guided, free = self.teacher(*twice).sample.float().chunk(2)
        v = free + self.omega * (guided - free)
        clean, noise = ends(x, v, self.alphas[timesteps])
        alpha = self.alphas[earlier]
        return spread(alpha.sqrt()) * clean + spread((1 - alpha).sqrt()) * noise

    def loss(self, chance: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        latents, tokens = parts
        skip = len(self.alphas) // TEACHER_STEPS
        steps = torch.randint(1, TEACHER_STEPS + 1, (len(latents),), generator=chance.torch)
        timesteps = (steps * skip - 1).to(self.device)
        earlier = (timesteps - skip).clamp(min=0)
        alpha = self.alphas[timesteps]
        noise = chance.normal(latents)
        x = spread(alpha.sqrt()) * latents + spread((1 - alpha).sqrt()) * noise
        with torch.no_grad():
            words = self.text_encoder(tokens).last_hidden_state
            wanted = self.f(self.teach(x, timesteps, earlier, words), earlier, words)
        apart = self.f(x, timesteps, words) - wanted
        return (torch.sqrt(apart.square() + HUBER**2) - HUBER).mean()


def turbo_pipeline(pipeline: Any) -> Any:
    """The same pipeline on the schedule of consistency models."""
    pipeline.scheduler = LCMScheduler.from_config(pipeline.scheduler.config)
    return pipeline


@click.command()
@preset_option
@runs_option
@run_options
def main(preset: str, runs: Path, minutes: float | None, steps: int | None) -> bool:
    """Train the LoRA of a preset that draws in four calls."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder = runs / preset
    concepts, tokenizer = read_concepts(folder / "data"), tokenizer_of(folder)
    words, cache = Words(tokenizer), cached(folder / "latents", recipe.latents)
    lessons = Lessons(recipe.styles, concepts, cache, words, empty_share=0)
    base = moved(load_model(recipe, folder), device).requires_grad_(False)
    teacher, vae = copy.deepcopy(base.unet), moved(load_vae(folder), device)
    student = with_adapter(base.unet)
    stage = replace(recipe.turbo, steps=steps or recipe.turbo.steps)
    trainer = Trainer(student, stage, folder / "turbo", seed=10)
    nothing = words([""]).to(device)
    distillation = Distillation(teacher, student, base.text_encoder, nothing, device)
    prompts = example_prompts(concepts)

    def show(model: nn.Module, path: Path) -> None:
        unet: Any = model
        shown = TextToLatent(unet, base.text_encoder)
        pipeline = turbo_pipeline(new_pipeline(vae, shown.unet, shown.text_encoder, tokenizer))
        drawn = draw_prompts(pipeline, prompts, range(len(prompts)), steps=CALLS, guidance=1.0)
        save_sheet(path, drawn, columns=8)

    done = trainer.run(partial(lessons.batch, stage.batch), distillation.loss, show, minutes)
    save_adapter(trainer.average, folder / "lora" / "turbo.safetensors")
    return done


if __name__ == "__main__":
    main()
