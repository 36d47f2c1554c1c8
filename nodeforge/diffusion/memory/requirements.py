"""Estimates the memory that a network needs, from its header and configuration."""

from __future__ import annotations

import math
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

from nodeforge.diffusion.memory.blank_calls import blank_call, keeps_states, state_bytes
from nodeforge.diffusion.networks.blocks import block_lists
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.left_out_blocks import BlockCall
from nodeforge.diffusion.networks.loading import streams, weight_bytes
from nodeforge.diffusion.tensors import attention
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.diffusion.vision.upscaler import is_built_here, upscaler_tensors
from nodeforge.diffusion.weights.model_facts import facts
from nodeforge.models import GuidanceKind
from nodeforge.settings import Attention, MemoryMode
from nodeforge.values import Model, NetworkRecipe, Recipe, TextEncoder, UpscaleModel


@dataclass(frozen=True)
class MemoryNeeds:
    """Bytes.

    Args:
        weights: What its parameters take; where they stay in the file, the most that is read.
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
    if isinstance(recipe, TextEncoder):
        parts = [memory_needs(part, policy, device) for part in recipe.parts]
        return MemoryNeeds(sum(p.weights for p in parts), max(p.working for p in parts))
    dtype = policy.dtype_of(recipe, device)
    if isinstance(recipe, UpscaleModel) and not is_built_here(recipe):
        stored = upscaler_tensors(recipe).values()
        numbers = sum(math.prod(each.shape) for each in stored)
        return MemoryNeeds(numbers * dtype.itemsize, 0)
    network = nn.Module.to(build(recipe), dtype)  # diffusers warns in its own
    streamed = policy.memory is MemoryMode.VERY_LOW and streams(recipe, policy, device)
    weights = weight_bytes(network, recipe, policy, device, streamed=streamed)
    way = policy.attention_of(recipe)
    return MemoryNeeds(weights, _working(recipe, network, dtype, way, device))


def peak_bytes(
    network: nn.Module,
    call: Callable[[], object],
    *,
    fused: bool = True,
    device: torch.device | None = None,
) -> int:
    """The most that `call` holds at once beside the weights of `network`.

    Args:
        network: What is called.
        call: Calls it.
        fused: Attention never makes the matrix of all pairs.
        device: Where it would be called; processors copy what convolutions read.
    """
    tally = _Tally(network, copies=device is not None and device.type == "cpu")
    with torch.no_grad(), _FusedAttention() if fused else nullcontext(), tally:
        call()
    return tally.most


class _Tally(TorchDispatchMode):
    """Adds up the memory of every tensor as it comes and goes."""

    def __init__(self, network: nn.Module, *, copies: bool = False) -> None:
        super().__init__()
        self._copies = copies
        tables = (  # such as angles of rotary embeddings that are no buffers
            each for module in network.modules() for each in vars(module).values()
        )
        held = [*network.parameters(), *(each for each in tables if isinstance(each, Tensor))]
        self._alive = {tensor.untyped_storage()._cdata for tensor in held}
        self._now = 0
        self.most = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        if self._copies and func is torch.ops.aten.convolution.default:
            self.most = max(self.most, self._now + _copied(args[0], args[1], made))
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


def _copied(x: Tensor, weight: Tensor, made: Tensor) -> int:
    """Bytes of the copies that a processor makes for a convolution.

    oneDNN copies into an order of its own. A small one in three dimensions is left to torch, which
    lays out what each output reads; it counts all sides but the last (`use_mkldnn` in ATen's
    Convolution.cpp).
    """
    kernel = math.prod(weight.shape[2:])
    if kernel == 1:
        return 0
    if x.dim() == _IN_SPACE and math.prod(x.shape[:-1]) <= _SMALL:
        return x.shape[1] * kernel * math.prod(made.shape[2:]) * x.itemsize
    if x.shape[1] > _FEW_CHANNELS:
        return x.nbytes + weight.nbytes
    lanes = 16 if torch.cpu.get_capabilities().get("avx512_f") else 1
    return made.nbytes // made.shape[1] * (-(-made.shape[1] // lanes) * lanes)


_FEW_CHANNELS = 16
"""It reads so few in their usual order, and copies the result; with AVX-512 in blocks of 16."""
_IN_SPACE = 5
"""Axes of what a convolution in three dimensions reads."""
_SMALL = 20480
"""Numbers that are too few for oneDNN."""


class _FusedAttention(TorchFunctionMode):
    """Tensors without numbers would take the plain way, with its matrix of all pairs."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        told = kwargs or {}
        if func is scaled_dot_product_attention:
            query = args[0] if args else told["query"]
            mask = args[3] if len(args) > 3 else told.get("attn_mask")
            made = torch.empty_like(query)
            if mask is not None and mask.dtype is torch.bool:
                query.new_empty(mask.shape)  # kernels add numbers
            return made
        return func(*args, **told)


def _working(
    recipe: NetworkRecipe, network: Any, dtype: torch.dtype, way: Attention, device: torch.device
) -> int:
    call = blank_call(recipe, network, dtype)
    if call is None:
        return 0
    if isinstance(recipe, Model) and way is Attention.SLICED:
        attention.prepare(network, way)
    left_out = _shorten(network)
    kept = _kept_by_steps(recipe, network, call) if isinstance(recipe, Model) else 0
    most = kept + peak_bytes(network, call, fused=way is not Attention.MATH, device=device)
    if keeps_states(recipe):
        most += left_out * state_bytes(recipe, network, dtype)
    return most


def _kept_by_steps(recipe: Model, network: Any, call: Callable[[], object]) -> int:
    """Bytes that a step cache keeps of the calls of a step, of the whole picture at once."""
    if recipe.step_cache is None:
        return 0
    blocks = BlockCall(None, lambda *_: False)
    with torch.no_grad(), blocks.within(network):
        call()
    if blocks.added is None:
        return 0
    calls = 1 if facts(recipe).guidance is GuidanceKind.CFG else 2  # both prompts, or each
    return calls * (blocks.added.first.nbytes + blocks.added.rest.nbytes)


def _shorten(network: nn.Module) -> int:
    """Leave one block after the first in each list: the others take no more than it does.

    Returns:
        How many were left out.
    """
    left_out = 0
    for _, blocks in list(block_lists(network)):
        left_out += len(blocks) - len(blocks[:2])
        del blocks[2:]
    return left_out
