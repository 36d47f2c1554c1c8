"""nano, the small model that ships with NodeForge: the facts."""

from dataclasses import replace

from nodeforge.models.families.common.family import Family, RecommendedSettings, Task
from nodeforge.models.families.common.instruct_pix2pix import instruct_pix2pix

_USUAL = RecommendedSettings(sampler="dpmpp_2m", schedule="normal", steps=20, guidance=3.0)

NANO = Family(
    name="nano",
    label="nano",
    width=192,
    in_channels={16: Task.TEXT_TO_IMAGE, 32: Task.EDIT},
    space="nano",
    prediction_types=("v_prediction", "epsilon"),
    native_size=256,
    size_multiple=16,
    recommended=_USUAL,
    config="models/nano",
    denoisers={Task.TEXT_TO_IMAGE: "unet"},
    text_encoders={"text_encoder": "clip_nano"},
    text_widths=(192,),
    variants={
        "edit": replace(
            instruct_pix2pix(steps=20, guidance=2.0),
            recommended=replace(_USUAL, guidance=2.0, image_guidance=1.3),
        )
    },
    companions=True,
)
