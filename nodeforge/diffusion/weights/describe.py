"""Makes recipes of model files from their headers; nothing is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nodeforge.diffusion.errors import FamilyMismatchError, LoadingError
from nodeforge.diffusion.weights.configs import part_config
from nodeforge.models import (
    FAMILIES,
    Family,
    Kind,
    ModelInfo,
    fingerprint,
    paired,
    predicts,
    recognise,
)
from nodeforge.values import (
    ControlNet,
    ImageEncoder,
    IpAdapter,
    Model,
    TextEncoder,
    Vae,
    Weights,
)

LATENT_FAMILIES = tuple(family.name for family in FAMILIES.values() if not family.latents)
"""The families that have latents of their own, and so a VAE."""


class Described(NamedTuple):
    """The recipes of a whole model."""

    model: Model
    text_encoder: TextEncoder
    vae: Vae


def describe(path: Path, prediction: str = "", zero_snr: bool | None = None) -> Described:
    """The recipes of the model at `path`: a diffusers folder, or a checkpoint in one file.

    Reads headers and configuration only.

    Args:
        path: The model.
        prediction: ``epsilon``, ``v_prediction`` or ``flow_prediction``; empty is what the model
            says, or its family's.
        zero_snr: Whether it was trained up to nothing but noise (Lin et al. 2023); None is what
            the model says.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: no family here can run it, or a network is missing.
    """
    info, family = _known(path)
    _check_parts(info, ("unet", *family.text_encoders, "vae"))
    mark = fingerprint(path)
    return Described(
        _denoiser(info, Weights(str(path), mark, family.name, "unet"), prediction, zero_snr),
        TextEncoder(Weights(str(path), mark, family.name, "text_encoder")),
        Vae(Weights(str(path), mark, family.name, "vae")),
    )


def describe_denoiser(path: Path, prediction: str = "", zero_snr: bool | None = None) -> Model:
    """The recipe of the denoiser at `path`: alone in a folder or a file, or of a whole model.

    Args:
        path: The model.
        prediction, zero_snr: As `describe` has them.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: no family here can run it, or there is no denoiser in it.
    """
    info, family = _known(path)
    _check_parts(info, ("unet",))
    weights = Weights(str(path), fingerprint(path), family.name, "unet")
    return _denoiser(info, weights, prediction, zero_snr)


def describe_text_encoder(path: Path, other: Path | None = None) -> TextEncoder:
    """The recipe of the text encoders at `path`: of a whole model, or alone where one suffices.

    Args:
        path: The model, or one of two text encoders.
        other: The other one, where they lie apart, as SDXL's clip_l and clip_g.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: no family here can use it, one is missing, or two do not belong together.
    """
    if other is not None:
        return _two_text_encoders(recognise(path), recognise(other))
    info, family = _known(path)
    _check_parts(info, family.text_encoders)
    return TextEncoder(Weights(str(path), fingerprint(path), family.name, "text_encoder"))


def _two_text_encoders(one: ModelInfo, other: ModelInfo) -> TextEncoder:
    if (pair := paired(one, other)) is None:
        told = " and ".join(_told(info) for info in (one, other))
        raise LoadingError(
            f"{told} do not belong together.",
            place=f"{one.path}, {other.path}",
            way_out="SDXL takes clip_l, whose words have 768 numbers, and clip_g, whose have 1280.",
        )
    first, second = (
        Weights(str(info.path), fingerprint(info.path), pair.family.name, part)
        for info, part in zip(pair[1:], pair.family.text_encoders, strict=True)
    )
    return TextEncoder(first, second=second)


def _told(info: ModelInfo) -> str:
    width = f" of width {info.width}" if info.width and info.kind is Kind.TEXT_ENCODER else ""
    return f"a {info.kind.replace('_', ' ')}{width}"


def describe_vae(path: Path, family: str = "") -> Vae:
    """The recipe of the VAE at `path`: alone in a folder or a file, or part of a whole model.

    Args:
        path: The model.
        family: Whose latents it makes, for a VAE whose file leaves that open; empty is the best
            guess, by the file's name.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: no family here can run it, it is not for `family`, or there is no VAE.
    """
    info, guessed = _known(path)
    _check_parts(info, ("vae",))
    if family and family not in info.families:
        able = ", ".join(FAMILIES[name].label for name in info.families)
        raise LoadingError(
            f"this VAE is for {able}, not for {FAMILIES[family].label}.",
            place=str(path),
            way_out="Choose another file, or another family.",
        )
    return Vae(Weights(str(path), fingerprint(path), family or guessed.name, "vae"))


def describe_lora(path: Path, family: str) -> Weights:
    """Where the LoRA at `path` is, for a base of `family`.

    Reads the header only.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        FamilyMismatchError: it was made for another family than `family`. Where nothing in it
            tells the family, `check_lora` does.
        LoadingError: it is no LoRA.
    """
    return _fitting(path, Kind.LORA, family)


def describe_embedding(path: Path, family: str) -> Weights:
    """Where the textual inversion at `path` is, for a text encoder of `family`.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        FamilyMismatchError: it was made for another family than `family`.
        LoadingError: it is no textual inversion.
    """
    return _fitting(path, Kind.EMBEDDING, family)


def describe_controlnet(path: Path) -> ControlNet:
    """The recipe of the ControlNet at `path`: a diffusers folder or a single file.

    Reads headers and configuration only.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: it is no ControlNet, or for no family here.
    """
    return ControlNet(_usable(path, Kind.CONTROLNET))


def describe_t2i_adapter(path: Path) -> ControlNet:
    """The recipe of the T2I-Adapter at `path`, which steers as a ControlNet does.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: it is no T2I-Adapter, or for no family here.
    """
    return ControlNet(_usable(path, Kind.T2I_ADAPTER))


def describe_ip_adapter(path: Path) -> IpAdapter:
    """The recipe of the IP-Adapter at `path`, a single file.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: it is no IP-Adapter, or for no family here.
    """
    return IpAdapter(_usable(path, Kind.IP_ADAPTER))


def describe_image_encoder(path: Path) -> ImageEncoder:
    """The recipe of the CLIP image encoder at `path`: a folder or a single file.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: it is no image encoder.
    """
    return ImageEncoder(_usable(path, Kind.IMAGE_ENCODER))


def _usable(path: Path, kind: Kind) -> Weights:
    info = _of_kind(path, kind)
    if info.family is None:
        raise LoadingError(
            info.reason, place=str(path), way_out=f"Choose one for: {', '.join(FAMILIES)}."
        )
    return Weights(str(path), fingerprint(path), info.family, kind.value)


def _of_kind(path: Path, kind: Kind) -> ModelInfo:
    info = recognise(path)
    if info.kind is not kind:
        raise LoadingError(
            f"this is {_named(info.kind)}, not {_named(kind)}.",
            place=str(path),
            way_out="Choose another file.",
        )
    return info


def _named(kind: Kind) -> str:
    """A kind of model with its article."""
    if kind is Kind.UNKNOWN:
        return "no kind of model that is known here"
    words = kind.replace("_", " ")
    return f"{'an' if words[0] in 'aei' else 'a'} {words}"


def _fitting(path: Path, kind: Kind, family: str) -> Weights:
    """A file that is for `family`, or may be."""
    info = _of_kind(path, kind)
    if family not in (info.family, *info.families):
        made_for = f"made for {FAMILIES[info.family].label}" if info.family else info.reason
        raise FamilyMismatchError(
            f"{made_for}; the model is {FAMILIES[family].label}.",
            place=str(path),
            way_out="Choose a file that was made for the model, or another model.",
        )
    return Weights(str(path), fingerprint(path), family, kind.value)


def _known(path: Path) -> tuple[ModelInfo, Family]:
    """What is at `path`, and of which family.

    Raises:
        LoadingError: no family here can use it.
    """
    info = recognise(path)
    if info.family is None:
        raise LoadingError(
            info.reason or "no family of models here can use it.",
            place=str(path),
            way_out=f"Choose a model of one of: {', '.join(FAMILIES)}.",
        )
    return info, FAMILIES[info.family]


def _check_parts(info: ModelInfo, parts: tuple[str, ...]) -> None:
    if missing := [part for part in parts if part not in info.parts]:
        raise LoadingError(
            f"this is a {info.kind}: it has no {missing[0].replace('_', ' ')}.",
            place=str(info.path),
            way_out="Choose a whole checkpoint, or a diffusers folder.",
        )


def _denoiser(info: ModelInfo, weights: Weights, prediction: str, zero_snr: bool | None) -> Model:
    """The recipe, which says only what the model's own configuration does not."""
    if not info.path.is_dir():
        prediction = prediction or info.prediction_type or ""
        if zero_snr is None:
            zero_snr = info.zero_snr and prediction != "epsilon"
    if zero_snr:
        _check_zero_snr(weights, prediction)
    return Model(weights, prediction=prediction, zero_snr=zero_snr)


def _check_zero_snr(weights: Weights, prediction: str) -> None:
    """Nothing but noise tells a model of epsilon nothing: no picture follows from its answer."""
    kind = prediction or predicts(part_config(weights, "scheduler")) or "epsilon"
    if kind == "epsilon":
        raise LoadingError(
            "'zero_snr' is yes, and the model predicts epsilon: none of those can be sampled "
            "from nothing but noise.",
            place=weights.path,
            way_out="Set 'zero_snr' to auto; or, if the model does predict v, say so in "
            "'prediction'.",
        )
