"""Parses the tensor names of LoRA files: network, module, role.

Names are those of peft, diffusers (old and new), Kohya's trainer and LyCORIS. Reads headers
only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodeforge.diffusion.adapters.lora_blocks import ldm_modules
from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import read_header

_PARTS = (
    ("lora_unet_", "unet"),
    ("lycoris_", "unet"),
    ("unet.", "unet"),
    ("lora_te1_", "text_encoder"),
    ("lora_te2_", "text_encoder_2"),
    ("lora_te_", "text_encoder"),
    ("text_encoder_2.", "text_encoder_2"),
    ("text_encoder.", "text_encoder"),
)
_ROLES = (
    (r"[._]lora(?:_A|_down|\.down|_linear_layer\.down)(?:\.default)?\.weight", "down"),
    (r"[._]lora(?:_B|_up|\.up|_linear_layer\.up)(?:\.default)?\.weight", "up"),
    (r"\.lora_mid\.weight", "mid"),
    (r"\.alpha", "alpha"),
    (r"\.(hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2))", ""),
)
_NAME = [(re.compile(rf"^(.+?){end}$"), role) for end, role in _ROLES]


@dataclass
class LoraNames:
    """A LoRA's tensors for one network.

    Args:
        modules: By module, as `canonical` writes it: its tensors by role: ``down``, ``up``,
            ``mid``, ``alpha``, or LyCORIS' own names, as ``hada_w1_a``.
        alphas: What the file's metadata says of alpha: by module, and under ``""`` for the rest.
        root: Whether alpha is divided by the rank's square root (Kalajdzievski 2023).
    """

    modules: dict[str, dict[str, StoredTensor]] = field(default_factory=dict)
    alphas: Mapping[str, float] = field(default_factory=dict)
    root: bool = False


def read_names(path: Path) -> dict[str, LoraNames]:
    """What the LoRA at `path` changes, by network: ``unet``, ``text_encoder``, ``text_encoder_2``.

    Raises:
        LoadingError: it holds something that is not low-rank weights as known here.
        ModelFileError: the file is damaged.
    """
    metadata = _metadata(read_header(path).metadata)
    found: dict[str, LoraNames] = {}
    for name, tensor in stored_tensors(path).items():
        part, module, role = _parsed(name, path)
        if part not in found:
            found[part] = _with_metadata(part, metadata, path)
        found[part].modules.setdefault(module, {})[role] = tensor
    return found


def canonical(module: str) -> str:
    """A module's name as trainers of all kinds can be brought to: ``down_blocks_0_conv1``."""
    name = module.replace(".", "_").replace("_processor_", "_").removeprefix("text_model_")
    return f"{name}_0" if name.endswith("_to_out") else name


def by_canonical_name(modules: Sequence[str], layers: int | None = None) -> dict[str, str]:
    """The names of a network's modules by their `canonical` form.

    Args:
        modules: As the network has them.
        layers: Of a UNet, resnets in a block: trainers of SDXL name its modules as LDM does.
    """
    found = {canonical(name): name for name in modules}
    if layers is not None:
        ldm = ldm_modules(modules, layers)
        found |= {canonical(other): name for name, other in ldm.items()}
    return found


def _parsed(name: str, path: Path) -> tuple[str, str, str]:
    """Network, module and role of the tensor `name`."""
    plain = name.removeprefix("base_model.model.")
    prefix, part = next(((p, part) for p, part in _PARTS if plain.startswith(p)), ("", "unet"))
    for pattern, role in _NAME:
        if found := pattern.match(plain.removeprefix(prefix)):
            return part, canonical(found[1]), role or found[2]
    raise LoadingError(
        f"holds '{name}', which is no LoRA, LoHa or LoKr weight.",
        place=str(path),
        way_out="Choose a file of another method: DoRA, biases and full differences are not read.",
    )


def _metadata(told: Mapping[str, str]) -> Mapping[str, Any]:
    """What diffusers writes of a LoRA's configuration, as ``unet.lora_alpha``."""
    try:
        read = json.loads(told.get("lora_adapter_metadata", "{}"))
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _with_metadata(part: str, metadata: Mapping[str, Any], path: Path) -> LoraNames:
    if metadata.get(f"{part}.use_dora"):
        raise LoadingError(
            "is a DoRA, which is not read.", place=str(path), way_out="Choose a plain LoRA."
        )
    pattern = metadata.get(f"{part}.alpha_pattern")
    alphas = {canonical(k): v for k, v in pattern.items()} if isinstance(pattern, dict) else {}
    if isinstance(alpha := metadata.get(f"{part}.lora_alpha"), int | float):
        alphas[""] = alpha
    numbers = {k: float(v) for k, v in alphas.items() if isinstance(v, int | float)}
    return LoraNames(alphas=numbers, root=bool(metadata.get(f"{part}.use_rslora")))
