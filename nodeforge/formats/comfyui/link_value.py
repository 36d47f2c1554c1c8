"""The value of a ComfyUI output during conversion, as far as it is known without running.

A ComfyUI latent may carry a mask, a model may carry guidance settings. NodeForge has separate
inputs for these, so a `LinkValue` holds them until the node that reads them is converted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nodeforge.graph.model import Output


@dataclass(frozen=True)
class InputValue:
    """A NodeForge input of a plain type: its value, and the output linked to it, if any."""

    value: Any = None
    output: Output | None = None


@dataclass(frozen=True)
class EmptyLatent:
    """An empty latent. The noise node has its size in NodeForge, so it needs no node.

    Args:
        width: Pixels.
        height: Pixels.
        batch: Pictures at once.
        item: The only one that is used, by its place in the batch; None is all.
        frames: Of a video; None for pictures.
        layers: That a picture is taken apart into; None for others.
        seconds: Of a sound, which has neither width nor height; None for others.
    """

    width: InputValue
    height: InputValue
    batch: InputValue
    item: int | None = None
    frames: InputValue | None = None
    layers: InputValue | None = None
    seconds: InputValue | None = None


@dataclass(frozen=True)
class MotionInputs:
    """AnimateDiff's nodes around a model, until they are one *Load motion module* here.

    Args:
        file: The motion module.
        loras: Motion LoRAs, with their strengths.
        context: Frames of a window; None is all of the clip.
        overlap: Frames that windows share.
    """

    file: str = ""
    loras: tuple[tuple[str, float], ...] = ()
    context: int | None = None
    overlap: int = 4


@dataclass(frozen=True)
class GuidanceWrapper:
    """A node that modifies the guidance, such as perturbed attention."""

    type: str
    values: dict[str, Any]


@dataclass(frozen=True)
class NegativeControl:
    """A ControlNet that is applied to the negative conditioning as well."""

    controlnet: Output
    image: Output
    strength: InputValue


@dataclass(frozen=True)
class ImagePromptInputs:
    """Inputs of one *Apply IP-Adapter* node."""

    inputs: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class LinkValue:
    """The value of one output of a ComfyUI node.

    Args:
        type: ComfyUI's type: LATENT, MODEL, INT, ...
        output: The NodeForge output; None where no node is needed or nothing is known.
        value: A plain value that is known without running.
        muted: It comes from a muted node that has no NodeForge node.
        empty: LATENT: the size of an empty latent.
        video: LATENT and VAE: it is of a video.
        layers: LATENT: it is of a picture and its layers.
        sound: LATENT: it is of a sound.
        seconds: LATENT: how long the sound is. CONDITIONING: what the model is told of that.
        clip: IMAGE: the video whose frames these are; pictures of it are made where one asks.
        motion: MODEL: the node that loads its motion module.
        motion_inputs: What AnimateDiff's loaders say of one.
        mask: LATENT and CONDITIONING: the inpainting mask.
        masked_image: CONDITIONING: the masked image of an inpainting checkpoint, encoded.
        negative_controls: CONDITIONING: ControlNets that the negative conditioning also gets.
        embedded: CONDITIONING: the guidance scale that the model reads, where a node says it.
        edits: CONDITIONING: it shows InstructPix2Pix the picture to edit.
        family: CLIP and CONDITIONING: the model family, where it is known.
        skip: CLIP: last layers that are skipped (CLIP skip).
        image_prompts: MODEL: IP-Adapters to apply to the positive conditioning.
        loader: MODEL: the NodeForge node that loads it.
        rescale: MODEL: CFG rescale.
        guidance_wrappers: MODEL: nodes that modify the guidance.
        start: SIGMAS: the first step of a split schedule.
        stop: SIGMAS: the step after the last one; None is the end.
        seed: NOISE: its seed; None adds no noise.
        control: NOISE: the seed's *control after generate*.
        differential: MODEL: grey masks open in shares of the steps, as they do here.
        scale: GUIDER: the CFG scale.
        image_scale: GUIDER: the scale of the picture to edit.
        parts: GUIDER: its model and conditionings. Pipes: what they carry, by name.
    """

    type: str
    output: Output | None = None
    value: Any = None
    muted: bool = False
    empty: EmptyLatent | None = None
    video: bool = False
    layers: bool = False
    sound: bool = False
    seconds: InputValue | None = None
    clip: Output | None = None
    motion: str = ""
    motion_inputs: MotionInputs | None = None
    mask: Output | None = None
    masked_image: Output | None = None
    negative_controls: tuple[NegativeControl, ...] = ()
    embedded: InputValue | None = None
    edits: bool = False
    family: str = ""
    skip: int = 0
    image_prompts: tuple[ImagePromptInputs, ...] = ()
    loader: str = ""
    rescale: float = 0.0
    guidance_wrappers: tuple[GuidanceWrapper, ...] = ()
    start: int = 0
    stop: int | None = None
    seed: InputValue | None = None
    control: str = ""
    differential: bool = False
    scale: InputValue | None = None
    image_scale: InputValue | None = None
    parts: dict[str, LinkValue | None] = field(default_factory=dict)
