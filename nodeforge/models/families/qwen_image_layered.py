"""Qwen-Image Layered, which takes a picture apart into layers with alpha: the facts."""

from dataclasses import replace

from nodeforge.models.families.common.family import RecommendedSettings, ScheduleShift
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Flag
from nodeforge.models.families.qwen_image import QWEN_IMAGE as _PLAIN

_OWN = "time_text_embed.addition_t_embedding"
"""What only its denoiser has."""

assert _PLAIN.signature is not None

QWEN_IMAGE_LAYERED = replace(
    _PLAIN,
    name="qwen_image_layered",
    label="Qwen-Image Layered",
    space="qwen_layered",
    native_size=640,
    area_range=(0.25, 2.6),
    recommended=RecommendedSettings(
        "flow_euler", "simple", 50, 4.0, steps_range=(15, 60), guidance_range=(2.0, 8.0)
    ),
    config="configs/qwen_image_layered",
    pipelines=("QwenImageLayeredPipeline",),
    bases=("qwen-image-layered", "qwen_image_layered"),
    variants={},
    variant="",
    references=1,
    reference_side=640,
    layers=4,
    shift=ScheduleShift.SQUARE_ROOT,
    signature=replace(
        _PLAIN.signature,
        names=OriginalNames({**_PLAIN.signature.names.layers, _OWN: _OWN}),
        marks=(*_PLAIN.signature.marks, f"{_OWN}.weight"),
        flags={
            name: Flag(f"{_OWN}.weight") for name in ("use_additional_t_cond", "use_layer3d_rope")
        },
        rare=True,
    ),
)
