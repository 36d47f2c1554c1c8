"""Computes with networks whose blocks stay in their file: each is read while the one before runs.

What is resident is what lies outside the blocks, two buffers of a block's size as the file has it,
and the weights of one layer in the dtype that it computes in. For a card there are two more
buffers in main memory, through which they go. Numbers stay the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nodeforge.diffusion.networks.block_reader import (
    CPU,
    BlockReader,
    ChangedModelError,
    FileMark,
    StoredBlock,
)
from nodeforge.diffusion.networks.blocks import block_lists
from nodeforge.diffusion.networks.packed_layers import PackedLayer
from nodeforge.diffusion.weights.weights_file import StoredTensor

EIGHT_BITS = torch.float8_e4m3fn
_MOST_LISTS = 4
"""UNets have one in every place, and run them in another order than they name them."""
_Layer = nn.Linear | nn.Conv2d
"""Of these the weights are made whole only while they compute."""


def can_stream(network: nn.Module) -> bool:
    """Whether the weights of `network` lie in few lists of blocks, as those of transformers."""
    return 0 < len([*block_lists(network)]) <= _MOST_LISTS


def stored_blocks(network: nn.Module, found: Mapping[str, StoredTensor]) -> list[StoredBlock]:
    """Each block of `network` as its file has it, in the order of their names there.

    Args:
        network: Without its weights.
        found: What each parameter is read from.
    """
    return [
        StoredBlock({own: found[f"{name}.{number}.{own}"] for own, _ in block.named_parameters()})
        for name, blocks in block_lists(network)
        for number, block in enumerate(blocks)
    ]


def streamed_names(network: nn.Module) -> set[str]:
    """The parameters of `network` that stay in the file: those of blocks, and tables of words."""
    starts = tuple(f"{name}." for name, _ in block_lists(network))
    tables = {f"{name}.weight" for name in _tables(network)}
    named = network.named_parameters(remove_duplicate=False)
    return {name for name, _ in named if name.startswith(starts) or name in tables}


def streamed_bytes(
    network: nn.Module, found: Mapping[str, StoredTensor], dtype: torch.dtype
) -> int:
    """The most bytes of weights that are in memory while a streamed network computes.

    Args:
        network: Without its weights.
        found: What each parameter is read from.
        dtype: What it computes in.
    """
    names, blocks = streamed_names(network), stored_blocks(network, found)
    rest = sum(p.numel() for name, p in network.named_parameters() if name not in names)
    largest = max(prod(tensor.shape) for block in blocks for tensor in block.tensors.values())
    return dtype.itemsize * (rest + largest) + 2 * max(block.nbytes for block in blocks)


def stream_of(network: nn.Module) -> BlockStream | None:
    """What reads the blocks of `network` from its file; None where they are in memory."""
    return getattr(network, "block_stream", None)


def whole_weight(network: nn.Module, name: str) -> Tensor:
    """The weight of a layer as it computes with it, also where it is packed or in its file.

    Args:
        network: A loaded network.
        name: The layer's.
    """
    layer = network.get_submodule(name)
    if isinstance(layer, PackedLayer):
        return layer.whole_weight()
    stream = stream_of(network)
    if stream is not None and f"{name}.weight" in stream.names:
        return stream.read(f"{name}.weight")
    weight: Any = layer.weight
    return weight


class BlockStream:
    """Has the weights of a network's blocks in its file, and rows of its tables of words.

    Args:
        network: Without its weights; `placeholders` take their place.
        found: What each parameter is read from.
        dtype: What the network computes in.
        again: Whether it is called again and again, as a denoiser is.
        device: Where it computes.
    """

    def __init__(
        self,
        network: nn.Module,
        found: Mapping[str, StoredTensor],
        dtype: torch.dtype,
        *,
        again: bool,
        device: torch.device = CPU,
    ) -> None:
        self.check: Callable[[], None] = lambda: None
        """Called before each block; what it raises stops the call."""
        self.rounded: Collection[str] = ()
        """Parameters that are to have numbers of 8 bits, as if they were stored so."""
        self.full: Collection[str] = ()
        """Parameters that are read in float32, whatever the network computes in."""
        self._dtype = dtype
        self._device = device
        self._found = found
        self._blocks = [block for _, blocks in block_lists(network) for block in blocks]
        self.names = streamed_names(network)
        """Of the parameters that are not read as a whole."""
        self._starts = [
            f"{name}.{number}."
            for name, blocks in block_lists(network)
            for number in range(len(blocks))
        ]
        stored = stored_blocks(network, found)
        self._stored = stored
        self._reader = BlockReader(stored, again=again, device=device)
        self._bytes: dict[str, Tensor] = {}
        self._factors: dict[str, Tensor | None] = {}
        """What 8-bit weights are multiplied by; so small that they stay."""
        self._whole: list[tuple[nn.Module, str, nn.Parameter]] = []
        self._layer: list[tuple[nn.Module, str, nn.Parameter]] = []
        self._now = 0
        self._tables = _tables(network)
        self._hook(found)

    def read(self, name: str) -> Tensor:
        """A parameter that is not read as a whole, with the numbers that it computes with."""
        made = self._found[name].read(self._dtype_of(name)).to(self._device)
        return self.as_stored(name, made)

    def _dtype_of(self, name: str) -> torch.dtype:
        return torch.float32 if name in self.full else self._dtype

    def placeholder(self, shape: torch.Size) -> Tensor:
        """What a parameter is while it is in the file: no number, and no memory."""
        return torch.full((1,), torch.nan, dtype=self._dtype, device=self._device).expand(shape)

    def as_stored(self, name: str, tensor: Tensor) -> Tensor:
        """A parameter with the numbers that it would have if it were in memory."""
        return tensor.to(EIGHT_BITS).to(tensor.dtype) if name in self.rounded else tensor

    def begin_again(self) -> None:
        """Leave out the blocks that are still to come in this call."""
        self._reader.begin_again()

    def rest(self) -> None:
        """Let go of all weights until the network is called again."""
        self._put_back(self._layer)
        self._put_back(self._whole)
        self._bytes = {}
        self._reader.rest()
        self.check = lambda: None

    def _hook(self, found: Mapping[str, StoredTensor]) -> None:
        for number, block in enumerate(self._blocks):
            block.register_forward_pre_hook(self._entering(number))
            for name, layer in block.named_modules():
                if isinstance(layer, _Layer):
                    layer.register_forward_pre_hook(self._widening(number, name))
        for name, table in self._tables.items():
            weight = f"{name}.weight"
            table.forward = _rows_of(  # pyright: ignore[reportAttributeAccessIssue]
                found[weight], self._dtype, table, partial(self.as_stored, weight)
            )

    def _entering(self, number: int) -> Callable[[nn.Module, Any], None]:
        own = [(n, m) for n, m in self._blocks[number].named_modules() if not isinstance(m, _Layer)]

        def enter(block: nn.Module, _: Any) -> None:
            self.check()
            self._put_back(self._layer)
            self._put_back(self._whole)
            self._bytes = {}
            self._bytes = self._reader.get(number)
            self._now = number
            for name, module in own:
                self._make_whole(module, name, self._whole)

        return enter

    def _widening(self, number: int, name: str) -> Callable[[nn.Module, Any], None]:
        def widen(layer: nn.Module, _: Any) -> None:
            if number != self._now or not self._bytes:
                raise AssertionError(f"layer {name} of block {number} runs outside its block")
            self._put_back(self._layer)
            self._make_whole(layer, name, self._layer)

        return widen

    def _make_whole(
        self, module: nn.Module, name: str, into: list[tuple[nn.Module, str, nn.Parameter]]
    ) -> None:
        """Give a module its own parameters; they are kept until the next one's are made."""
        start = f"{name}." if name else ""
        for own, placeholder in module._parameters.items():
            if placeholder is None:
                continue
            entry = self._stored[self._now].tensors[start + own]
            whole = f"{self._starts[self._now]}{start}{own}"
            held, factors = self._bytes[start + own], self._factors_of(whole)
            made = self.as_stored(whole, entry.made_of(held, self._dtype_of(whole), factors))
            into.append((module, own, placeholder))
            module._parameters[own] = nn.Parameter(made.reshape(placeholder.shape), False)

    def _factors_of(self, name: str) -> Tensor | None:
        if name not in self._factors:
            factors = self._found[name].read_factors()
            self._factors[name] = None if factors is None else factors.to(self._device)
        return self._factors[name]

    def _put_back(self, made: list[tuple[nn.Module, str, nn.Parameter]]) -> None:
        for module, own, placeholder in made:
            module._parameters[own] = placeholder
        made.clear()


