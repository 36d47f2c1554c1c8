"""Image to image and masked inpainting, as diffusers' pipelines do them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import (
    StableDiffusionImg2ImgPipeline,
)
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import (
    StableDiffusionInpaintPipeline,
)
from PIL import Image

from tools.nano.pictures import Pixels
from tools.nano.sampling import draw_prompts


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
    base: Any, pictures: Sequence[Pixels], masks: Sequence[Pixels], prompts: Sequence[str]
) -> list[Pixels]:
    """Redraw where the mask is 255 from pure noise."""
    pipeline = StableDiffusionInpaintPipeline(**base.components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    inputs = {
        "image": [Image.fromarray(picture) for picture in pictures],
        "mask_image": [Image.fromarray(mask) for mask in masks],
    }
    size = np.shape(pictures[0])[0]
    return draw_prompts(
        pipeline,
        prompts,
        range(len(prompts)),
        per_prompt=inputs,
        strength=1.0,
        height=size,
        width=size,
    )
