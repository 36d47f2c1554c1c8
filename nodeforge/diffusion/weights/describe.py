"""Makes recipes of model files from their headers; nothing is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.configs import scheduler_config
from nodeforge.models import (
    FAMILIES,
    SPACES,
    TEXT_ENCODER_KINDS,
    EncoderSet,
    Family,
    Kind,
    ModelInfo,
    encoder_set,
    fingerprint,
    predicts,
    read_index,
    recognise,
)
from nodeforge.values import (
    LowNoise,
    Model,
    TextEncoder,
    TextEncoderPart,
    Vae,
    Weights,
)

LATENT_SPACES = tuple(SPACES)
"""Names of the latent spaces that VAEs work in."""

SPACE_OF_FAMILY = {family.name: family.space for family in FAMILIES.values()}
"""The latent space of each family, which VAEs were once named by."""

TEXT_FAMILIES = tuple(FAMILIES)
"""Names of the families that prompts may be encoded for."""

FAMILY_LABELS = {family.name: family.label for family in FAMILIES.values()}

VARIANTS = tuple(sorted({name for family in FAMILIES.values() for name in family.variants}))
"""Names of the kinds of models that families have."""


class Described(NamedTuple):
    """The recipes of a whole model."""

    model: Model
    text_encoder: TextEncoder
    vae: Vae


def describe(
    path: Path,
    prediction: str = "",
    zero_snr: bool | None = None,
    variant: str = "",
    text_encoders: Sequence[Path] = (),
    vae: Path | None = None,
    low_noise: Path | None = None,
) -> Described:
    """The recipes of the model at `path`: a diffusers folder, a checkpoint, or a denoiser alone.

    Reads headers and configuration only.

    Args:
        path: The model.
        prediction: ``epsilon``, ``v_prediction`` or ``flow_prediction``; empty is what the model
            says, or its family's.
        zero_snr: Whether it was trained up to nothing but noise (Lin et al. 2023); None is what
            the model says.
        variant: Which of its family's kinds of models it is; empty is what the model says.
        text_encoders: Files of text encoders, in any order, that take the place of its own, or
            that a denoiser alone needs.
        vae: The same for its VAE.
        low_noise: The expert that takes over at low noise, of a family that has one.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: no family here can run it, or a network is missing or does not belong.
    """
    info, family = _known(path)
    own = (
        family.denoiser,
        *(() if text_encoders else _needed_encoders(family)),
        *(() if vae else ("vae",)),
        *(family.conditioners if path.is_dir() else ()),
    )
    _check_parts(info, own)
    mark = fingerprint(path)

    def weights(part: str) -> Weights:
        return Weights(str(path), mark, family.name, part)

    model = _denoiser(info, weights(family.denoiser), prediction, zero_snr, variant)
    if family.second_denoiser and family.second_denoiser in info.parts:
        second = replace(model, weights=weights(family.second_denoiser))
        model = with_low_noise(model, second, _boundary(path, family))
    elif low_noise is not None:
        second = describe_denoiser(low_noise, prediction, zero_snr, variant)
        model = with_low_noise(model, second, family.boundary)
    coder = describe_vae(vae, family.space) if vae else Vae(weights("vae"), family.space)
    if _lacks_silence(path, family):
        model = replace(model, silence=coder)
    return Described(
        model,
        _text_encoder(info, family, weights, text_encoders),
        coder,
    )


def _needed_encoders(family: Family) -> tuple[str, ...]:
    """The folders of the text encoders that a family does not draw without."""
    optional = family.optional_encoders
    return tuple(folder for folder, kind in family.text_encoders.items() if kind not in optional)


def _text_encoder(
    info: ModelInfo, family: Family, weights: Callable[[str], Weights], given: Sequence[Path]
) -> TextEncoder:
    """Those of a model, and in their place or beside them what is given.

    Args:
        info: The model.
        family: Its family.
        weights: By a part of the model.
        given: Files of text encoders.
    """
    own = {
        kind: TextEncoderPart(kind, weights(folder))
        for folder, kind in family.text_encoders.items()
        if folder in info.parts
    }
    if not given:
        return TextEncoder(tuple(own.values()), family.name)
    infos = [recognise(path) for path in given]
    if (found := encoder_set(infos, family.name, own)) is None:
        raise _no_family_reads(infos, family.name)
    return TextEncoder(_parts_in_order(found, own), family.name)


def _parts_in_order(
    found: EncoderSet, own: Mapping[str, TextEncoderPart] = MappingProxyType({})
) -> tuple[TextEncoderPart, ...]:
    """Text encoders in the order of their parts of an embedding: what is given, else of `own`."""
    files = {
        kind: TextEncoderPart(kind, Weights(str(info.path), fingerprint(info.path), "", folder))
        for folder, kind in found.family.text_encoders.items()
        if (info := found.encoders.get(kind))
    }
    parts = {**own, **files}
    return tuple(parts[kind] for kind in found.family.text_encoders.values() if kind in parts)


def _lacks_silence(path: Path, family: Family) -> bool:
    """Whether a model is told encoded silence, and its file does not hold it."""
    told = any(conditioner.silence for conditioner in family.conditioners.values())
    return told and not path.is_dir()


def with_low_noise(model: Model, second: Model, boundary: float) -> Model:
    """`model` with an expert that takes over at low noise.

    Args:
        model: What draws at high noise.
        second: What draws below.
        boundary: The noise level between them, as a share of the timesteps.

    Raises:
        LoadingError: they are of different families, the second has a step cache, or the boundary
            is none.
    """
    if model.weights.family != second.weights.family:
        one, other = (FAMILIES[each.weights.family].label for each in (model, second))
        raise LoadingError(
            f"the expert for low noise is of {other}, that for high noise of {one}.",
            place="port 'low_noise'",
            way_out="Choose the two files of one model.",
        )
    if second.step_cache is not None:
        raise LoadingError(
            "the expert for low noise has a step cache of its own.",
            place="port 'low_noise'",
            way_out="Put 'Step cache' after 'Join experts': it then acts on both.",
        )
    if not 0 < boundary < 1:
        raise LoadingError(
            f"{boundary:g} lies not between no noise, 0, and nothing but noise, 1.",
            place="port 'boundary'",
            way_out="Choose 0.875, which Wan 2.2 was trained with.",
        )
    return replace(model, low_noise=LowNoise(second, boundary))


def _boundary(folder: Path, family: Family) -> float:
    told = read_index(folder).get("boundary_ratio")
    return float(told) if isinstance(told, int | float) and 0 < told < 1 else family.boundary


def describe_denoiser(
    path: Path, prediction: str = "", zero_snr: bool | None = None, variant: str = ""
) -> Model:
    """The recipe of the denoiser at `path`: alone in a folder or a file, or of a whole model.

    Args:
        path: The model.
        prediction, zero_snr, variant: As `describe` has them.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: no family here can run it, or there is no denoiser in it.
    """
    info, family = _known(path)
    _check_parts(info, (family.denoiser,))
    if _lacks_silence(path, family):
        raise LoadingError(
            "a model of songs is told encoded silence, which this file does not hold.",
            place=str(path),
            way_out="Load it with 'Load model', which has its VAE encode it.",
        )
    weights = Weights(str(path), fingerprint(path), family.name, family.denoiser)
    return _denoiser(info, weights, prediction, zero_snr, variant)


def describe_text_encoder(*paths: Path, family: str = "") -> TextEncoder:
    """The recipe of text encoders: of a whole model, or of files that hold one each.

    Args:
        paths: The model, or the text encoders in any order, as SDXL's clip_l and clip_g.
        family: The one that they are to read prompts for; empty is the model's, or the first that
            reads with just these.

    Raises:
        ModelFileError: one is damaged, a pickle, or cannot be read.
        LoadingError: no family here can use them, one is missing, or they do not belong together.
    """
    infos = [recognise(path) for path in paths]
    if len(infos) == 1 and infos[0].kind is not Kind.TEXT_ENCODER:
        return _encoders_of_model(paths[0], family)
    if (found := encoder_set(infos, family)) is None:
        raise _no_family_reads(infos, family)
    return TextEncoder(_parts_in_order(found), found.family.name)


def _encoders_of_model(path: Path, family: str) -> TextEncoder:
    """Those of a whole model, for its own family or one that reads with some of them."""
    info, own = _known(path)
    _check_parts(info, _needed_encoders(own))
    reading = FAMILIES[family] if family else own
    folders = {k: folder for folder, k in own.text_encoders.items() if folder in info.parts}
    needed = [reading.text_encoders[folder] for folder in _needed_encoders(reading)]
    if lacking := [kind for kind in needed if kind not in folders]:
        raise LoadingError(
            f"{reading.label} reads prompts with {TEXT_ENCODER_KINDS[lacking[0]].label}, which "
            f"this model of {own.label} does not have.",
            place=str(path),
            way_out="Choose another file, or another family.",
        )
    mark = fingerprint(path)
    parts = (
        TextEncoderPart(kind, Weights(str(path), mark, own.name, folders[kind]))
        for kind in reading.text_encoders.values()
        if kind in folders
    )
    return TextEncoder(tuple(parts), reading.name)


def _no_family_reads(infos: Sequence[ModelInfo], family: str) -> LoadingError:
    told = " and ".join(_told(info) for info in infos)
    wanted = [FAMILIES[family]] if family else [f for f in FAMILIES.values() if f.text_encoders]
    sets = dict.fromkeys(
        " and ".join(TEXT_ENCODER_KINDS[kind].label for kind in each.text_encoders.values())
        + f" for {each.label}"
        for each in wanted
    )
    reason = next((info.reason for info in infos if info.reason), "")
    together = "do not belong together" if len(infos) > 1 else "does not suffice"
    return LoadingError(
        reason or f"{told} {together}.",
        place=", ".join(str(info.path) for info in infos),
        way_out=f"Choose {'; '.join(sets)}.",
    )


def _told(info: ModelInfo) -> str:
    if info.encoder:
        return TEXT_ENCODER_KINDS[info.encoder].label
    width = f" of width {info.width}" if info.width and info.kind is Kind.TEXT_ENCODER else ""
    return f"a {info.kind.replace('_', ' ')}{width}"


def describe_vae(path: Path, space: str = "") -> Vae:
    """The recipe of the VAE at `path`: alone in a folder or a file, or part of a whole model.

    Args:
        path: The model.
        space: The latent space it works in, for a VAE whose file leaves that open; empty is the
            best guess, by the file's name.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: no family here can run it, it is not for `space`, or there is no VAE.
    """
    info, guessed = _known(path)
    _check_parts(info, ("vae",))
    spaces = dict.fromkeys(FAMILIES[name].space for name in info.families)
    if space and space not in spaces:
        able = ", ".join(SPACES[name].label for name in spaces)
        raise LoadingError(
            f"this VAE is for {able}, not for {SPACES[space].label}.",
            place=str(path),
            way_out="Choose another file, or another space.",
        )
    family = guessed.name if info.kind is not Kind.VAE else ""
    return Vae(Weights(str(path), fingerprint(path), family, "vae"), space or guessed.space)


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


def _denoiser(
    info: ModelInfo, weights: Weights, prediction: str, zero_snr: bool | None, variant: str
) -> Model:
    """The recipe, which says only what the model's own configuration does not."""
    family = FAMILIES[weights.family]
    if variant and variant not in family.variants:
        raise LoadingError(
            f"{family.label} has no variant '{variant}'.",
            place="port 'variant'",
            way_out=f"Choose one of: {', '.join(('auto', *family.variants))}.",
        )
    if not info.path.is_dir():
        prediction = prediction or info.prediction_type or ""
        if zero_snr is None:
            zero_snr = info.zero_snr and prediction != "epsilon"
    if zero_snr:
        _check_zero_snr(weights, prediction)
    known = variant or info.variant or family.variant
    return Model(weights, prediction=prediction, zero_snr=zero_snr, variant=known)


def _check_zero_snr(weights: Weights, prediction: str) -> None:
    """Nothing but noise tells a model of epsilon nothing: no picture follows from its answer."""
    kind = prediction or predicts(scheduler_config(weights)) or "epsilon"
    if kind == "epsilon":
        raise LoadingError(
            "'zero_snr' is yes, and the model predicts epsilon: none of those can be sampled "
            "from nothing but noise.",
            place=weights.path,
            way_out="Set 'zero_snr' to auto; or, if the model does predict v, say so in "
            "'prediction'.",
        )
