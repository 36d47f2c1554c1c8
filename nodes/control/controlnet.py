"""ControlNets: edges, depths and poses that a picture should follow."""

from pathlib import Path
from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import Conditioning, ControlNet, Image, ModelFile, Range, node


@node("control.load", title="Load ControlNet")
def load(file: Annotated[Path, ModelFile("controlnet")]) -> ControlNet:
    """Load a ControlNet: a diffusers folder, or a single file.

    Args:
        file: The ControlNet.
    """
    return diffusion.describe_controlnet(file)


@node("control.apply", title="Apply ControlNet")
def apply(
    conditioning: Conditioning,
    controlnet: ControlNet,
    image: Image,
    strength: Annotated[float, Range(0.0, 10.0, step=0.05)] = 1.0,
    start: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Conditioning:
    """Apply a ControlNet to a prompt; several add up.

    A negative prompt without ControlNets of its own gets those of the positive prompt, so
    that this node is needed for the positive prompt alone.

    Args:
        conditioning: The prompt.
        controlnet: The ControlNet.
        image: The control image, such as edges; resized to the picture's size.
        strength: Weight of the control; 0 turns it off.
        start: Share of the steps after which it begins.
        end: Share of the steps after which it ends.
    """
    return diffusion.add_control(conditioning, controlnet, image, strength, start, end)