def _tables(network: nn.Module) -> dict[str, nn.Embedding]:
    """Tables of words of `network`, which lie outside its blocks, by name."""
    inside = tuple(f"{name}." for name, _ in block_lists(network))
    named = network.named_modules(remove_duplicate=False)
    return {
        name: module
        for name, module in named
        if isinstance(module, nn.Embedding) and not name.startswith(inside)
    }


def _rows_of(
    stored: StoredTensor,
    dtype: torch.dtype,
    table: nn.Embedding,
    as_stored: Callable[[Tensor], Tensor],
) -> Callable[[Tensor], Tensor]:
    """The forward of a table that reads only the rows it is asked for."""
    mark = FileMark.of(stored.path.stat())

    def look_up(ids: Tensor) -> Tensor:
        wanted, places = torch.unique(ids, return_inverse=True)
        with _unchanged(stored.path, mark):
            rows = torch.cat([stored.rows(row, row + 1).read(dtype) for row in wanted.tolist()])
        made = as_stored(rows.reshape(len(wanted), table.embedding_dim).to(ids.device))
        return functional.embedding(places, made)

    return look_up


@contextmanager
def _unchanged(path: Path, mark: FileMark) -> Iterator[None]:
    """A block that reads from a file which stays as it was."""
    try:
        yield
        if FileMark.of(path.stat()) != mark:
            raise ChangedModelError(path)
    except OSError as error:
        raise ChangedModelError(path) from error
