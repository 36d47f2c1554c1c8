"""Stable Diffusion XL's refiner, which finishes pictures of the base model: the facts."""

from nodeforge.models.families.common.family import Family, RecommendedSettings, Task

SDXL_REFINER = Family(
    name="sdxl_refiner",
    label="SDXL refiner",
    width=1280,
    in_channels={4: Task.TEXT_TO_IMAGE},
    space="sdxl",
    prediction_types=("epsilon",),
    native_size=1024,
    size_multiple=8,
    tuned_schedule="ays_sdxl",
    starts_at=0.8,
    spots_at_even_steps=True,
    recommended=RecommendedSettings(sampler="dpmpp_2m", schedule="karras", steps=30, guidance=6.0),
    config="configs/sdxl_refiner",
    denoisers={Task.TEXT_TO_IMAGE: "unet"},
    text_encoders={"text_encoder_2": "clip_g"},
    text_layer=2,
    added_conditions_width=2560,
    pipelines=("StableDiffusionXLImg2ImgPipeline",),
    bases=("stable-diffusion-xl-v1-refiner", "sdxl_refiner"),
)
