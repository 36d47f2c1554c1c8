"""Motion modules, with which models of pictures draw videos."""

from pathlib import Path
from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import Model, ModelFile, Range, node


@node("models.load_motion_module", title="Load motion module")
def load_motion_module(
    model: Model,
    file: Annotated[Path, ModelFile("motion_module")],
    context: Annotated[int, Range(1, 128)] = 16,
    overlap: Annotated[int, Range(0, 127)] = 4,
) -> Model:
    """Let a model of pictures draw videos, with AnimateDiff's attention along the frames.

    LoRAs, ControlNets and IP-Adapters act on every frame as they do on a picture.

    Args:
        model: The denoiser of pictures.
        file: The motion module.
        context: Frames that it relates at once, at most as many as it was trained on; a longer
            clip is seen through overlapping windows of so many.
        overlap: Frames that neighbouring windows share; more joins them more smoothly and takes
            longer.
    """
    module = diffusion.describe_motion_module(file)
    return diffusion.with_motion(model, module, context, overlap)
