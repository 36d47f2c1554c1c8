"""Layers whose weights stay in 8 bits and less, and are made whole while they compute.

Numbers are those of a layer whose weights were made whole when they were read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nodeforge.diffusion.weights.packing import Packing
from nodeforge.diffusion.weights.weights_file import (
    StoredTensor,
    swapped_halves,
    unpaired_rows,
)


@dataclass(frozen=True)
class PackedWeight:
    """A weight's bytes in memory.

    Args:
        rows: uint8, (rows, bytes of a row).
        factors: float32, one number or one for each row; None where there are none.
        packing: How its numbers are stored.
        shape: Of the whole weight.
    """

    rows: Tensor
    factors: Tensor | None
    packing: Packing
    shape: tuple[int, ...]

    @classmethod
    def read(cls, stored: StoredTensor) -> PackedWeight:
        """The weight as its file has it.

        Raises:
            CorruptModelError: the file ends before the tensor does.
        """
        assert stored.packing is not None
        rows, factors = stored.read_packed()
        if stored.halves:
            rows = swapped_halves(rows)
            each = factors is not None and factors.numel() > 1
            factors = swapped_halves(factors) if factors is not None and each else factors
        if stored.paired:
            rows = unpaired_rows(rows, stored.paired)
        return cls(rows, factors, stored.packing, stored.shape)

    def to(self, device: torch.device) -> PackedWeight:
        """The weight on `device`."""
        factors = None if self.factors is None else self.factors.to(device)
        return replace(self, rows=self.rows.to(device), factors=factors)


class PackedLayer(nn.Module):
    """What layers with a packed weight have in common."""

    rows: Tensor
    factors: Tensor | None

    def _take(self, layer: nn.Module, packed: PackedWeight, dtype: torch.dtype) -> None:
        """Stand in for `layer`: its fields are ours but for the weight."""
        nn.Module.__init__(self)
        own = {k: v for k, v in vars(layer).items() if not k.startswith("_") and k != "training"}
        self.__dict__.update(own)
        self.packing = packed.packing
        self.weight_shape = torch.Size(packed.shape)
        self.weight_dtype = dtype
        self.register_buffer("rows", packed.rows, persistent=False)
        self.register_buffer("factors", packed.factors, persistent=False)
        if "bias" in layer._parameters:
            self.register_parameter("bias", layer._parameters["bias"])

    @property
    def weight(self) -> Tensor:
        """Tells the whole weight's shape, dtype and device; it has no numbers, and no memory."""
        there = torch.full((1,), torch.nan, dtype=self.weight_dtype, device=self.rows.device)
        return there.expand(self.weight_shape)

    def whole_weight(self) -> Tensor:
        """The weight that the layer computes with."""
        made = self.packing.unpack(self.rows, self.factors, self.weight_dtype)
        return made.reshape(self.weight_shape)


class PackedLinear(PackedLayer, nn.Linear):  # pyright: ignore[reportIncompatibleVariableOverride]
    """A linear layer with a packed weight."""

    def __init__(self, layer: nn.Linear, packed: PackedWeight, dtype: torch.dtype) -> None:
        self._take(layer, packed, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.whole_weight(), self.bias)


class PackedConv2d(PackedLayer, nn.Conv2d):  # pyright: ignore[reportIncompatibleVariableOverride]
    """A convolution with a packed weight."""

    def __init__(self, layer: nn.Conv2d, packed: PackedWeight, dtype: torch.dtype) -> None:
        self._take(layer, packed, dtype)
        self._reversed_padding_repeated_twice = layer._reversed_padding_repeated_twice

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.whole_weight(), self.bias)


class PackedEmbedding(PackedLayer, nn.Embedding):  # pyright: ignore[reportIncompatibleVariableOverride]
    """A table of words with packed rows; only those that are asked for are made whole."""

    def __init__(self, layer: nn.Embedding, packed: PackedWeight, dtype: torch.dtype) -> None:
        self._take(layer, packed, dtype)

    def forward(self, input: Tensor) -> Tensor:
        wanted, places = torch.unique(input, return_inverse=True)
        factors = self.factors
        if factors is not None and factors.numel() > 1:
            factors = factors[wanted]
        made = self.packing.unpack(self.rows[wanted], factors, self.weight_dtype)
        return functional.embedding(places, made)


_KINDS: Mapping[type[nn.Module], type[Any]] = {
    nn.Linear: PackedLinear,
    nn.Conv2d: PackedConv2d,
    nn.Embedding: PackedEmbedding,
}


def packable(network: nn.Module, found: Mapping[str, StoredTensor]) -> set[str]:
    """Names of the weights of `network` that can stay as their file has them.

    Args:
        network: Without its weights.
        found: What each parameter is read from.
    """
    layers = {
        f"{name}.weight": layer
        for name, layer in network.named_modules(remove_duplicate=False)
        if type(layer) in _KINDS
    }
    return {
        name
        for name, layer in layers.items()
        if (stored := found.get(name)) is not None and _fits(stored, layer)
    }


def pack(network: nn.Module, name: str, packed: PackedWeight, dtype: torch.dtype) -> None:
    """Put a layer with a packed weight in the place of the one whose weight is called `name`.

    Args:
        network: Whose layer it is.
        name: As `packable` gives it.
        packed: The weight.
        dtype: What the layer computes in.
    """
    path = name.removesuffix(".weight")
    layer = network.get_submodule(path)
    if not isinstance(layer, PackedLayer):  # else it is reached by two names
        network.set_submodule(path, _KINDS[type(layer)](layer, packed, dtype))


def computed_in(network: Any) -> torch.dtype:
    """What a network computes in.

    Where all its weights are packed, diffusers takes the type of their bytes for it.
    """
    layers = (layer.weight_dtype for layer in network.modules() if isinstance(layer, PackedLayer))
    return next(layers, None) or network.dtype


def packed_bytes(stored: Collection[StoredTensor], itemsize: int) -> int:
    """Bytes of packed weights, and of the largest of them made whole.

    Args:
        stored: Those that stay as their file has them.
        itemsize: Bytes of a number that is computed with.
    """
    largest = max((prod(each.shape) for each in stored), default=0)
    factors = sum(prod(each.scale.shape) for each in stored if each.scale is not None)
    return sum(each.nbytes for each in set(stored)) + 4 * factors + itemsize * largest


def _fits(stored: StoredTensor, layer: nn.Module) -> bool:
    weight: Any = layer.weight
    rows = stored.packed_rows if stored.packing is not None else 0
    same = stored.shape == tuple(weight.shape)
    return same and not stored.transposed and rows == weight.shape[0]
