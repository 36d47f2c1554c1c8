"""LoRAs laid over a network while it is used: hooks that add to what its layers give.

Our own hooks rather than peft's: peft replaces the network's layers and takes seconds to
import. Hooks leave the network as it is, so that without them it is the base, bit for bit,
and another LoRA costs nothing but its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from nodeforge.diffusion.description import LoadingError
from nodeforge.diffusion.lora_names import LoraNames, by_canonical_name, read_names
from nodeforge.diffusion.lora_pieces import Layer, Piece, piece_of
from nodeforge.values import Lora, Model, TextEncoder, Weights

Changed = TypeVar("Changed", Model, TextEncoder)


def with_lora(recipe: Changed, lora: Weights, weight: float) -> Changed:
    """`recipe` with a LoRA over those that it has.

    At weight 0, and where the LoRA has nothing for this network, it is `recipe` itself. Reads
    headers only.

    Args:
        recipe: The network.
        lora: From `describe_lora`.
        weight: How much of it; negative turns it round.

    Raises:
        LoadingError: the file is of a kind that is not read.
    """
    if weight == 0 or recipe.weights.part not in read_names(Path(lora.path)):
        return recipe
    return replace(recipe, loras=(*recipe.loras, Lora(lora, weight)))


@dataclass(frozen=True)
class LoadedLora:
    """What a LoRA adds to one network, by the name of the layer."""

    pieces: Mapping[str, Piece]

    @property
    def bytes(self) -> int:
        return sum(t.nbytes for piece in self.pieces.values() for t in piece.tensors)


def load_lora(
    weights: Weights,
    part: str,
    network: nn.Module,
    device: torch.device,
    dtype: torch.dtype,
    check: Callable[[], None] = lambda: None,
) -> LoadedLora:
    """Read what a LoRA adds to `network`.

    Args:
        weights: The LoRA's file.
        part: ``unet`` or ``text_encoder``: which network it is.
        network: Whose layers are named; it is not changed.
        device: Where the network computes; its weights may be elsewhere meanwhile.
        dtype: What it computes in; its weights may be stored in fewer bits.
        check: Called between layers; what it raises stops the reading.

    Raises:
        LoadingError: it changes a layer that is not there or has another shape, or is of a
            kind that is not read.
        ModelFileError: the file is damaged.
    """
    names = read_names(Path(weights.path)).get(part, LoraNames())
    layers = {n: m for n, m in network.named_modules() if isinstance(m, Layer)}
    known = by_canonical_name(layers)
    pieces: dict[str, Piece] = {}
    for module, stored in names.modules.items():
        check()
        if (name := known.get(module)) is None:
            raise _misfit(weights, f"changes '{module}', which the {part} does not have.")
        read = {
            role: tensor.read(torch.float32 if role == "alpha" else dtype)
            for role, tensor in stored.items()
        }
        on_device = {role: tensor.to(device) for role, tensor in read.items()}
        alpha = names.alphas.get(module, names.alphas.get(""))
        piece = piece_of(on_device, layers[name], alpha, names.root)
        if piece is None:
            raise _misfit(weights, f"has other shapes for '{name}' than the {part}.")
        pieces[name] = piece
    return LoadedLora(pieces)


class Overlay:
    """The LoRAs that lie over one network at the moment."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._handles: list[Any] = []
        self._laid: Sequence[tuple[LoadedLora, float]] = ()

    @contextmanager
    def lay(self, loras: Sequence[tuple[LoadedLora, float]]) -> Iterator[None]:
        """Have exactly `loras`, each at its weight, lie over the network for the block.

        Blocks nest: the inner one's take the place of the outer one's.
        """
        before = self._laid
        self._set(loras)
        try:
            yield
        finally:
            self._set(before)

    def _set(self, loras: Sequence[tuple[LoadedLora, float]]) -> None:
        for handle in self._handles:
            handle.remove()
        self._laid = loras
        by_layer: dict[str, list[tuple[Piece, float]]] = {}
        for lora, weight in loras:
            for name, piece in lora.pieces.items():
                by_layer.setdefault(name, []).append((piece, weight))
        self._handles = [
            self._network.get_submodule(name).register_forward_hook(_adding(pieces))
            for name, pieces in by_layer.items()
        ]


def _adding(pieces: Sequence[tuple[Piece, float]]) -> Callable[[Any, Any, Any], Tensor]:
    def add(layer: Layer, inputs: tuple[Tensor, ...], result: Tensor) -> Tensor:
        for piece, weight in pieces:
            result = result + piece.added(layer, inputs[0], weight)
        return result

    return add


def _misfit(weights: Weights, fact: str) -> LoadingError:
    return LoadingError(
        fact, place=weights.path, way_out="The LoRA was made for another model. Choose another."
    )
