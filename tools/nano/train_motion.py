"""Train motion modules in AnimateDiff's form (Guo et al. 2023) over the frozen UNet.

They are attention along the frames, start at nothing, and are saved in the layout of diffusers'
`MotionAdapter`. With them goes a LoRA over the UNet's attention to words, as AnimateDiff's domain
adapter: the UNet has never been told of moves, and its answer to "moving to the left" differs from
that to "moving to the right" by 3 %, where "on the left" changes it by 90 %.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.unets.unet_motion_model import MotionAdapter, UNetMotionModel
from diffusers.pipelines.animatediff.pipeline_animatediff import AnimateDiffPipeline
from peft import LoraConfig
from peft.utils import set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from tools.nano.batches import Chance
from tools.nano.captions import prompt
from tools.nano.clips import FRAMES, Clip, ClipScenery, clip_at, random_clip
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.export import forget_paths, load_model, load_vae
from tools.nano.instructions import MOVE_WORDS, moving
from tools.nano.latents import LatentCache, cached, fill
from tools.nano.pictures import Pixels
from tools.nano.presets import PRESETS
from tools.nano.runs import (
    fast,
    from_option,
    half_precision,
    preset_option,
    run_options,
    runs_option,
    set_up,
)
from tools.nano.sampling import GUIDANCE, STEPS, drawing_schedule, training_schedule
from tools.nano.shapes import moved
from tools.nano.sheets import save_sheet
from tools.nano.tokens import Words, tokenizer_of
from tools.nano.train_lora import save_adapter
from tools.nano.train_unet import EMPTY_SHARE, TextToLatent, noised
from tools.nano.training import Trainer

HEADS = 4
LONGEST = 16  # frames
WORDS_RANK = 16
WORDS = r"(?!.*motion_modules).*\.attn2\.to_[kv]"
WORDS_FILE = "words.safetensors"
TRAINED = ("motion_modules", "lora_")


def new_motion_unet(unet: UNet2DConditionModel) -> UNetMotionModel:
    """The UNet, frozen, with motion modules and a LoRA that pass everything through."""
    torch.manual_seed(0)
    adapter = MotionAdapter(
        block_out_channels=tuple(unet.config["block_out_channels"]),
        motion_layers_per_block=unet.config["layers_per_block"],
        motion_num_attention_heads=HEADS,
        motion_norm_num_groups=unet.config["norm_num_groups"],
        motion_max_seq_length=LONGEST,
    )
    for name, weight in adapter.named_parameters():
        if "proj_out" in name:
            nn.init.zeros_(weight)
    model = UNetMotionModel.from_unet2d(unet, adapter)
    assert isinstance(model, UNetMotionModel)
    model.add_adapter(LoraConfig(r=WORDS_RANK, lora_alpha=WORDS_RANK, target_modules=WORDS))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(any(part in name for part in TRAINED))
    return model


def go_on_from(unet: UNetMotionModel, start: Path) -> None:
    """Take the motion modules of a `MotionAdapter`'s folder, and the LoRA that lies there."""
    adapter = MotionAdapter.from_pretrained(start)
    assert isinstance(adapter, MotionAdapter)
    unet.load_motion_modules(adapter)
    if (start / WORDS_FILE).exists():
        words = load_file(start / WORDS_FILE)
        lora = {name.removeprefix("unet."): value.float() for name, value in words.items()}
        set_peft_model_state_dict(unet, lora)


