"""Pictures from a model in training or on disk, by diffusers' own pipeline."""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.utils.logging import disable_progress_bar
from transformers import CLIPTextModel, CLIPTokenizer

from nodeforge.models.families.nano import NANO
from tools.nano.pictures import Pixels
from tools.nano.runs import half_precision
from tools.nano.shapes import SCHEDULE

STEPS, GUIDANCE = NANO.recommended.steps, NANO.recommended.guidance
BATCH = 16
BATCH_ON_A_CARD = 128


def training_schedule() -> DDPMScheduler:
    return DDPMScheduler(**SCHEDULE, prediction_type="v_prediction", clip_sample=False)


def drawing_schedule() -> DPMSolverMultistepScheduler:
    """The scheduler that is shipped: 'trailing' starts from the noise it was trained on."""
    return DPMSolverMultistepScheduler(
        **SCHEDULE, prediction_type="v_prediction", timestep_spacing="trailing", steps_offset=1
    )


def new_pipeline(
    vae: AutoencoderKL,
    unet: UNet2DConditionModel,
    text_encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
) -> StableDiffusionPipeline:
    disable_progress_bar()
    pipeline = StableDiffusionPipeline(
        vae=vae,
        unet=unet,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        scheduler=drawing_schedule(),  # pyright: ignore[reportArgumentType]
        safety_checker=None,  # pyright: ignore[reportArgumentType]
        feature_extractor=None,  # pyright: ignore[reportArgumentType]
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@torch.no_grad()
def draw_prompts(
    pipeline: Any,
    prompts: Sequence[str],
    seeds: Sequence[int],
    *,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    per_prompt: dict[str, list[Any]] | None = None,
    **options: Any,
) -> list[Pixels]:
    """One picture a prompt, each from its own seed, so that batches do not change it."""
    pictures: list[Pixels] = []
    size = BATCH if pipeline.device.type == "cpu" else BATCH_ON_A_CARD
    for start in range(0, len(prompts), size):
        part = slice(start, start + size)
        own = {key: values[part] for key, values in (per_prompt or {}).items()}
        with half_precision(pipeline.device):
            drawn = pipeline(
                prompt=list(prompts[part]),
                generator=[torch.Generator().manual_seed(seed) for seed in seeds[part]],
                num_inference_steps=steps,
                guidance_scale=guidance,
                output_type="np",
                **own,
                **options,
            ).images
        pictures += list((drawn * 255).round().astype("uint8"))
    return pictures
