"""Stable Diffusion XL's base model: the facts."""

from nodeforge.models.families.common.family import Family, RecommendedSettings, Task
from nodeforge.models.families.common.few_steps import STABILITY, few_steps
from nodeforge.models.families.common.instruct_pix2pix import instruct_pix2pix

SDXL = Family(
    name="sdxl",
    label="SDXL",
    width=2048,
    in_channels={4: Task.TEXT_TO_IMAGE, 8: Task.EDIT, 9: Task.INPAINTING},
    space="sdxl",
    prediction_types=("epsilon", "v_prediction", "flow_prediction"),
    native_size=1024,
    size_multiple=8,
    tuned_schedule="ays_sdxl",
    plain_inpainting=0.8,
    spots_at_even_steps=True,
    recommended=RecommendedSettings(sampler="dpmpp_2m", schedule="karras", steps=30, guidance=6.0),
    config="configs/sdxl",
    denoisers={Task.TEXT_TO_IMAGE: "unet", Task.INPAINTING: "unet_inpainting"},
    text_encoders={"text_encoder": "clip_l", "text_encoder_2": "clip_g"},
    text_layer=2,
    text_widths=(1280,),
    marks=(
        "\nconditioner.embedders.1.model.",
        "\nlora_te1_",
        "\nlora_te2_",
        "\ntext_encoder_2.",
        "\nclip_g\n",
        "_attentions_0_transformer_blocks_9_",  # of LoRAs: no other family is as deep
        ".attentions.0.transformer_blocks.9.",
        "_block_1_transformer_blocks_9_",
    ),
    pipelines=(
        "StableDiffusionXLPipeline",
        "StableDiffusionXLInpaintPipeline",
        "StableDiffusionXLInstructPix2PixPipeline",
    ),
    bases=("sdxl", "stable-diffusion-xl-v1-base", "stable-diffusion-xl"),
    variants={
        # Turbo draws 512 pixels; those that others trained further from it 1024, at a scale of 2.
        "turbo": few_steps(
            "euler_a", "sgm_uniform", steps=4, most=8, guidance=2.5, smallest=0.2, licence=STABILITY
        ),
        "lightning": few_steps("euler", "sgm_uniform", steps=4, most=8, guidance=2.0),
        "hyper": few_steps("ddim", "sgm_uniform", steps=8, most=12, guidance=2.0),
        "lcm": few_steps("lcm", "normal", steps=6, most=12, guidance=2.5, usual=1.5, label="LCM"),
        "dmd": few_steps("lcm", "normal", steps=4, most=8, guidance=1.5, label="DMD"),
        "instruct_pix2pix": instruct_pix2pix(steps=30, guidance=5.0),
    },
    normalises_references=False,
    added_conditions_width=2816,
    adapter_factor=16,
)
