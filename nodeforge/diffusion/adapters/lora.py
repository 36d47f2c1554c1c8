"""LoRAs applied to a network while it is used: hooks that add to its layers' outputs.

Our own hooks rather than peft's: peft replaces the network's layers and takes seconds to
import. Hooks leave the network as it is, so that without them it is the base, bit for bit,
and another LoRA costs nothing but its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from nodeforge.diffusion.adapters.lora_blocks import Blocks, block_weight
from nodeforge.diffusion.adapters.lora_keys import (
    BESIDE,
    MOTION_MODULE,
    LayerPart,
    LoraNames,
    by_canonical_name,
    of_part,
    parts_by_canonical_name,
    read_lora,
    rows_of,
    too_many,
)
from nodeforge.diffusion.adapters.lora_weights import Layer, LoraDelta, decomposed, delta_of
from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.streaming import whole_weight
from nodeforge.diffusion.participants import Order, Participant, participant
from nodeforge.models import FAMILIES
from nodeforge.values import Lora, Model, MotionModule, TextEncoder, TextEncoderPart, Weights

Changed = TypeVar("Changed", Model, TextEncoder)


def with_lora(recipe: Changed, lora: Weights, weight: float, blocks: Blocks = ()) -> Changed:
    """`recipe` with a LoRA over those that it has.

    At weight 0, and where the LoRA has nothing for this network, it is `recipe` itself. Reads
    headers only.

    Args:
        recipe: The network.
        lora: From `describe_lora`.
        weight: How much of it; negative turns it round.
        blocks: What it counts in blocks of a denoiser, from `parse_blocks`.

    Raises:
        LoadingError: the file is of a kind that is not read.
    """
    parts = {part_of_lora(each.weights.part, lora.family) for each in networks_of(recipe)}
    there = read_lora(Path(lora.path), lora.family).names.keys() & parts
    if weight == 0 or not there:
        return recipe
    added = Lora(lora, weight, blocks)
    if isinstance(recipe, Model) and recipe.low_noise:
        second = with_lora(recipe.low_noise.model, lora, weight, blocks)
        recipe = replace(recipe, low_noise=replace(recipe.low_noise, model=second))
    if isinstance(recipe, Model) and recipe.motion and MOTION_MODULE in there:
        module = recipe.motion.module
        module = replace(module, loras=(*module.loras, added))
        recipe = replace(recipe, motion=replace(recipe.motion, module=module))
        if there == {MOTION_MODULE}:
            return recipe
    return replace(recipe, loras=(*recipe.loras, added))


def networks_of(
    recipe: Model | TextEncoder,
) -> tuple[Model | MotionModule | TextEncoderPart, ...]:
    """The networks that a LoRA over `recipe` may change."""
    if isinstance(recipe, TextEncoder):
        return recipe.parts
    return (recipe, recipe.motion.module) if recipe.motion else (recipe,)


def part_of_lora(part: str, family: str) -> str:
    """The network that LoRAs over `part` name: both experts of a family are its denoiser."""
    facts = FAMILIES.get(family)
    return facts.denoiser if facts and part and part == facts.second_denoiser else part


@participant(order=Order.NETWORK)
class LoraWeights(Participant):
    """The LoRAs of a run; `Residency.use` applies them to the network it hands out.

    Args:
        loras: In the order in which they were added.
    """

    loras: tuple[Lora, ...]


class WeightedLora(NamedTuple):
    """A LoRA over a network, at its weight, and what it counts in blocks."""

    lora: LoadedLora
    weight: float
    blocks: Blocks = ()


@dataclass(frozen=True)
class LoadedLora:
    """What a LoRA adds to one network, by the name of the layer."""

    deltas: Mapping[str, LoraDelta]

    @property
    def bytes(self) -> int:
        return sum(t.nbytes for piece in self.deltas.values() for t in piece.tensors)


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
        part: ``unet``, ``transformer``, ``text_encoder``, ...: which network it is.
        network: Whose layers are named; it is not changed.
        device: Where the network computes; its weights may be elsewhere meanwhile.
        dtype: What it computes in; its weights may be stored in fewer bits.
        check: Called between layers; what it raises stops the reading.

    Raises:
        LoadingError: it changes a layer that is not there or has another shape, or is of a
            kind that is not read.
        ModelFileError: the file is damaged.
    """
    part = part_of_lora(part, weights.family)
    known = read_lora(Path(weights.path), weights.family).names.get(part, LoraNames())
    return LoadedLora(dict(_pieces(weights, known, part, network, device, dtype, check)))


