"""Estimates the memory that a network needs, from its header and configuration."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nodeforge.diffusion.families import behaviour
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.loading import weight_bytes
from nodeforge.diffusion.tensors import attention
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.models import FAMILIES, Family
from nodeforge.settings import Attention
from nodeforge.values import AddedConditions, Model, Recipe, Vae

TOKENS = 77
"""Of a prompt of one chunk."""


@dataclass(frozen=True)
class MemoryNeeds:
    """Bytes.

    Args:
        weights: What its parameters take.
        working: The most that a call takes beside them, for one picture of its family's native
            size, with guidance.
    """

    weights: int
    working: int


@lru_cache(maxsize=64)
def memory_needs(recipe: Recipe, policy: Policy, device: torch.device) -> MemoryNeeds:
    """What `recipe` needs on `device`, found by a call without numbers.

    Raises:
        LoadingError: its configuration is missing.
    """
    dtype = policy.dtype(recipe.weights.part, device)
    network = build(recipe).to(dtype)
    weights = weight_bytes(network, recipe, policy, device)
    return MemoryNeeds(weights, _working(recipe, network, dtype, policy.attention))


def peak_bytes(network: nn.Module, call: Callable[[], object], *, fused: bool = True) -> int:
    """The most that `call` holds at once beside the weights of `network`.

    Args:
        network: What is called.
        call: Calls it.
        fused: Attention never makes the matrix of all pairs.
    """
    tally = _Tally(network)
    with torch.no_grad(), _FusedAttention() if fused else nullcontext(), tally:
        call()
    return tally.most


class _Tally(TorchDispatchMode):
    """Adds up the memory of every tensor as it comes and goes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._alive = {tensor.untyped_storage()._cdata for tensor in network.parameters()}
        self._now = 0
        self.most = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        mark, size = storage._cdata, storage.nbytes()
        if mark in self._alive:
            return
        self._alive.add(mark)
        self._now += size
        self.most = max(self.most, self._now)
        weakref.finalize(storage, self._forget, mark, size)

    def _forget(self, mark: int, size: int) -> None:
        self._alive.discard(mark)
        self._now -= size


class _FusedAttention(TorchFunctionMode):
    """Tensors without numbers would take the plain way, with its matrix of all pairs."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        if func is scaled_dot_product_attention:
            return torch.empty_like(args[0])
        return func(*args, **(kwargs or {}))


def _working(recipe: Recipe, network: Any, dtype: torch.dtype, way: Attention) -> int:
    family = FAMILIES[recipe.weights.family]
    side = family.native_size // family.latent_scale
    fused = way is not Attention.MATH

    def blank(*shape: int) -> Tensor:
        return torch.empty(shape, dtype=dtype, device="meta")

    match recipe:
        case Model():
            config = network.config
            x, said = blank(2, config.in_channels, side, side), _said(family, config, blank)
            told = said.arguments(dtype)
            if way is Attention.SLICED:
                attention.prepare(network, way)
            return peak_bytes(
                network, lambda: network(x, 1, return_dict=False, **told), fused=fused
            )
        case Vae():
            latent = blank(1, network.config.latent_channels, side, side)
            return peak_bytes(
                network, lambda: network.decode(latent, return_dict=False), fused=fused
            )
    return 0  # a text encoder's 77 tokens are nothing beside its weights


def _said(family: Family, config: Any, blank: Callable[..., Tensor]) -> PromptInputs:
    """A prompt and its negative, for one picture of the family's native size."""
    words = blank(2, TOKENS, config.cross_attention_dim)
    size = family.native_size
    numbers = behaviour(family.name).added_conditions(AddedConditions(), size, size, True)
    if numbers is None:
        return PromptInputs(words)
    count = numbers.shape[1]
    width = config.projection_class_embeddings_input_dim - count * config.addition_time_embed_dim
    return PromptInputs(words, blank(2, width), blank(2, count))
