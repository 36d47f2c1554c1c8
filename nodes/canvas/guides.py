"""What the canvas's control and reference layers say to a prompt."""

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


@node("canvas.control", version=2, title="Canvas control")
def control(
    conditioning: Conditioning,
    controlnet: ControlNet,
    file: Annotated[Path | None, File("image")] = None,
    reading: imaging.Reading = imaging.Reading.AUTO,
    strength: Annotated[float, Range(0.0, 10.0, step=0.05)] = 1.0,
    start: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Conditioning:
    """Apply the canvas's control layers to a prompt (ControlNet).

    Without a file there are no such layers, and the prompt is returned unchanged. The canvas
    sets the first of these nodes, and adds one for each further layer that is set otherwise.

    Args:
        conditioning: The prompt.
        controlnet: The ControlNet.
        file: The rendered layers, transparent where they are empty; the canvas sets it.
        reading: lines: what is drawn is white on black, whatever its colour; picture: as it is;
            the others are found in what is shown. auto takes lines of drawings, edges of pictures.
        strength: Weight of the control; 0 turns it off.
        start: Share of the steps after which it begins.
        end: Share of the steps after which it ends.
    """
    if file is None:
        return conditioning
    hint = imaging.control_hint(imaging.decode(file).pixels, reading)
    image = Image(torch.from_numpy(np.ascontiguousarray(hint)[None]))
    return diffusion.add_control(conditioning, controlnet, image, strength, start, end)


@node("canvas.reference", version=2, title="Canvas reference")
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
    image = Image(torch.from_numpy(imaging.decode(file).pixels[None]))
    with run.use(ip_adapter) as adapter, run.use(image_encoder) as encoder:
        return diffusion.add_image_prompt(
            conditioning, ip_adapter, adapter, encoder, image, strength
        )
