"""Stable Diffusion 2.x: the facts.

Whether a model predicts v (768 pixels) or epsilon (512, inpainting) is not in its tensors.
"""

from nodeforge.models.families.common.family import Family, RecommendedSettings, Task
from nodeforge.models.families.common.few_steps import STABILITY, few_steps

SD21 = Family(
    name="sd21",
    label="SD 2.1",
    width=1024,
    in_channels={4: Task.TEXT_TO_IMAGE, 9: Task.INPAINTING},
    space="sd",
    prediction_types=("v_prediction", "epsilon"),
    native_size=768,
    size_multiple=8,
    tuned_schedule="ays",
    plain_inpainting=0.6,
    recommended=RecommendedSettings(sampler="dpmpp_2m", schedule="normal", steps=25, guidance=7.5),
    config="configs/sd21",
    denoisers={Task.TEXT_TO_IMAGE: "unet", Task.INPAINTING: "unet_inpainting"},
    text_encoders={"text_encoder": "clip_h"},
    text_widths=(1024,),
    text_layer=2,
    pipelines=(
        "StableDiffusionPipeline",
        "StableDiffusionImg2ImgPipeline",
        "StableDiffusionInpaintPipeline",
        "LatentConsistencyModelPipeline",
    ),
    bases=("sd_v2", "sd_2", "stable-diffusion-v2"),
    variants={
        "turbo": few_steps(
            "euler_a", "sgm_uniform", steps=2, most=8, guidance=1.5, licence=STABILITY
        ),
    },
)
