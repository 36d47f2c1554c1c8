"""Makes recipes of what is loaded beside a model: LoRAs, ControlNets, adapters, motion modules."""

from __future__ import annotations

from pathlib import Path

from nodeforge.diffusion.errors import FamilyMismatchError, LoadingError
from nodeforge.models import FAMILIES, Kind, ModelInfo, fingerprint, kind_with_article, recognise
from nodeforge.values import ControlNet, ImageEncoder, IpAdapter, MotionModule, Weights


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


def describe_motion_module(path: Path) -> MotionModule:
    """The recipe of AnimateDiff's motion module at `path`: a folder or a single file.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: it is no motion module, or for no family here.
    """
    info = of_kind(path, Kind.MOTION_MODULE)
    return MotionModule(Weights(str(path), fingerprint(path), info.family or "", info.kind.value))


def _usable(path: Path, kind: Kind) -> Weights:
    info = of_kind(path, kind)
    if info.family is None:
        raise LoadingError(
            info.reason, place=str(path), way_out=f"Choose one for: {', '.join(FAMILIES)}."
        )
    return Weights(str(path), fingerprint(path), info.family, kind.value)


def of_kind(path: Path, kind: Kind) -> ModelInfo:
    """What the model at `path` is.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: it is of another kind.
    """
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
    return kind_with_article(kind)


def _fitting(path: Path, kind: Kind, family: str) -> Weights:
    """A file that is for `family`, or may be."""
    info = of_kind(path, kind)
    if family not in (info.family, *info.families):
        made_for = f"made for {FAMILIES[info.family].label}" if info.family else info.reason
        raise FamilyMismatchError(
            f"{made_for}; the model is {FAMILIES[family].label}.",
            place=str(path),
            way_out="Choose a file that was made for the model, or another model.",
        )
    return Weights(str(path), fingerprint(path), family, kind.value)
