"""Detects kind and family of a model from its header alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from nodeforge.models.detection.fitting_families import UNET, families_of
from nodeforge.models.detection.found import FoundNetworks
from nodeforge.models.detection.info import Kind, Layout, ModelInfo
from nodeforge.models.detection.metadata import with_hints
from nodeforge.models.detection.networks import find_networks
from nodeforge.models.detection.quantisation import quantisation
from nodeforge.models.errors import CorruptModelError, ModelFileError
from nodeforge.models.families import FAMILIES, SPACES, TEXT_ENCODER_KINDS
from nodeforge.models.files.diffusers_folder import (
    CONFIG,
    INDEX,
    components,
    is_model_folder,
    is_whole_model,
    predicts,
    read_config,
    read_index,
    weight_files,
)
from nodeforge.models.files.header import Header, read_header
from nodeforge.models.files.stored_types import numbers_in

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

_PARTS = tuple(
    dict.fromkeys(
        [
            *sorted(family.denoiser for family in FAMILIES.values())[::-1],
            *sorted(part for family in FAMILIES.values() for part in family.text_encoders),
            *sorted({f.second_denoiser for f in FAMILIES.values()} - {""}),
            *sorted(part for family in FAMILIES.values() for part in family.conditioners),
            *("vae", "controlnet"),
        ]
    )
)
_TAKEN_TO_BE = {
    **{family.network: Kind.UNET for family in FAMILIES.values()},
    **{space.vae: Kind.VAE for space in SPACES.values()},
    **{kind.network: Kind.TEXT_ENCODER for kind in TEXT_ENCODER_KINDS.values()},
    "Qwen3ForCausalLM": Kind.TEXT_ENCODER,
    "Mistral3ForConditionalGeneration": Kind.TEXT_ENCODER,
    "Qwen2_5_VLForConditionalGeneration": Kind.TEXT_ENCODER,
    "Qwen3VLForConditionalGeneration": Kind.TEXT_ENCODER,
    "AutoencoderKLQwenImage": Kind.VAE,
    "ControlNetModel": Kind.CONTROLNET,
    "T2IAdapter": Kind.T2I_ADAPTER,
    "MotionAdapter": Kind.MOTION_MODULE,
    "CLIPVisionModelWithProjection": Kind.IMAGE_ENCODER,
}
_OF_DENOISERS = ("unet", "transformer")


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
    if is_whole_model(path):
        return _recognise_whole(path)
    if is_model_folder(path):
        info, found = _recognise_part(path)
        return with_hints(info, found, {})
    raise ModelFileError(
        "is a folder without a model.",
        place=str(path),
        way_out=f"Choose a file, or a folder with a {INDEX} or {CONFIG}.",
    )


def _recognise_file(path: Path) -> ModelInfo:
    header = read_header(path)
    shapes = {name: entry.shape for name, entry in header.tensors.items()}
    found = find_networks(shapes, header.metadata)
    info = _readable(replace(_info(path, found), **_measure([header])), [header])
    return with_hints(info, found, header.metadata)


class _Part(NamedTuple):
    """One network of a folder."""

    info: ModelInfo
    found: FoundNetworks


def _recognise_part(folder: Path) -> _Part:
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
    info = replace(_info(folder, found), layout=Layout.FOLDER, **_measure(headers))
    readable = _readable(info, headers)
    unread = readable.reason if readable.reason != info.reason else ""
    return _Part(readable, replace(found, unread=found.unread or unread))


def _recognise_whole(folder: Path) -> ModelInfo:
    """A whole model: its denoiser tells the family, its VAE the latents."""
    there = components(folder)
    parts = {name: _recognise_part(folder / name) for name in _PARTS if name in there}
    denoiser = next((parts[name] for name in _OF_DENOISERS if name in parts), None)
    vae = parts["vae"].info if "vae" in parts else None
    if denoiser is None or denoiser.info.kind is not Kind.UNET:
        return ModelInfo(
            folder, Kind.CHECKPOINT, None, Layout.FOLDER, parts=tuple(parts),
            reason=f"{_class_name(folder)} is not supported yet",
        )  # fmt: skip
    unet = denoiser.info
    declared = _declared(folder, denoiser)
    known = bool(declared)
    scheduler = read_config(folder / "scheduler" / "scheduler_config.json")
    whole = replace(
        unet,
        path=folder,
        kind=Kind.CHECKPOINT,
        family=declared or unet.family,
        families=(declared,) if known else unet.families,
        reason="" if known else unet.reason,
        parts=tuple(parts),
        parameters=sum(part.info.parameters for part in parts.values()),
        size=sum(part.info.size for part in parts.values()),
        latent_channels=vae.latent_channels if vae else unet.latent_channels,
        latent_scale=vae.latent_scale if vae else None,
        prediction_type=predicts(scheduler),
        zero_snr=scheduler.get("rescale_betas_zero_snr") is True,
    )
    told = {**read_config(unet.path / CONFIG), **read_index(folder)}
    return with_hints(whole, denoiser.found, {}, told)


def _declared(folder: Path, part: _Part) -> str:
    """The family that a folder's index names, where widths do not tell it; else empty."""
    denoiser = part.info
    if part.found.unread or part.found.foreign:
        return ""
    index = read_index(folder)
    told = index.get(FAMILY_KEY)
    if isinstance(told, str) and told in FAMILIES:
        return told
    pipeline = index.get("_class_name")
    fitting = [f.name for f in FAMILIES.values() if pipeline in f.pipelines]
    return fitting[0] if fitting and denoiser.family is None else ""


