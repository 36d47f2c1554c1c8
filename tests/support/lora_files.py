"""Names and shapes of LoRAs over a network's layers, as each trainer writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .model_files import Shapes

Tensors = dict[str, Any]


def lora(
    shapes: Shapes,
    name: Callable[[str], tuple[str, str]],
    ends: tuple[str, ...] = ("to_q.weight", "to_k.weight", "to_v.weight"),
    rank: int = 4,
) -> Tensors:
    """A LoRA over layers of a network; `name` gives the names of its two matrices."""
    made: Tensors = {}
    for key, shape in shapes.items():
        if key.endswith(ends):
            down, up = name(key.removesuffix(".weight"))
            made |= {down: [rank, *shape[1:]], up: [shape[0], rank, *(1 for _ in shape[2:])]}
    return made


def lokr(
    shapes: Shapes, prefix: str, whole: bool = False, ends: tuple[str, ...] = ("attn2.to_k.weight",)
) -> Tensors:
    """A LoKr over layers of a network: a factor of 8 × 8, and one whole or of rank 4."""
    made: Tensors = {}
    for key, (into, out) in ((k, (s[1], s[0])) for k, s in shapes.items() if k.endswith(ends)):
        stem = prefix + key.removesuffix(".weight").replace(".", "_")
        made[f"{stem}.lokr_w1"] = [8, 8]
        if whole:
            made[f"{stem}.lokr_w2"] = [out // 8, into // 8]
        else:
            made[f"{stem}.lokr_w2_a"] = [out // 8, 4]
            made[f"{stem}.lokr_w2_b"] = [4, into // 8]
        made[f"{stem}.alpha"] = []
    return made


def peft(key: str, part: str = "unet") -> tuple[str, str]:
    return f"{part}.{key}.lora_A.weight", f"{part}.{key}.lora_B.weight"


def kohya(key: str, prefix: str = "lora_unet_") -> tuple[str, str]:
    stem = prefix + key.replace(".", "_")
    return f"{stem}.lora_down.weight", f"{stem}.lora_up.weight"


def bare_peft(key: str) -> tuple[str, str]:
    return f"base_model.model.{key}.lora_A.weight", f"base_model.model.{key}.lora_B.weight"


def old_diffusers(key: str) -> tuple[str, str]:
    stem = f"unet.{key.replace('.to_', '.processor.to_')}_lora"
    return f"{stem}.down.weight", f"{stem}.up.weight"


def loha(key: str) -> tuple[str, str]:
    stem = "lora_unet_" + key.replace(".", "_")
    return f"{stem}.hada_w1_b", f"{stem}.hada_w1_a"


LORA_LAYOUTS: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "peft": peft,
    "bare peft": bare_peft,
    "kohya": kohya,
    "old diffusers": old_diffusers,
    "loha": loha,
}
