"""Stable Audio Open of Stability AI, 2024: the facts."""

from nodeforge.models.families.dtypes import HALF_FIRST
from nodeforge.models.families.family import Family, RecommendedSettings, SoundLength, Task

STABLE_AUDIO = Family(
    name="stable_audio",
    label="Stable Audio",
    width=768,
    in_channels={64: Task.TEXT_TO_IMAGE},
    space="stable_audio",
    prediction_types=("v_prediction",),
    native_size=0,
    size_multiple=1,
    recommended=RecommendedSettings(
        "dpmpp_2m_sde",
        "exponential",
        steps=100,
        guidance=7.0,
        steps_range=(20, 250),
        guidance_range=(2.0, 12.0),
    ),
    config="configs/stable_audio",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "t5_base"},
    denoiser="transformer",
    network="StableAudioDiTModel",
    conditioners={"projection_model": "StableAudioProjectionModel"},
    text_length=128,
    pipelines=("StableAudioPipeline",),
    bases=("stable-audio",),
    dtypes=HALF_FIRST,
    licence="Stability AI Community License: commercial use up to 1 million USD of revenue a year",
    sound=SoundLength(cells=1024, most_seconds=512.0),
)
