"""What the canvas's control and reference layers say to a prompt."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import torch

from nodeforge import diffusion, imaging
from nodeforge.api import (
    Conditioning,
    ControlNet,
    File,
    Image,
    ImageEncoder,
    IpAdapter,
    Range,
    RunContext,
    node,
)

_SPARSE = 0.5
"""A layer that covers less than this share of the box is a drawing, not a picture."""


class Reading(StrEnum):
    """What of a control layer a ControlNet sees."""

    AUTO = "auto"
    LINES = "lines"
    EDGES = "edges"
    PICTURE = "picture"


@node("canvas.control", title="Canvas control")
def control(
    conditioning: Conditioning,
    controlnet: ControlNet,
    file: Annotated[Path | None, File("image")] = None,
    reading: Reading = Reading.AUTO,
    strength: Annotated[float, Range(0.0, 10.0, step=0.05)] = 1.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Conditioning:
    """Apply the canvas's control layers to a prompt (ControlNet).

    Without a file there are no such layers, and the prompt is returned unchanged.

    Args:
        conditioning: The prompt.
        controlnet: The ControlNet.
        file: The rendered layers, transparent where they are empty; the canvas sets it.
        reading: lines: what is drawn is white on black, whatever its colour; edges: the outlines
            of what is shown; picture: as it is. auto takes lines of drawings, edges of pictures.
        strength: Weight of the control; 0 turns it off.
        end: Share of the steps after which it ends.
    """
    if file is None:
        return conditioning
    hint = _read(imaging.decode(file).pixels, reading)
    image = Image(torch.from_numpy(hint[None]))
    return diffusion.add_control(conditioning, controlnet, image, strength, 0.0, end)


def _read(pixels: imaging.Pixels, reading: Reading) -> imaging.Pixels:
    """(height, width, 3), 0..1, of RGBA or RGB pixels."""
    drawn = 1 - imaging.from_alpha(pixels)
    if reading is Reading.AUTO:
        reading = Reading.LINES if drawn.mean() < _SPARSE else Reading.EDGES
    if reading is Reading.LINES:
        return np.repeat(drawn[..., None], 3, axis=2)
    over: imaging.Pixels = (pixels[..., :3] * drawn[..., None]).astype(np.float32)
    return imaging.edges(over) if reading is Reading.EDGES else over


@node("canvas.reference", title="Canvas reference")
def reference(
    run: RunContext,
    conditioning: Conditioning,
    ip_adapter: IpAdapter,
    image_encoder: ImageEncoder,
    file: Annotated[Path | None, File("image")] = None,
    strength: Annotated[float, Range(0.0, 4.0, step=0.05)] = 0.7,
) -> Conditioning:
    """Add the canvas's reference layers to a prompt as image prompts (IP-Adapter).

    Without a file there are no such layers, and the prompt is returned unchanged.

    Args:
        conditioning: The prompt.
        ip_adapter: The IP-Adapter.
        image_encoder: The CLIP image encoder.
        file: The rendered layers; the canvas sets it.
        strength: Weight of the image prompt; 0 turns it off.
    """
    if file is None:
        return conditioning
    pixels = imaging.decode(file).pixels[..., :3]
    image = Image(torch.from_numpy(np.ascontiguousarray(pixels)[None]))
    with run.use(ip_adapter) as adapter, run.use(image_encoder) as encoder:
        return diffusion.add_image_prompt(
            conditioning, ip_adapter, adapter, encoder, image, strength
        )
