"""Perturbed-attention and skip-layer guidance: hooks on a network while it is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Any

from torch import Tensor, nn

from nodeforge.diffusion.participants import (
    BY_STEP,
    ModelCall,
    Order,
    Participant,
    Predict,
    participant,
)
from nodeforge.values import Perturbation, PerturbationKind
from nodeforge.values.layer_names import LayerNameError


@participant(order=Order.PERTURBATION)
class PerturbedNetwork(Participant):
    """Perturbs the network in the calls that guidance makes for it.

    Args:
        perturbations: Those that are active in each step.
    """

    perturbations: tuple[tuple[Perturbation, ...], ...] = field(metadata=BY_STEP)

    def wrap(self, predict: Predict, step: int) -> Predict:
        if not self.perturbations[step]:
            return predict

        def predicted(call: ModelCall) -> Tensor:
            with perturbed(call.model.network, call.batch.perturbation):
                return predict(call)

        return predicted


@contextmanager
def perturbed(network: nn.Module, how: Perturbation | None) -> Iterator[None]:
    """Perturb `network` for the block.

    Raises:
        LayerNameError: it has no such layer.
    """
    handles = []
    try:
        for name in layers(network, how.layers) if how else ():
            layer: Any = network.get_submodule(name)
            if how and how.kind == PerturbationKind.LAYER:
                handles.append(layer.register_forward_hook(_left_out))
            else:
                handles.append(layer.attn1.register_forward_hook(_each_place_alone))
        yield
    finally:
        for handle in handles:
            handle.remove()


def layers(network: nn.Module, names: tuple[str, ...]) -> list[str]:
    """Names of the transformer layers that lie at `names`.

    Raises:
        LayerNameError: there are none at one of them.
    """
    from diffusers.models.attention import BasicTransformerBlock

    there = [n for n, m in network.named_modules() if isinstance(m, BasicTransformerBlock)]
    found: list[str] = []
    for place in names:
        inside = [name for name in there if f"{_place_of(name)}.".startswith(f"{place}.")]
        if not inside:
            known = ", ".join(dict.fromkeys(map(_place_of, there)))
            raise LayerNameError(
                f"the model has no attention at '{place}'.", way_out=f"It has it at: {known}."
            )
        found += inside
    return list(dict.fromkeys(found))


def _place_of(name: str) -> str:
    """``down_blocks.1.attentions.0.transformer_blocks.0`` lies at ``down.1.0``."""
    block, *rest = name.split(".")
    numbers = rest[: rest.index("transformer_blocks")]
    kept = [word for word in numbers if word.isdigit()]
    return ".".join([block.removesuffix("_block").removesuffix("_blocks"), *kept])


def _left_out(layer: nn.Module, inputs: tuple[Tensor, ...], result: Tensor) -> Tensor:
    return inputs[0]


def _each_place_alone(attention: Any, inputs: tuple[Tensor, ...], result: Tensor) -> Tensor:
    """What comes out where the map of attention is the identity: the values themselves."""
    value = attention.to_v(inputs[0])
    for layer in attention.to_out:
        value = layer(value)
    return value / attention.rescale_output_factor
