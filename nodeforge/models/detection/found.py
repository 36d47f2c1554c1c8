"""`FoundNetworks`: what a set of tensors turned out to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nodeforge.models.detection.info import Kind, Layout

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class FoundNetworks:
    """What a set of tensors turned out to be.

    Args:
        width: Of the text that its cross-attention reads.
        text_width: Of the word vectors that it holds, or lies over.
        added_conditions_width: How many numbers it is given beside the text.
        distilled: Whether its denoiser reads the guidance scale, as LCM's does.
        prediction: What a mark in it says it predicts.
        zero_snr: Whether a mark in it says that it was trained up to nothing but noise.
        network: Class of diffusers or transformers that its configuration names.
        encoder: Which kind of text encoder it is, if it is one.
        families: Those whose signature its denoiser has, or that have the layers of a LoRA.
        variants: Those of its family that its tensors allow.
        family: The one whose marks its names have; empty where none has.
        base: Family or label that its metadata names, for where the shapes leave it open.
        architecture: Of an upscaler, a name in `UPSCALERS`; empty for other files.
        scale: How many times wider an upscaler makes a picture; 0 where its header does not tell.
        block_channels: Of the blocks of the UNet that a motion module goes into.
        frames: The most frames that a motion module relates at once.
        unread: Why its weights are not read, where a configuration says so; empty where they are.
        foreign: Label of an architecture that no family here covers; empty where none is.
    """

    kind: Kind
    layout: Layout
    parts: tuple[str, ...] = ()
    width: int | None = None
    text_width: int | None = None
    added_conditions_width: int | None = None
    in_channels: int | None = None
    latent_channels: int | None = None
    latent_scale: int | None = None
    scaling_factor: float | None = None
    distilled: bool = False
    prediction: str | None = None
    zero_snr: bool = False
    network: str = ""
    encoder: str = ""
    families: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    family: str = ""
    base: str = ""
    foreign: str = ""
    architecture: str = ""
    scale: int = 0
    block_channels: tuple[int, ...] = ()
    frames: int = 0
    unread: str = ""
