"""Masks of the canvas that have a prompt of their own."""

from pathlib import Path
from typing import Annotated

import torch

from nodeforge import diffusion, imaging
from nodeforge.api import Conditioning, File, Mask, Multiline, Range, RunContext, TextEncoder, node


@node("canvas.region", version=2, title="Canvas region")
def region(
    run: RunContext,
    text_encoder: TextEncoder,
    conditioning: Conditioning,
    file: Annotated[Path | None, File("mask")] = None,
    text: Annotated[str, Multiline(names="embedding")] = "",
    strength: Annotated[float, Range(0.0, 10.0, step=0.05)] = 1.0,
    negative: bool = False,
) -> Conditioning:
    """Use another prompt in a region of the canvas, and the given one in the rest.

    Without a file there is no region, and the prompt is returned unchanged. The canvas
    sets the first of these nodes, and adds one for each further region.

    Args:
        text_encoder: The model's own.
        conditioning: The prompt outside of the region.
        file: The region's mask, white inside; the canvas sets it.
        text: What the region should show.
        strength: The prompt's weight beside others that act there.
        negative: Take the negative prompts of the canvas's masks; for the negative prompt.
    """
    del negative  # it tells the canvas which prompts to set here
    if file is None:
        return conditioning
    inside = Mask(torch.from_numpy(imaging.luminance(imaging.decode(file).pixels)[None]))
    knowing = diffusion.with_named(text_encoder, text, run.named)
    with run.use(text_encoder) as encoder:
        own = diffusion.encode_text(encoder, knowing, text, check=run.check)
    own = own.each(references=conditioning.prompts[0].references)
    rest = diffusion.exclude_area(conditioning, inside)
    return diffusion.combine(rest, diffusion.set_area(own, inside, strength))
