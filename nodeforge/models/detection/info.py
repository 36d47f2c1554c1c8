"""`ModelInfo`: what a header or a folder's configs say of a model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What a model file is for."""

    CHECKPOINT = "checkpoint"
    UNET = "unet"
    VAE = "vae"
    TEXT_ENCODER = "text_encoder"
    CONTROLNET = "controlnet"
    LORA = "lora"
    EMBEDDING = "embedding"
    T2I_ADAPTER = "t2i_adapter"
    IP_ADAPTER = "ip_adapter"
    IMAGE_ENCODER = "image_encoder"
    UPSCALER = "upscaler"
    MOTION_MODULE = "motion_module"
    UNKNOWN = "unknown"


class Layout(StrEnum):
    """How its tensors are named, and whether it is a file or a folder."""

    LDM = "ldm"
    DIFFUSERS = "diffusers"
    ORIGINAL = "original"
    FOLDER = "diffusers-folder"
    OTHER = "other"


@dataclass(frozen=True)
class ModelInfo:
    """One model.

    Args:
        path: A file, or a diffusers folder.
        kind: What it is for.
        family: A name in `FAMILIES`; None where no family here can use it, see `reason`.
        layout: How its tensors are named.
        dtype: What most of its bytes are: ``float16``.
        parameters: How many numbers it holds.
        size: Bytes of its weights.
        families: All that it may be of, where its header leaves that open, as for a VAE alone.
            A LoRA of which nothing tells the family has all of them, and `family` None.
        encoder: Which kind of text encoder it is, a name in `TEXT_ENCODER_KINDS`; empty for
            other files.
        inpainting: Its denoiser also takes the mask and the masked picture.
        parts: Networks it holds, as in `nodeforge.values.Weights.part`.
        width: Of the text it works with, where that is known.
        latent_channels, latent_scale: Of its latents, where that is known.
        prediction_type: ``epsilon``, ``v_prediction`` or ``flow_prediction``, where something
            says so.
        zero_snr: Whether something says that it was trained up to nothing but noise.
        variant: Which of its family's kinds of models it is: ``turbo``, ``schnell``, ...; empty
            where nothing tells.
        variant_source: What told: ``by its header``, ``by its metadata``, ...
        quantisation: How its weights are stored: ``fp8``, ``scaled fp8``, or a form that is not
            read; empty for plain ones.
        architecture: Of an upscaler, a name in `UPSCALERS`; empty for other files.
        scale: How many times wider an upscaler makes a picture; 0 where its header does not tell.
        frames: Of a motion module, the most frames that it relates at once; 0 for other files.
        reason: Why no node can use it, as a sentence; empty otherwise.
        name: How workflows name it, once a folder has listed it.
        listed: The kind of folder that listed it, which is what `ModelFolders.find` asks for.
    """

    path: Path
    kind: Kind
    family: str | None
    layout: Layout
    dtype: str = ""
    parameters: int = 0
    size: int = 0
    families: tuple[str, ...] = ()
    encoder: str = ""
    inpainting: bool = False
    parts: tuple[str, ...] = ()
    width: int | None = None
    latent_channels: int | None = None
    latent_scale: int | None = None
    prediction_type: str | None = None
    zero_snr: bool = False
    variant: str = ""
    variant_source: str = ""
    quantisation: str = ""
    architecture: str = ""
    scale: int = 0
    frames: int = 0
    reason: str = ""
    name: str = ""
    listed: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether a node here can use it."""
        return bool(self.family or self.families or (self.architecture and not self.reason))
