"""Edges as the ControlNet reads them, and packed as bits: 8 KB a picture."""

import cv2
import numpy as np
import torch
from torch import Tensor

from tools.nano.pictures import SIZE, Pixels

THRESHOLDS = (60, 140)


def canny(picture: Pixels) -> Pixels:
    """Edges of a picture: white lines on black, (height, width), as the ControlNet expects them."""
    return np.asarray(cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), *THRESHOLDS), np.uint8)


def packed(edges: Pixels) -> Pixels:
    """Edges of one picture as bits, (bytes,)."""
    return np.packbits(edges.reshape(-1) > 0)


def to_condition(bits: Tensor) -> Tensor:
    """Packed edges (batch, bytes) to lines of 1 on 0, (batch, 3, 256, 256), on their device."""
    shifts = torch.arange(7, -1, -1, device=bits.device, dtype=torch.uint8)
    pixels = (bits[..., None] >> shifts) & 1
    return pixels.view(-1, 1, SIZE, SIZE).float().repeat(1, 3, 1, 1)
