"""Keys and values of the tokens that are the same in every step: a transformer's KV cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.tensors.devices import report_of

_SHARE = 0.5
"""Of a card's free memory that a cache may take; a step needs the rest."""


@dataclass
class LayerCache:
    """Those of one attention layer, each (batch, tokens, heads, channels of a head).

    Its methods are called as diffusers' networks call those of their own.

    Args:
        home: Where they are between steps.
        device: Where the network computes.
    """

    home: torch.device
    device: torch.device
    keys: Tensor | None = None
    values: Tensor | None = None

    def store(self, keys: Tensor, values: Tensor) -> None:
        self.keys, self.values = keys.to(self.home), values.to(self.home)

    def get(self) -> tuple[Tensor, Tensor]:
        assert self.keys is not None
        assert self.values is not None
        return self.keys.to(self.device), self.values.to(self.device)


@dataclass(frozen=True)
class KvCache:
    """What the attention layers of a network kept, in the order in which they run.

    Args:
        layers: One for each.
        tokens: How many they kept keys and values of.
        doubles: How many layers come before those of single-stream blocks.
    """

    layers: Sequence[LayerCache]
    tokens: int
    doubles: int = 0

    @classmethod
    def empty(
        cls, network: Any, shape: tuple[int, int, int], dtype: torch.dtype, device: torch.device
    ) -> KvCache:
        """One to be filled: on the device, or in the computer's memory where that has no room.

        Numbers are the same either way.

        Args:
            network: Whose.
            shape: Batch, tokens, width.
            dtype: What the network computes in.
            device: Where.
        """
        single = len(getattr(network, "single_transformer_blocks", ()))
        double = len(network.transformer_blocks)
        batch, tokens, width = shape
        needed = 2 * (double + single) * batch * tokens * width * dtype.itemsize
        roomy = device.type == "cpu" or needed <= _SHARE * report_of(device).free
        home = device if roomy else torch.device("cpu")
        layers = [LayerCache(home, device) for _ in range(double + single)]
        return cls(layers, tokens, double)

    @property
    def num_ref_tokens(self) -> int:
        """As Flux.2 asks for them."""
        return self.tokens

    def get_layer(self, index: int) -> LayerCache:
        """As Qwen-Image 2.1 asks for them; and of networks with blocks of two kinds, the two."""
        return self.layers[index]

    get_double = get_layer

    def get_single(self, index: int) -> LayerCache:
        return self.layers[self.doubles + index]
