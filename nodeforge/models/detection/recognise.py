"""Detects kind and family of a model from its header alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nodeforge.models.detection.fitting_families import families_of
from nodeforge.models.detection.info import Kind, Layout, ModelInfo
from nodeforge.models.detection.metadata import with_hints
from nodeforge.models.detection.networks import FoundNetworks, find_networks
from nodeforge.models.errors import CorruptModelError, ModelFileError
from nodeforge.models.families import FAMILIES
from nodeforge.models.files.diffusers_folder import (
    CONFIG,
    INDEX,
    components,
    is_model_folder,
    predicts,
    read_config,
    weight_files,
)
from nodeforge.models.files.header import BITS, Header, read_header

FAMILY_KEY = "_nodeforge_family"
"""In a folder's ``model_index.json``: the family, where its widths alone do not tell it."""

_DTYPES = {
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}
_UNREAD = ("i8", "u8", "f8_e8m0", "f4", "f6_e2m3", "f6_e3m2")
"""Types that say nothing without a scale beside them."""

_PARTS = ("unet", "text_encoder", "text_encoder_2", "vae", "controlnet")
_TAKEN_TO_BE = {
    "UNet2DConditionModel": Kind.UNET,
    "AutoencoderKL": Kind.VAE,
    "ControlNetModel": Kind.CONTROLNET,
    "CLIPTextModel": Kind.TEXT_ENCODER,
    "CLIPTextModelWithProjection": Kind.TEXT_ENCODER,
    "T2IAdapter": Kind.T2I_ADAPTER,
    "CLIPVisionModelWithProjection": Kind.IMAGE_ENCODER,
}


def recognise(path: Path) -> ModelInfo:
    """What the model at `path` is.

    Args:
        path: A safetensors file, or a diffusers folder of a whole model or of one network.

    Raises:
        PickleRefusedError: it is a pickle.
        CorruptModelError: a header or a config is damaged.
        ModelFileError: it cannot be read, or the folder holds no model.
    """
    if not path.is_dir():
        return _recognise_file(path)
    if (path / INDEX).is_file():
        return _recognise_whole(path)
    if is_model_folder(path):
        return _recognise_part(path)
    raise ModelFileError(
        "is a folder without a model.",
        place=str(path),
        way_out=f"Choose a file, or a folder with a {INDEX} or {CONFIG}.",
    )


def _recognise_file(path: Path) -> ModelInfo:
    header = read_header(path)
    shapes = {name: entry.shape for name, entry in header.tensors.items()}
    found = find_networks(shapes, header.metadata)
    info = _readable(replace(_info(path, found), **_measure([header])))
    return with_hints(info, header.metadata, found.distilled)


def _recognise_part(folder: Path) -> ModelInfo:
    """One network in diffusers' form: its config and its weights' names."""
    files = weight_files(folder)
    if not files:
        raise CorruptModelError(folder, "has a config, and no weights.")
    headers = [read_header(file) for file in files]
    entries = {name: entry for header in headers for name, entry in header.tensors.items()}
    config = read_config(folder / CONFIG)
    found = _with_config(
        find_networks({name: entry.shape for name, entry in entries.items()}, {}), config
    )
    return _readable(replace(_info(folder, found), layout=Layout.FOLDER, **_measure(headers)))


def _recognise_whole(folder: Path) -> ModelInfo:
    """A whole model: its denoiser tells the family, its VAE the latents."""
    there = components(folder)
    parts = {name: _recognise_part(folder / name) for name in _PARTS if name in there}
    unet, vae = parts.get("unet"), parts.get("vae")
    if unet is None:
        return ModelInfo(
            folder, Kind.CHECKPOINT, None, Layout.FOLDER, parts=tuple(parts),
            reason=f"{_class_name(folder)} is not supported yet",
        )  # fmt: skip
    declared = read_config(folder / INDEX).get(FAMILY_KEY)
    known = isinstance(declared, str) and declared in FAMILIES
    scheduler = read_config(folder / "scheduler" / "scheduler_config.json")
    whole = replace(
        unet,
        path=folder,
        kind=Kind.CHECKPOINT,
        family=str(declared) if known else unet.family,
        families=(str(declared),) if known else unet.families,
        reason="" if known else unet.reason,
        parts=tuple(parts),
        parameters=sum(part.parameters for part in parts.values()),
        size=sum(part.size for part in parts.values()),
        latent_channels=vae.latent_channels if vae else unet.latent_channels,
        latent_scale=vae.latent_scale if vae else None,
        prediction_type=predicts(scheduler),
        zero_snr=scheduler.get("rescale_betas_zero_snr") is True,
    )
    return with_hints(whole, {}, False)


def _class_name(folder: Path) -> str:
    return _text_or_none(read_config(folder / INDEX).get("_class_name")) or "This kind of model"


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _with_config(found: FoundNetworks, config: Mapping[str, Any]) -> FoundNetworks:
    """`found`, with what only the config tells."""
    architectures = config.get("architectures")
    first = architectures[0] if isinstance(architectures, list) and architectures else ""
    name = config.get("_class_name") or first
    kind = _TAKEN_TO_BE.get(name, found.kind) if isinstance(name, str) else found.kind
    factor = config.get("scaling_factor") if kind is Kind.VAE else None
    factor = float(factor) if isinstance(factor, int | float) else None
    unread = "quantised weights are not read" if config.get("quantization_config") else ""
    return replace(found, kind=kind, scaling_factor=factor, unread=found.unread or unread)


def _info(path: Path, found: FoundNetworks) -> ModelInfo:
    fitting, reason = families_of(found)
    is_open = found.kind is Kind.LORA and len(fitting) > 1
    return ModelInfo(
        path=path,
        kind=found.kind,
        family=fitting[0].name if fitting and not is_open else None,
        layout=found.layout,
        families=tuple(family.name for family in fitting),
        inpainting=found.in_channels == 9,
        parts=found.parts,
        width=found.width or found.text_width,
        latent_channels=found.latent_channels,
        latent_scale=found.latent_scale,
        prediction_type=found.prediction,
        zero_snr=found.zero_snr,
        reason=reason,
    )


def _readable(info: ModelInfo) -> ModelInfo:
    """`info`, of no family where its weights are stored as no number that is read."""
    if info.dtype not in _UNREAD or info.kind is Kind.UNKNOWN:
        return info
    reason = f"weights of type {info.dtype} (quantised) are not read"
    return replace(info, family=None, families=(), reason=reason)


def _measure(headers: Collection[Header]) -> dict[str, Any]:
    """How many numbers, the type of most bytes, and the files' sizes."""
    taken = Counter[str]()
    for header in headers:
        taken.update(header.sizes)
    return {
        "parameters": sum(8 * size // BITS[dtype] for dtype, size in taken.items()),
        "dtype": next((_DTYPES.get(most, most.lower()) for most, _ in taken.most_common(1)), ""),
        "size": sum(header.size for header in headers),
    }
