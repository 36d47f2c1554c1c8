"""Attention backends: chosen by torch, by name, or sliced.

diffusers' UNets know nothing of its own choice of backends: they ask torch, so torch is told. Its
transformers ask its own dispatcher, whose default is the whole process's and the environment's: so
each network is told to ask torch too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.errors import RequestError
from nodeforge.models import FAMILIES
from nodeforge.settings import Attention
from nodeforge.values import Model, Recipe

_KERNELS = {
    Attention.FLASH: SDPBackend.FLASH_ATTENTION,
    Attention.EFFICIENT: SDPBackend.EFFICIENT_ATTENTION,
    Attention.CUDNN: SDPBackend.CUDNN_ATTENTION,
    Attention.MATH: SDPBackend.MATH,
}
OF_TORCH = (Attention.AUTO, *_KERNELS)
"""What every network can compute attention by."""
_PACKAGES = {
    Attention.XFORMERS: "xformers",
    Attention.FLASH_ATTN: "flash_attn",
    Attention.SAGE: "sageattention",
}
_BACKENDS = {
    Attention.XFORMERS: "xformers",
    Attention.FLASH_ATTN: "flash",
    Attention.SAGE: "sage",
}
"""What diffusers' dispatcher calls them."""
_OF_TRANSFORMERS = (Attention.FLASH_ATTN, Attention.SAGE)
_HALF = (torch.float16, torch.bfloat16)


class AttentionError(RequestError):
    """Attention was to be computed in a way that is not there."""


def attention_backends(device: torch.device) -> list[str]:
    """What may be chosen for `device`, as torch itself reports by trying."""
    return [str(way) for way in Attention if _there(way, device)]


@contextmanager
def use_attention(way: Attention, device: torch.device) -> Iterator[None]:
    """Have torch compute attention by the kernel of that name for the block.

    What this kernel cannot take (a VAE in float32, for flash) goes to the next best.

    Raises:
        AttentionError: there is no such kernel here.
    """
    _check(way, device)
    if (kernel := _KERNELS.get(way)) is None:
        yield
        return
    others = [SDPBackend.EFFICIENT_ATTENTION] * (way is not Attention.MATH) + [SDPBackend.MATH]
    with sdpa_kernel([kernel, *others], set_priority=True):
        yield


def check_network(policy: Policy, recipe: Recipe, device: torch.device) -> None:
    """Raise `AttentionError` unless the network of `recipe` can compute attention as chosen."""
    way = policy.attention_of(recipe)
    if isinstance(recipe, Model) and way in _OF_TRANSFORMERS:
        _check_transformer(way, recipe, policy.dtype_of(recipe, device))
    elif way is not policy.attention and way not in OF_TORCH:
        there = [each for each in OF_TORCH if _there(each, device)]
        raise AttentionError(
            f"attention '{way}' is for denoisers, not for text encoders and VAEs.",
            way_out=f"Choose another for them in the preferences: {', '.join(there)}.",
        )


def _check_transformer(way: Attention, recipe: Model, dtype: torch.dtype) -> None:
    family = FAMILIES[recipe.weights.family]
    if way not in family.attention_packages:
        able = ", ".join(f.label for f in FAMILIES.values() if way in f.attention_packages)
        raise AttentionError(
            f"{family.label} cannot compute attention by '{way}': its network has none of the "
            "kind, or reads masks, or its pictures come out black.",
            way_out=f"Choose another in the preferences; this one is for {able}.",
        )
    if dtype not in _HALF:
        raise AttentionError(
            f"attention '{way}' computes in 16 bits, the model in {str(dtype)[6:]}.",
            way_out="Choose another precision in the preferences, or another attention.",
        )


def prepare(network: Any, way: Attention) -> None:
    """Have a denoiser or ControlNet compute attention that way, whatever others do.

    Only UNets can slice theirs: transformers ask torch's kernels, which save as much.
    """
    from diffusers.models.attention_dispatch import AttentionBackendName

    if asking := _asking_dispatcher(network):
        backend = AttentionBackendName(_BACKENDS.get(way, "native"))
        for processor in asking:
            processor._attention_backend = backend
    elif way is Attention.SLICED and hasattr(network, "set_attention_slice"):
        network.set_attention_slice("max")  # one head of one picture at a time
    elif way is Attention.XFORMERS and hasattr(network, "set_attention_slice"):
        network.enable_xformers_memory_efficient_attention()


def _asking_dispatcher(network: Any) -> list[Any]:
    """The attention processors of `network` that ask diffusers' dispatcher."""
    processors = (getattr(module, "processor", None) for module in network.modules())
    return [each for each in processors if hasattr(each, "_attention_backend")]


def _check(way: Attention, device: torch.device) -> None:
    if not _there(way, device):
        raise AttentionError(
            f"attention '{way}' is not there for the device '{device}'.",
            way_out=f"Choose another in the preferences: {', '.join(attention_backends(device))}.",
        )


@cache
def _there(way: Attention, device: torch.device) -> bool:
    if (package := _PACKAGES.get(way)) is not None:
        return device.type == "cuda" and find_spec(package) is not None and _usable(way)
    if (kernel := _KERNELS.get(way)) is None:
        return True
    half = torch.float32 if device.type == "cpu" else torch.float16
    x = torch.zeros(1, 1, 8, 64, dtype=half, device=device)
    try:
        with sdpa_kernel(kernel):
            scaled_dot_product_attention(x, x, x)
    except RuntimeError:
        return False
    return True


def _usable(way: Attention) -> bool:
    """Whether the package is new enough for diffusers, which asks it."""
    from diffusers.models import attention_dispatch

    backend = attention_dispatch.AttentionBackendName(_BACKENDS[way])
    try:
        attention_dispatch._check_attention_backend_requirements(backend)
    except RuntimeError:
        return False
    return True
