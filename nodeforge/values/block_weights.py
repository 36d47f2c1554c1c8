"""What a LoRA counts in the blocks of a denoiser, as a person writes it."""

from __future__ import annotations

from nodeforge.errors import RequestError

SIDES = {"down": "down_blocks", "mid": "mid_block", "up": "up_blocks"}
"""Sides of a UNet, and their names in diffusers."""
Blocks = tuple[tuple[str, float], ...]
"""Parts of a denoiser, as ``up_blocks.1``, and what a LoRA counts there."""


class BlockWeightError(RequestError):
    """A text that does not say what a LoRA counts in which block."""


def parse_blocks(text: str) -> Blocks:
    """Weights of blocks: ``down=0.5, up.1=0``; what is not named counts 1.

    Raises:
        BlockWeightError: a part is no ``name=number``, or begins with none of down, mid, up.
    """
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, number = part.partition("=")
        side, _, inner = name.strip().partition(".")
        try:
            weight = float(number)
        except ValueError:
            weight = None
        if weight is None or side not in SIDES:
            raise BlockWeightError(
                f"'{part[:80]}' is no weight of a block.",
                way_out="Write for instance 'down=0.5, mid=1, up.1=0'.",
            )
        found.append((f"{SIDES[side]}.{inner}".rstrip("."), weight))
    return tuple(found)