def _class_name(folder: Path) -> str:
    return _text_or_none(read_index(folder).get("_class_name")) or "This kind of model"


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
    network = name if isinstance(name, str) else ""
    if kind is Kind.UNET:
        found = _with_channels(found, config)
    found = replace(found, network=network, kind=kind, scaling_factor=factor)
    return replace(found, unread=found.unread or unread)


def _with_channels(found: FoundNetworks, config: Mapping[str, Any]) -> FoundNetworks:
    """A denoiser of any class: names of its tensors may be unknown, so its config counts."""
    given, made = config.get("in_channels"), config.get("out_channels")
    if not isinstance(given, int):
        return found
    made = made if isinstance(made, int) else given
    unet = config.get("_class_name") == UNET
    told = unet or found.families  # else its names are unknown, and its class is not
    foreign = found.foreign if told else ""
    return replace(found, in_channels=given, latent_channels=made, foreign=foreign)


def _info(path: Path, found: FoundNetworks) -> ModelInfo:
    fitting, reason = families_of(found)
    is_open = bool(fitting and reason)  # nothing tells which
    return ModelInfo(
        path=path,
        kind=found.kind,
        family=fitting[0].name if fitting and not is_open else None,
        layout=found.layout,
        families=tuple(family.name for family in fitting),
        encoder=found.encoder if found.kind is Kind.TEXT_ENCODER else "",
        inpainting=bool(fitting)
        and (found.in_channels or 0) > 2 * (found.latent_channels or found.in_channels or 0),
        parts=found.parts,
        width=found.width or found.text_width,
        latent_channels=found.latent_channels,
        latent_scale=found.latent_scale,
        prediction_type=found.prediction,
        zero_snr=found.zero_snr,
        architecture=found.architecture,
        scale=found.scale,
        frames=found.frames,
        reason=reason,
    )


def _readable(info: ModelInfo, headers: Iterable[Header]) -> ModelInfo:
    """`info` with how its weights are stored; of no family where that is not read."""
    if info.kind in (Kind.UNKNOWN, Kind.LORA, Kind.EMBEDDING):
        return info
    stored = [quantisation(header) for header in headers]
    unread = next((each.unread for each in stored if each.unread), "")
    label = max((each.label for each in stored), key=len, default="")
    if not unread and not label and info.dtype in _UNREAD:
        unread = f"weights of type {info.dtype} (quantised) are not read"
    if not unread:
        return replace(info, quantisation=label)
    return replace(info, family=None, families=(), quantisation=label, reason=unread)


def _measure(headers: Collection[Header]) -> dict[str, Any]:
    """How many numbers, the type of most bytes, and the files' sizes."""
    taken = Counter[str]()
    for header in headers:
        taken.update(header.sizes)
    return {
        "parameters": sum(numbers_in(dtype, size) for dtype, size in taken.items()),
        "dtype": next((_DTYPES.get(most, most.lower()) for most, _ in taken.most_common(1)), ""),
        "size": sum(header.size for header in headers),
    }
