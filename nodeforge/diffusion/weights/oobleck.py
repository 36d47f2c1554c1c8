"""The names of the tensors of Stable Audio's VAE, by its authors and by diffusers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

Stored = TypeVar("Stored")

MARK = "decoder.layers.0.weight_v"
"""In every file of the authors."""

_LAYER = re.compile(r"^(encoder|decoder)\.layers\.(\d+)\.(.+)$")
_INNER = re.compile(r"^layers\.(\d+)\.(.+)$")
_IN_BLOCK = {
    "encoder": ("res_unit1", "res_unit2", "res_unit3", "snake1", "conv1"),
    "decoder": ("snake1", "conv_t1", "res_unit1", "res_unit2", "res_unit3"),
}
_IN_UNIT = ("snake1", "conv1", "snake2", "conv2")


def from_oobleck(there: Mapping[str, Stored]) -> dict[str, Stored]:
    """What each parameter of the VAE is read from.

    Encoder and decoder are lists: a convolution, the blocks, an activation, a convolution; and so
    are blocks and residual units.

    Args:
        there: The file's tensors, by its authors' names.
    """
    last = {side: _last_layer(there, side) for side in _IN_BLOCK}
    return {_renamed(name, last): tensor for name, tensor in there.items()}


def _last_layer(names: Iterable[str], side: str) -> int:
    found = (_LAYER.match(name) for name in names)
    return max((int(each[2]) for each in found if each and each[1] == side), default=0)


def _renamed(name: str, last: Mapping[str, int]) -> str:
    if (found := _LAYER.match(name)) is None:
        return name
    side, number, rest = found[1], int(found[2]), found[3]
    ends = {0: "conv1", last[side] - 1: "snake1", last[side]: "conv2"}
    if number in ends:
        return f"{side}.{ends[number]}.{rest}"
    return f"{side}.block.{number - 1}.{_in_block(rest, _IN_BLOCK[side])}"


def _in_block(rest: str, parts: tuple[str, ...]) -> str:
    found = _INNER.match(rest)
    if found is None or int(found[1]) >= len(parts):
        return rest
    part = parts[int(found[1])]
    inner = _in_block(found[2], _IN_UNIT) if part.startswith("res_unit") else found[2]
    return f"{part}.{inner}"
