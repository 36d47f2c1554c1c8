"""Masks of simple shapes, as for regions of a picture."""

from typing import Annotated

import numpy as np
import torch

from nodeforge import imaging
from nodeforge.api import Mask, Range, node


@node("mask.rectangle", title="Rectangle mask")
def rectangle(
    width: Annotated[int, Range(1, 16384)] = 512,
    height: Annotated[int, Range(1, 16384)] = 512,
    left: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    top: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    right: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.5,
    bottom: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
    feather: Annotated[int, Range(0, 1024)] = 0,
) -> Mask:
    """Mask a rectangle of a picture.

    Args:
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        left: Where it starts, as a share of the width.
        top: Where it starts, as a share of the height.
        right: Where it ends, as a share of the width.
        bottom: Where it ends, as a share of the height.
        feather: Pixels over which its edges fade, to both sides.
    """
    values = np.zeros((height, width), np.float32)
    rows = slice(round(top * height), round(bottom * height))
    values[rows, round(left * width) : round(right * width)] = 1
    return Mask(torch.from_numpy(imaging.feather(values, feather)[None]))
