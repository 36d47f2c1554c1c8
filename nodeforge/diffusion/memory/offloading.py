"""Moves a network's weights to the device: as a whole, or layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nodeforge.diffusion.networks.packed_layers import PackedLayer, computed_in
from nodeforge.diffusion.tensors.policy import Policy

if TYPE_CHECKING:
    from diffusers.models.modeling_utils import ModelMixin

CPU = torch.device("cpu")


@contextmanager
def on_device(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Have the weights of `network` on `device` for the block, and where they were after it.

    They are copied there and dropped there; nothing is copied back, for nothing has changed.
    """
    tables: list[dict[str, Any]] = [
        t for m in network.modules() for t in (m._parameters, m._buffers)
    ]
    homes = [dict(table) for table in tables]
    moved: dict[Any, Any] = {None: None}  # weights that are shared stay so
    try:  # also where memory runs out on the way
        for table in tables:
            for name, tensor in table.items():
                if tensor not in moved:
                    moved[tensor] = _moved(tensor, device)
                table[name] = moved[tensor]
        yield
    finally:
        for table, home in zip(tables, homes, strict=True):
            table.update(home)


def _moved(tensor: Any, device: torch.device) -> Tensor:
    there = tensor.to(device)
    return nn.Parameter(there, False) if isinstance(tensor, nn.Parameter) else there


def stream_layers(network: ModelMixin, device: torch.device) -> None:
    """From now on, bring each layer's weights to `device` only while it computes.

    Numbers stay the same to the last bit. On CUDA the next layer travels meanwhile.
    """
    from diffusers.hooks.group_offloading import apply_group_offloading

    overlapping = device.type == "cuda"
    apply_group_offloading(
        network,
        onload_device=device,
        offload_device=CPU,
        offload_type="leaf_level",
        use_stream=overlapping,
        low_cpu_mem_usage=overlapping,  # pinning everything would take the memory twice
    )


def configure(network: ModelMixin, policy: Policy) -> None:
    """Store the denoiser's weights in 8 bits and compile its blocks, where the policy says so."""
    if policy.fp8_weights:
        network.enable_layerwise_casting(
            torch.float8_e4m3fn, computed_in(network), skip_modules_classes=(PackedLayer,)
        )
    if policy.compiled:
        # LoRAs are hooks, which compiled code would else go on without
        torch._dynamo.config.skip_nnmodule_hook_guards = False
        torch._dynamo.config.suppress_errors = True  # without a compiler it runs as it is
        network.compile_repeated_blocks()
