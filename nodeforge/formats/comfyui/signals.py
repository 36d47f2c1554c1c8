"""What travels along a link of ComfyUI, as far as it can be known without running.

One link there may stand for several things here: its latents carry masks, its models carry
settings of the guidance. Such things wait in a signal until they reach the node that takes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nodeforge.graph.model import Output


@dataclass(frozen=True)
class Port:
    """A plain input of ours: its value, and the output that feeds it, where one does."""

    value: Any = None
    output: Output | None = None


@dataclass(frozen=True)
class Empty:
    """Latents of zeros: noise has their size here, so they need no node.

    Args:
        width: Pixels.
        height: Pixels.
        batch: How many there are.
        item: The only one that is used, by its place in the batch; None is all.
    """

    width: Port
    height: Port
    batch: Port
    item: int | None = None


@dataclass(frozen=True)
class Wrap:
    """A node that makes another guidance of a guidance."""

    type: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Steering:
    """A ControlNet that acts on the negative prompt, too."""

    controlnet: Output
    image: Output
    strength: Port


@dataclass(frozen=True)
class Look:
    """A picture that an IP-Adapter lets the prompt say: inputs of the node that applies it."""

    inputs: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Signal:
    """What an output of ComfyUI gives.

    Args:
        type: ComfyUI's word: LATENT, MODEL, INT, ...
        output: Ours; None where it needs no node, or where nothing is known.
        value: What it is in any case, of a plain type.
        lost: It comes from what is muted and has no node here.
        empty: Of latents: they are zeros of this size.
        mask: Of latents and prompts for inpainting: where the picture may change.
        seen: Of prompts: what an inpainting model sees of the picture.
        steering: Of prompts: what the negative prompt gets, too.
        family: Of text encoders: the family of models, where it is known.
        skip: Of text encoders: last layers that are left out.
        looks: Of models: pictures that IP-Adapters let the prompt say, too.
        loader: Of models: the node of ours that loads it.
        rescale: Of models: the guidance's.
        wraps: Of models: what becomes of the guidance.
        start: Of schedules: the first step of the part.
        stop: Of schedules: the step after the part; None is the end.
        seed: Of noise: its seed; None adds none.
        control: Of noise: what the seed does after a run.
        scale: Of guiders: the guidance scale.
        parts: Of guiders: its model and prompts.
    """

    type: str
    output: Output | None = None
    value: Any = None
    lost: bool = False
    empty: Empty | None = None
    mask: Output | None = None
    seen: Output | None = None
    steering: tuple[Steering, ...] = ()
    family: str = ""
    skip: int = 0
    looks: tuple[Look, ...] = ()
    loader: str = ""
    rescale: float = 0.0
    wraps: tuple[Wrap, ...] = ()
    start: int = 0
    stop: int | None = None
    seed: Port | None = None
    control: str = ""
    scale: Port | None = None
    parts: dict[str, Signal | None] = field(default_factory=dict)
