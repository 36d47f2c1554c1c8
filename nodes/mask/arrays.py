"""From numpy to masks, and back, without copying."""

from collections.abc import Callable

import torch

from nodeforge import imaging
from nodeforge.api import Image, Mask


def merged(mask: Mask) -> imaging.Pixels:
    """What all masks of a batch cover together, (height, width).

    Raises:
        EmptyBatchError: there is no mask.
    """
    if not mask.batch:
        raise imaging.EmptyBatchError(
            "the batch holds no mask.", way_out="Link one with masks in it."
        )
    return mask.values.amax(dim=0).numpy()


def mapped(function: Callable[..., imaging.Pixels], *inputs: Image | Mask) -> torch.Tensor:
    """`function` of every picture of a batch; a batch of one goes with every other."""
    batches = (i.pixels if isinstance(i, Image) else i.values for i in inputs)
    return torch.from_numpy(imaging.each(function, *(batch.numpy() for batch in batches)))
