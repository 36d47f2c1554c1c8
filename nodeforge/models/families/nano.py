"""nano, the small model that ships with NodeForge: the facts."""

from nodeforge.models.families.common.family import Family, RecommendedSettings, Task

NANO = Family(
    name="nano",
    label="nano",
    width=192,
    in_channels={16: Task.TEXT_TO_IMAGE},
    space="nano",
    prediction_types=("v_prediction", "epsilon"),
    native_size=256,
    size_multiple=16,
    recommended=RecommendedSettings(sampler="dpmpp_2m", schedule="normal", steps=20, guidance=5.0),
    config="models/nano",
    denoisers={Task.TEXT_TO_IMAGE: "unet"},
    text_encoders={"text_encoder": "clip_nano"},
    text_widths=(192,),
)
