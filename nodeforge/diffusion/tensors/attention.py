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

from nodeforge.errors import RequestError
from nodeforge.settings import Attention

_KERNELS = {
    Attention.FLASH: SDPBackend.FLASH_ATTENTION,
    Attention.EFFICIENT: SDPBackend.EFFICIENT_ATTENTION,
    Attention.CUDNN: SDPBackend.CUDNN_ATTENTION,
    Attention.MATH: SDPBackend.MATH,
}


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


def prepare(network: Any, way: Attention) -> None:
    """Have a denoiser or ControlNet compute attention that way, whatever others do.

    Only UNets can slice theirs: transformers ask torch's kernels, which save as much.
    """
    from diffusers.models.attention_dispatch import AttentionBackendName

    if asking := _asking_dispatcher(network):
        xformers = way is Attention.XFORMERS
        backend = AttentionBackendName.XFORMERS if xformers else AttentionBackendName.NATIVE
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
    if way is Attention.XFORMERS:
        return device.type == "cuda" and find_spec("xformers") is not None
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
