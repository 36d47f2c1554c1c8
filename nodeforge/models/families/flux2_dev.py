"""Flux.2 dev of Black Forest Labs, 2025: the facts. It is a larger klein that reads Mistral."""

from dataclasses import replace

from nodeforge.models.families.common.family import GuidanceKind, RecommendedSettings
from nodeforge.models.families.flux2_klein_4b import FLUX2_KLEIN_4B as _SMALL
from nodeforge.models.families.flux2_klein_4b import sizes

assert _SMALL.signature is not None

FLUX2_DEV = replace(
    _SMALL,
    name="flux2_dev",
    label="Flux.2 dev",
    width=15360,
    recommended=RecommendedSettings("flow_euler", "simple", 28, 4.0, guidance_range=(1.5, 8.0)),
    licence="Black Forest Labs' non-commercial licence",
    config="configs/flux2_dev",
    text_encoders={"text_encoder": "mistral_small"},
    pipelines=("Flux2Pipeline",),
    bases=("flux-2-dev", "flux2-dev"),
    variants={},
    variant="",
    guidance=GuidanceKind.EMBEDDED,
    references=10,
    signature=replace(
        _SMALL.signature,
        marks=(*_SMALL.signature.marks, "guidance_in.in_layer.weight"),
        sizes=sizes(6144),
        blocks={"double_blocks": 8, "single_blocks": 48},
    ),
)
