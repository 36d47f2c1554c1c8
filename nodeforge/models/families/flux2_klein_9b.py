"""Flux.2 klein with 9 billion parameters, which reads Qwen3-8B: the facts."""

from dataclasses import replace

from nodeforge.models.families.flux2_klein_4b import FLUX2_KLEIN_4B as _SMALL
from nodeforge.models.families.flux2_klein_4b import sizes

assert _SMALL.signature is not None

FLUX2_KLEIN_9B = replace(
    _SMALL,
    name="flux2_klein_9b",
    label="Flux.2 klein 9B",
    width=12288,
    licence="Black Forest Labs' non-commercial licence",
    config="configs/flux2_klein_9b",
    text_encoders={"text_encoder": "qwen3_8b"},
    bases=("flux-2-klein-9b", "flux2-klein-9b"),
    signature=replace(
        _SMALL.signature,
        sizes=sizes(4096),
        blocks={"double_blocks": 8, "single_blocks": 24},
    ),
)
