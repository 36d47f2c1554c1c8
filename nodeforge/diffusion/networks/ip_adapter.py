"""The networks of IP-Adapters, read from their authors' files (Ye et al. 2023)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.values import Weights


class IpLayers(nn.Module):
    """An adapter's weights: what makes tokens of a picture, and keys and values of tokens."""

    def __init__(self, projection: nn.Module, keys: list[Tensor], values: list[Tensor]) -> None:
        super().__init__()
        self.projection = projection
        self.keys = nn.ModuleList(map(_linear, keys))
        self.values = nn.ModuleList(map(_linear, values))

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return next(self.parameters()).device


@dataclass
class LoadedIpAdapter:
    """An IP-Adapter on its device."""

    network: IpLayers
    family: str

    @property
    def reads_places(self) -> bool:
        """Whether it reads what the image encoder says of every place, not of the whole."""
        from diffusers.models.embeddings import ImageProjection

        return not isinstance(self.network.projection, ImageProjection)


def load_ip_adapter(
    weights: Weights, device: torch.device, dtype: torch.dtype, check: Callable[[], None]
) -> LoadedIpAdapter:
    """Read an adapter in its authors' layout: ``image_proj.*`` and ``ip_adapter.1.to_k_ip``.

    Raises:
        LoadingError: it is of a kind that is not read, or not complete.
        ModelFileError: the file is damaged.
    """
    there = stored_tensors(Path(weights.path))
    projection = _projection(weights, _read(there, "image_proj.", dtype, check))
    attention = _read(there, "ip_adapter.", dtype, check)
    order = sorted({int(name.split(".")[0]) for name in attention})
    try:
        keys = [attention[f"{number}.to_k_ip.weight"] for number in order]
        values = [attention[f"{number}.to_v_ip.weight"] for number in order]
    except KeyError as error:
        raise _unread(weights, f"lacks '{error.args[0]}'") from error
    network = IpLayers(projection, keys, values).to(device, dtype)
    return LoadedIpAdapter(network.requires_grad_(False).eval(), weights.family)


def _read(
    there: Mapping[str, StoredTensor], prefix: str, dtype: torch.dtype, check: Callable[[], None]
) -> dict[str, Tensor]:
    found = {}
    for name, stored in there.items():
        if name.startswith(prefix):
            check()
            found[name.removeprefix(prefix)] = stored.read(dtype)
    return found


def _projection(weights: Weights, state: dict[str, Tensor]) -> nn.Module:
    from diffusers.loaders.unet import UNet2DConditionLoadersMixin
    from diffusers.models import embeddings

    known = (
        embeddings.ImageProjection,
        embeddings.IPAdapterPlusImageProjection,
        embeddings.IPAdapterFullImageProjection,
    )
    # diffusers' own reading of the projections; it uses nothing of the network it belongs to
    convert: Any = UNet2DConditionLoadersMixin._convert_ip_adapter_image_proj_to_diffusers
    try:
        made = convert(None, state, low_cpu_mem_usage=False)
    except (KeyError, RuntimeError) as error:
        raise _unread(weights, "has a projection of an unknown kind") from error
    if not isinstance(made, known):
        raise _unread(weights, "is a FaceID: it reads faces through a network of its own")
    return made


def _unread(weights: Weights, fact: str) -> LoadingError:
    return LoadingError(
        f"this IP-Adapter {fact}; it cannot be read.",
        place=weights.path,
        way_out="Choose a plain, a plus or a full-face IP-Adapter.",
    )


def _linear(weight: Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    made.weight = nn.Parameter(weight, requires_grad=False)
    return made


def tokens_of(adapter: LoadedIpAdapter, seen: Tensor) -> Tensor:
    """What an adapter makes of what is seen: (batch, pictures * tokens, width).

    Raises:
        LoadingError: the adapter was made for another image encoder.
    """
    projection: Any = adapter.network.projection
    dtype = next(projection.parameters()).dtype
    try:
        tokens = projection(seen.flatten(0, 1).to(adapter.network.device, dtype))
    except RuntimeError as error:
        raise LoadingError(
            f"the image encoder says {seen.shape[-1]} numbers; the IP-Adapter reads others.",
            way_out="Choose the image encoder that it was made with: ViT-H for most, for SDXL "
            "without 'vit-h' in its name ViT-bigG.",
        ) from error
    return tokens.reshape(seen.shape[0], -1, tokens.shape[-1])