@dataclass
class ClipLessons:
    """Cached clips with captions that say how they move."""

    concepts: list[Concept]
    style: str
    cache: LatentCache
    words: Words

    def batch(self, size: int, chance: Chance) -> tuple[Tensor, Tensor]:
        """Latents (clips, channels, frames, height, width), and tokens."""
        indices = [index // FRAMES for index in self.cache.any_of(size, chance.numpy)]
        clips = [clip_at(self.concepts, self.style, index) for index in indices]
        told = [
            moving(clip.scene, clip.move, chance.numpy, self.style)
            if chance.numpy.random() >= EMPTY_SHARE
            else ""
            for clip in clips
        ]
        frames = [self.cache[[i * FRAMES + at for at in range(FRAMES)]] for i in indices]
        return torch.stack(frames).transpose(1, 2), self.words(told)


@dataclass
class Moving:
    """What a step's loss is made of."""

    unet: UNetMotionModel
    base: TextToLatent
    device: torch.device

    def __post_init__(self) -> None:
        self.schedule = training_schedule()
        self.forward: Any = fast(self.unet.forward, self.device)

    def loss(self, chance: Chance, parts: tuple[Tensor, ...]) -> Tensor:
        clips, tokens = parts
        noisy, timesteps, wanted = noised(self.schedule, clips, chance)
        with torch.no_grad():
            told = self.base.text_encoder(tokens).last_hidden_state
        words = told.repeat_interleave(clips.shape[2], 0)
        with half_precision(self.device):
            predicted = self.forward(noisy, timesteps, words).sample
        return functional.mse_loss(predicted.float(), wanted)


def told(clip: Clip) -> str:
    """The plain wording that evaluation and examples use."""
    return f"{prompt(clip.scene)}, {MOVE_WORDS[clip.move][0]}"


def motion_pipeline(vae: nn.Module, unet: nn.Module, base: TextToLatent, tokenizer: Any) -> Any:
    parts: dict[str, Any] = {"vae": vae, "unet": unet, "text_encoder": base.text_encoder}
    pipeline = AnimateDiffPipeline(
        **parts,
        tokenizer=tokenizer,
        motion_adapter=None,  # pyright: ignore[reportArgumentType]
        scheduler=drawing_schedule(),  # pyright: ignore[reportArgumentType]
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@torch.no_grad()
def draw_clip(pipeline: Any, text: str, seed: int, steps: int = STEPS) -> list[Pixels]:
    """The frames of one clip."""
    with half_precision(pipeline.device):
        frames = pipeline(
            text,
            num_frames=FRAMES,
            height=256,
            width=256,
            num_inference_steps=steps,
            guidance_scale=GUIDANCE,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
        ).frames[0]
    return list((frames * 255).round().astype(np.uint8))


@click.command()
@preset_option
@runs_option
@from_option
@run_options
def main(
    preset: str, runs: Path, start: Path | None, minutes: float | None, steps: int | None
) -> bool:
    """Train the motion modules of a preset; its clips are drawn and encoded first."""
    recipe = PRESETS[preset]
    device = set_up(recipe)
    folder, style = runs / preset, recipe.styles[0]
    concepts, tokenizer = read_concepts(folder / "data"), tokenizer_of(folder)
    styles = read_pictures(folder / "data", recipe.styles)
    vae, base = load_vae(folder), moved(load_model(recipe, folder), device).requires_grad_(False)
    cache = cached(folder / "clip-latents", recipe.clip_latents)
    fill(cache, moved(vae, device), ClipScenery(concepts, (style,), styles))
    cache.refresh()
    lessons = ClipLessons(concepts, style, cache, Words(tokenizer))
    stage = replace(recipe.motion, steps=steps or recipe.motion.steps)
    unet = moved(new_motion_unet(base.unet), device)
    if start is not None:
        go_on_from(unet, start)
    trainer = Trainer(unet, stage, folder / "motion", seed=9)
    rng = np.random.default_rng(15)
    shown = [random_clip(concepts, style, rng, (move,), kept_out=True) for move in MOVE_WORDS]

    def show(model: nn.Module, path: Path) -> None:
        pipeline = motion_pipeline(vae, model, base, tokenizer)
        strips = [draw_clip(pipeline, told(clip), seed) for seed, clip in enumerate(shown)]
        save_sheet(path, [frame for strip in strips for frame in strip], columns=FRAMES)

    def batch_of(chance: Chance) -> tuple[Tensor, ...]:
        return lessons.batch(stage.batch, chance)

    done = trainer.run(batch_of, Moving(unet, base, device).loss, show, minutes)
    average = trainer.average
    assert isinstance(average, UNetMotionModel)
    save_adapter(average, folder / "lora" / "motion.safetensors")
    adapter = folder / "motion" / "adapter"
    average.save_motion_modules(str(adapter))
    half = MotionAdapter.from_pretrained(adapter, torch_dtype=torch.float16)
    assert isinstance(half, MotionAdapter)
    half.save_pretrained(adapter)
    forget_paths(adapter)
    return done


if __name__ == "__main__":
    main()