def _pieces(
    weights: Weights,
    names: LoraNames,
    part: str,
    network: nn.Module,
    device: torch.device,
    dtype: torch.dtype,
    check: Callable[[], None],
) -> Iterator[tuple[str, LoraDelta]]:
    """Names of layers, and what is added to each."""
    for module, layer_part, layer in _matched(weights, names, part, network).there:
        check()
        stored = of_part(names.modules[module], layer_part)
        read = {
            role: tensor.read(torch.float32 if role in BESIDE else dtype)
            for role, tensor in stored.items()
        }
        on_device = {role: tensor.to(device) for role, tensor in read.items()}
        alpha = names.alphas.get(module, names.alphas.get(""))
        piece = made = delta_of(on_device, layer, alpha, names.root, *_place(layer_part))
        if made is not None and "magnitude" in on_device:
            base = whole_weight(network, layer_part.name)
            piece = decomposed(made, on_device["magnitude"], base)
        if piece is None:
            raise _misfit(weights, f"has other shapes for '{layer_part.name}' than the {part}.")
        yield layer_part.name, piece


def _place(part: LayerPart) -> tuple[tuple[int, int] | None, bool]:
    return (part.first, part.last) if part.last else None, part.swapped


class _Matched(NamedTuple):
    """The modules of a LoRA that a network has, with their layers; and those it has not."""

    there: list[tuple[str, LayerPart, Layer]]
    foreign: list[str]


def _matched(weights: Weights, names: LoraNames, part: str, network: nn.Module) -> _Matched:
    """The modules of a LoRA that `network` has, each with its layers, or their parts.

    Raises:
        LoadingError: it has none of them, or, of a UNet or a text encoder, lacks more than single
            ones; or a module has other rows than its layers together.
    """
    layers = {n: m for n, m in network.named_modules() if isinstance(m, Layer)}
    known, partly = _known_layers(layers, weights, part, network)
    foreign = [module for module in names.modules if module not in known]
    if len(foreign) == len(names.modules) if partly else too_many(foreign, names):
        raise _misfit(weights, f"changes '{foreign[0]}', which the {part} does not have.")
    there = []
    for module, tensors in names.modules.items():
        for each in known.get(module, ()):
            if each.total not in (0, rows_of(tensors)):
                raise _misfit(weights, f"has other shapes for '{each.name}' than the {part}.")
            there.append((module, each, layers[each.name]))
    return _Matched(there, foreign)


def _known_layers(
    layers: Mapping[str, Layer], weights: Weights, part: str, network: nn.Module
) -> tuple[Mapping[str, tuple[LayerPart, ...]], bool]:
    """The layers by every name that trainers have for them, and whether some may be missing.

    Models of one kind differ in blocks, as pruned ones; those over UNets do not.
    """
    family = FAMILIES.get(weights.family)
    if family and family.signature and part == family.denoiser:
        rows = {name: layer.weight.shape[0] for name, layer in layers.items()}
        return parts_by_canonical_name(rows, family.signature), True
    config: Any = network.config
    depth = config["layers_per_block"] if part == "unet" else None
    named = by_canonical_name(list(layers), depth)
    return {module: (LayerPart(name),) for module, name in named.items()}, False


