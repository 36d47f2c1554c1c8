"""CLIP's image encoder, for IP-Adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nodeforge import imaging
from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.checked_config import checked
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import read_config, weight_files
from nodeforge.values import Image, Weights

if TYPE_CHECKING:
    from transformers import CLIPVisionConfig

_FIELDS = (
    *("hidden_size", "intermediate_size", "projection_dim", "num_hidden_layers"),
    *("num_attention_heads", "num_channels", "image_size", "patch_size", "hidden_act"),
    "layer_norm_eps",
)
_QUICK = 1024
"""Width of the encoder whose activation is OpenAI's approximation; others are open_clip's."""


@dataclass
class LoadedImageEncoder:
    """An image encoder on its device."""

    network: Any


def pixel_values(encoder: LoadedImageEncoder, image: Image) -> Tensor:
    """Pictures as CLIP reads them: the middle square, resized and normalised.

    Returns:
        (batch, 3, side, side), on the encoder's device.
    """
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    side = encoder.network.config.image_size
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}
    )
    pictures = [imaging.to_bytes(pixels) for pixels in image.pixels[..., :3].numpy()]
    made = processor(pictures, return_tensors="pt", input_data_format="channels_last")
    return made["pixel_values"].to(encoder.network.device, encoder.network.dtype)


def load_image_encoder(
    weights: Weights, device: torch.device, dtype: torch.dtype, check: Callable[[], None]
) -> LoadedImageEncoder:
    """Read an encoder: a folder in transformers' form, or a file with the same names.

    Raises:
        LoadingError: weights are missing.
        ModelFileError: a file is damaged.
    """
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    path = Path(weights.path)
    files = weight_files(path) if path.is_dir() else [path]
    there = {name: tensor for file in files for name, tensor in stored_tensors(file).items()}
    file = path / "config.json"
    told = checked(read_config(file), file) if path.is_dir() else {}
    known = {name: told[name] for name in _FIELDS if name in told}
    config = CLIPVisionConfig(**known) if known else config_of(there)
    with torch.device("meta"):
        network: Any = CLIPVisionModelWithProjection(config)
    network.to_empty(device="cpu")
    _fill(network, there, weights, dtype, check)
    return LoadedImageEncoder(network.to(device).requires_grad_(False).eval())


def _fill(
    network: nn.Module,
    there: Mapping[str, StoredTensor],
    weights: Weights,
    dtype: torch.dtype,
    check: Callable[[], None],
) -> None:
    state = {}
    for name, parameter in network.named_parameters():
        check()
        # transformers 5.6 took a wrapper away; files have it
        found = there.get(name) or there.get(name.replace("vision_model.", "", 1))
        found = found or there.get(f"vision_model.{name}")
        if found is None or found.shape != parameter.shape:
            raise LoadingError(
                f"the image encoder has no '{name}' of shape {tuple(parameter.shape)}.",
                place=weights.path,
                way_out="Choose a CLIP vision model: ViT-H or ViT-bigG.",
            )
        state[name] = found.read(dtype)
    network.load_state_dict(state, assign=True, strict=False)
    for name, buffer in network.named_buffers():
        assert name.endswith("position_ids"), name
        buffer.copy_(torch.arange(buffer.shape[-1]).expand(buffer.shape))


def config_of(there: Mapping[str, StoredTensor]) -> CLIPVisionConfig:
    """The configuration that the shapes of a single file tell.

    Raises:
        LoadingError: it is no image encoder.
    """
    from transformers import CLIPVisionConfig

    shapes = {name.removeprefix("vision_model."): t.shape for name, t in there.items()}
    try:
        width, _, patch, _ = shapes["embeddings.patch_embedding.weight"]
        places = shapes["embeddings.position_embedding.weight"][0] - 1
        inner = shapes["encoder.layers.0.mlp.fc1.weight"][0]
        projected = shapes["visual_projection.weight"][0]
    except (KeyError, ValueError) as error:
        raise LoadingError(
            "this is no CLIP image encoder.", way_out="Choose ViT-H or ViT-bigG."
        ) from error
    layers = {name.split(".")[2] for name in shapes if name.startswith("encoder.layers.")}
    return CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=inner,
        projection_dim=projected,
        num_hidden_layers=len(layers),
        num_attention_heads=16,  # of all that are in use: 64, 80 and 104 numbers each
        image_size=round(places**0.5) * patch,
        patch_size=patch,
        hidden_act="quick_gelu" if width == _QUICK else "gelu",
    )
