"""Stable Diffusion 1.x: the facts."""

from nodeforge.models.families.common.family import Family, RecommendedSettings, Task
from nodeforge.models.families.common.few_steps import few_steps
from nodeforge.models.families.common.instruct_pix2pix import instruct_pix2pix

SD15 = Family(
    name="sd15",
    label="SD 1.5",
    width=768,
    in_channels={4: Task.TEXT_TO_IMAGE, 8: Task.EDIT, 9: Task.INPAINTING},
    space="sd",
    prediction_types=("epsilon", "v_prediction", "flow_prediction"),
    native_size=512,
    size_multiple=8,
    tuned_schedule="ays",
    plain_inpainting=0.6,
    area_range=(0.4, 2.3),  # many that were trained further know 768 pixels
    recommended=RecommendedSettings(sampler="dpmpp_2m", schedule="karras", steps=20, guidance=7.0),
    config="configs/sd15",
    denoisers={Task.TEXT_TO_IMAGE: "unet", Task.INPAINTING: "unet_inpainting"},
    text_encoders={"text_encoder": "clip_l"},
    most_clip_skip=1,
    text_widths=(768,),
    pipelines=(
        "StableDiffusionPipeline",
        "StableDiffusionImg2ImgPipeline",
        "StableDiffusionInpaintPipeline",
        "StableDiffusionInstructPix2PixPipeline",
        "LatentConsistencyModelPipeline",
    ),
    bases=("sd_v1", "sd_1.5", "stable-diffusion-v1"),
    variants={
        "lcm": few_steps("lcm", "normal", steps=6, most=12, guidance=2.5, usual=1.5, label="LCM"),
        "hyper": few_steps("ddim", "sgm_uniform", steps=8, most=12, guidance=2.0),
        "instruct_pix2pix": instruct_pix2pix(steps=20, guidance=7.5),
    },
    normalises_references=False,
    adapter_factor=8,
)
