"""Image to image by diffusers' pipeline, and masked inpainting, which it has for 4 channels only.

Inpainting goes as in 'Blended Latent Diffusion': after each step, what lies outside the mask is
put back from the picture, at the noise of that step.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import (
    StableDiffusionImg2ImgPipeline,
)
from PIL import Image
from torch import Tensor
from torch.nn import functional

from tools.nano.pictures import Pixels
from tools.nano.sampling import BATCH, draw_prompts
from tools.nano.shapes import encode
from tools.nano.train_vae import to_tensor


def image_to_image(
    base: Any, pictures: Sequence[Pixels], prompts: Sequence[str], strength: float
) -> list[Pixels]:
    pipeline = StableDiffusionImg2ImgPipeline(**base.components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    images = [Image.fromarray(picture) for picture in pictures]
    return draw_prompts(
        pipeline, prompts, range(len(prompts)), per_prompt={"image": images}, strength=strength
    )


def inpainting(
    base: Any, pictures: Sequence[Pixels], mask: Pixels, prompts: Sequence[str]
) -> list[Pixels]:
    """Redraw from pure noise where the mask is 255."""
    painted: list[Pixels] = []
    for start in range(0, len(prompts), BATCH):
        part = slice(start, start + BATCH)
        keep = keep_outside(base, np.stack(pictures[part]), mask)
        seeds = range(start, start + len(prompts[part]))
        painted += draw_prompts(base, prompts[part], seeds, callback_on_step_end=keep)
    return painted


@torch.no_grad()
def keep_outside(base: Any, pictures: Pixels, mask: Pixels) -> Callable[..., dict[str, Tensor]]:
    """A callback of diffusers' pipelines that puts back what the mask leaves alone."""
    device = base.vae.device
    known = encode(base.vae, to_tensor(pictures).to(device)).mean * base.vae.config.scaling_factor
    noise = torch.randn(known.shape, generator=torch.Generator().manual_seed(0)).to(device)
    inside = torch.from_numpy(mask).float()[None, None].to(device) / 255
    inside = functional.interpolate(inside, known.shape[2:], mode="area") > 0.5

    def put_back(pipeline: Any, step: int, _: Any, values: dict[str, Tensor]) -> dict[str, Tensor]:
        following = pipeline.scheduler.timesteps[step + 1 : step + 2]
        outside = known
        if len(following):
            outside = pipeline.scheduler.add_noise(known, noise, following.repeat(len(known)))
        return {"latents": torch.where(inside, values["latents"], outside)}

    return put_back