def check_lora(recipe: Model | TextEncoder, lora: Weights) -> tuple[str, ...]:
    """Try a LoRA on a network by names and shapes alone: no weight is read.

    Returns:
        What of it is left out, as sentences.

    Raises:
        LoadingError: the network lacks layers that it changes, or has them in other shapes.
        ModelFileError: the file is damaged.
    """
    path = Path(lora.path)
    names, left_out = read_lora(path, lora.family)
    told = list(left_out)
    if isinstance(recipe, Model) and not recipe.motion and names.keys() == {MOTION_MODULE}:
        raise LoadingError(
            "it is a motion LoRA, which changes how a motion module moves the picture.",
            place=str(path),
            way_out="Load a motion module before it.",
        )
    for each in networks_of(recipe):
        part = part_of_lora(each.weights.part, lora.family)
        if (known := names.get(part)) is None:
            continue
        there, foreign = _matched(lora, known, part, build(each))
        for module, layer_part, layer in there:
            shapes = {
                role: torch.empty(tensor.shape, device="meta")
                for role, tensor in of_part(known.modules[module], layer_part).items()
                if role != "alpha"
            }
            piece = made = delta_of(shapes, layer, None, False, *_place(layer_part))
            if made is not None and "magnitude" in shapes:
                _check_columns(lora, layer_part, shapes["magnitude"])
                piece = decomposed(made, shapes["magnitude"], layer.weight)
            if piece is None:
                raise _misfit(lora, f"has other shapes for '{layer_part.name}' than the {part}.")
        if foreign:
            told.append(_left_out(part, sorted(foreign), len(known.modules)))
    return tuple(told)


def _check_columns(lora: Weights, part: LayerPart, magnitude: Tensor) -> None:
    """Refuse columns of a module whose rows are several layers': their lengths are of all."""
    if part.last and magnitude.shape[:1] == (1,):
        raise LoadingError(
            f"it scales the columns of '{part.name}' together with those of other layers (DoRA), "
            "which is not read.",
            place=lora.path,
            way_out="Choose a LoRA, or a DoRA that scales rows.",
        )


def _left_out(part: str, foreign: Sequence[str], count: int) -> str:
    names = ", ".join(f"'{module}'" for module in foreign[:3])
    more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
    used = f"{count - len(foreign)} of {count} layers are used"
    return f"The {part} does not have {names}{more}: left out; {used}."


class LoraHooks:
    """The LoRAs that lie over one network at the moment."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._handles: list[Any] = []
        self._laid: Sequence[WeightedLora] = ()

    @contextmanager
    def attach(self, loras: Sequence[WeightedLora]) -> Iterator[None]:
        """Have exactly `loras`, each at its weight, lie over the network for the block.

        Blocks nest: the inner one's take the place of the outer one's.
        """
        before = self._laid
        self._set(loras)
        try:
            yield
        finally:
            self._set(before)

    def _set(self, loras: Sequence[WeightedLora]) -> None:
        for handle in self._handles:
            handle.remove()
        self._laid = loras
        by_layer: dict[str, list[tuple[LoraDelta, float]]] = {}
        for lora, weight, blocks in loras:
            for name, piece in lora.deltas.items():
                if here := weight * block_weight(blocks, name):
                    by_layer.setdefault(name, []).append((piece, here))
        self._handles = [
            self._network.get_submodule(name).register_forward_hook(_adding(pieces))
            for name, pieces in by_layer.items()
        ]


def _adding(pieces: Sequence[tuple[LoraDelta, float]]) -> Callable[[Any, Any, Any], Tensor]:
    def add(layer: Layer, inputs: tuple[Tensor, ...], result: Tensor) -> Tensor:
        made = result
        for piece, weight in pieces:
            made = made + piece.added(layer, inputs[0], weight, result)
        return made

    return add


def _misfit(weights: Weights, fact: str) -> LoadingError:
    return LoadingError(
        fact, place=weights.path, way_out="The LoRA was made for another model. Choose another."
    )
