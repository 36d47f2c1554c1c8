"""Z-Image of Tongyi Lab, 2025: the facts."""

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST
from nodeforge.models.families.common.family import (
    Family,
    GuidanceKind,
    RecommendedSettings,
    Task,
    Variant,
)
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Side, Signature

_BASE = RecommendedSettings(
    "flow_euler", "simple", steps=30, guidance=4.0, guidance_range=(2.0, 8.0)
)

_BLOCKS = ("layers", "noise_refiner", "context_refiner")
_LAST = "all_final_layer.2-1"


def _block(blocks: str) -> dict[str, str | tuple[str, ...]]:
    here = f"{blocks}.*"
    return {
        f"{here}.attention.qkv": tuple(f"{here}.attention.to_{each}" for each in "qkv"),
        f"{here}.attention.out": f"{here}.attention.to_out.0",
        f"{here}.attention.q_norm": f"{here}.attention.norm_q",
        f"{here}.attention.k_norm": f"{here}.attention.norm_k",
        **{same: same for same in (f"{here}.feed_forward.w{n}" for n in (1, 2, 3))},
        f"{here}.adaLN_modulation.0": f"{here}.adaLN_modulation.0",
    }


_NAMES = OriginalNames(
    {
        **{name: parts for blocks in _BLOCKS for name, parts in _block(blocks).items()},
        "x_embedder": "all_x_embedder.2-1",
        "final_layer.linear": f"{_LAST}.linear",
        "final_layer.adaLN_modulation.1": f"{_LAST}.adaLN_modulation.1",
        **{same: same for same in ("cap_embedder.1", "t_embedder.mlp.0", "t_embedder.mlp.2")},
    }
)

Z_IMAGE = Family(
    name="z_image",
    label="Z-Image",
    width=2560,
    in_channels={16: Task.TEXT_TO_IMAGE},
    space="flux",
    prediction_types=("flow_prediction",),
    native_size=1024,
    size_multiple=16,
    area_range=(0.06, 4.1),
    recommended=_BASE,
    config="configs/z_image",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "qwen3_4b"},
    denoiser="transformer",
    network="ZImageTransformer2DModel",
    cells_in_side=2,
    text_length=512,
    pipelines=("ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline"),
    bases=("z-image", "zimage", "z_image"),
    variants={
        "turbo": Variant(
            RecommendedSettings(
                "flow_euler", "simple", 8, 1.0, steps_range=(4, 16), guidance_range=(1.0, 1.0)
            ),
            guidance=GuidanceKind.NONE,
            distilled=True,
            scheduler={"shift": 3.0},
        ),
        "base": Variant(_BASE),
    },
    variant="base",
    guidance=GuidanceKind.CFG,
    guides_from_positive=True,
    comfyui_shift=3.0,
    comfyui_clip=("lumina2",),
    rounds_strength_up=True,
    dtypes=BFLOAT16_FIRST,
    companions=True,
    signature=Signature(
        _NAMES,
        marks=("cap_pad_token", "x_embedder.weight", "final_layer.linear.weight"),
        sides={
            "in_channels": Side("x_embedder.weight", 1, 4),
            "cap_feat_dim": Side("cap_embedder.1.weight", 1),
        },
        latent=Side("final_layer.linear.weight", 0, 4),
        text=Side("cap_embedder.1.weight", 1),
        counts={"n_layers": "layers", "n_refiner_layers": "noise_refiner"},
        sizes={
            "layers.*.attention.qkv": (11520, 3840),
            "layers.*.attention.out": (3840, 3840),
            "layers.*.feed_forward.w1": (10240, 3840),
            "layers.*.feed_forward.w2": (3840, 10240),
            "layers.*.feed_forward.w3": (10240, 3840),
        },
        blocks={"layers": 30, "noise_refiner": 2, "context_refiner": 2},
        relatives={
            "Lumina 2": {
                "layers.*.attention.qkv": (0, 2304),
                "layers.*.attention.out": (2304, 2304),
            }
        },
        strangers={"siglip_": "Z-Image Omni", "control_layers.": "Z-Image's ControlNet"},
    ),
)
