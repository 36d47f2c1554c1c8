"""Wan 2.2 5B of Alibaba, 2025: the facts."""

from dataclasses import replace

from nodeforge.models.families.common.family import RecommendedSettings, Task, VideoSize
from nodeforge.models.families.wan21 import SIGNATURE, WAN

WAN22_5B = replace(
    WAN,
    name="wan22_5b",
    label="Wan 2.2 5B",
    in_channels={48: Task.TEXT_TO_IMAGE},
    space="wan22",
    native_size=960,
    size_multiple=32,
    area_range=(0.1, 1.6),
    recommended=RecommendedSettings(
        "unipc", "normal", steps=30, guidance=5.0, steps_range=(10, 60), guidance_range=(2.0, 8.0)
    ),
    config="configs/wan22_5b",
    pipelines=(),
    bases=("wan2.2-ti2v", "wan2.2-5b"),
    second_denoiser="",
    sees_clean_frames=True,
    variants={},
    variant="",
    video=VideoSize(1280, 704, frames=121, rate=24.0),
    signature=replace(
        SIGNATURE,
        sizes={
            "blocks.*.self_attn.q": (3072, 3072),
            "blocks.*.cross_attn.k": (3072, 3072),
            "blocks.*.ffn.0": (14336, 3072),
            "blocks.*.ffn.2": (3072, 14336),
        },
        blocks={"blocks": 30},
    ),
)
