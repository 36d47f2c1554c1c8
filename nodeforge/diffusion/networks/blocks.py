"""Finds the lists of equal blocks that make up most of a transformer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from torch import nn

_READYING = re.compile(r"_refiner$|mode_blocks\b")
"""What diffusers calls lists of blocks that see one of a network's inputs alone."""


def block_lists(network: nn.Module) -> Iterator[tuple[str, nn.ModuleList]]:
    """Lists of blocks that run one after another, each with its name in `network`.

    diffusers and transformers name the classes of such blocks themselves.
    """
    told: Any = network
    name = "_repeated_blocks" if hasattr(told, "_repeated_blocks") else "_no_split_modules"
    kinds = getattr(told, name, None) or ()
    for name, module in network.named_modules():
        if isinstance(module, nn.ModuleList) and module and _all_are(kinds, module):
            yield name, module


def stream_lists(network: nn.Module) -> list[nn.ModuleList]:
    """The lists through which a transformer's picture goes, in turn.

    Those that only ready one of its inputs are none of them.
    """
    return [blocks for name, blocks in block_lists(network) if not _READYING.search(name)]


def _all_are(kinds: Collection[str], blocks: nn.ModuleList) -> bool:
    return all(type(block).__name__ in kinds for block in blocks)
