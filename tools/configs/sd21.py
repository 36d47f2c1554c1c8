"""Stable Diffusion 2.1: the config of each of its parts, as its authors published them.

Values are facts of the architecture (the ``stablediffusion`` repository's
``v2-inference-v.yaml``), checked by the parameter counts of what they make. The text encoder
is OpenCLIP ViT-H without its last layer, so that what it gives is the last but one.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from tools.configs import sd15

_ATTENTION: dict[str, Any] = {
    "cross_attention_dim": 1024,
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
    "upcast_attention": True,
}

UNET: dict[str, Any] = {**sd15.UNET, **_ATTENTION, "sample_size": 96}
UNET_INPAINTING: dict[str, Any] = {**UNET, "in_channels": 2 * sd15.LATENT_CHANNELS + 1}
CONTROLNET: dict[str, Any] = dict(_ATTENTION)
VAE: dict[str, Any] = {**sd15.VAE, "sample_size": 768}
TEXT_ENCODER: dict[str, Any] = {
    **sd15.TEXT_ENCODER,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 23,
    "num_attention_heads": 16,
    "hidden_act": "gelu",
    "projection_dim": 512,
}
SCHEDULER: dict[str, Any] = {
    name: value for name, value in sd15.SCHEDULER.items() if name != "skip_prk_steps"
} | {"prediction_type": "v_prediction"}

PARAMETERS = {
    "unet": 865_910_724,
    "unet_inpainting": 865_925_124,
    "controlnet": 364_228_240,
    "vae": 83_653_863,
    "text_encoder": 340_387_840,
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {
        "unet": UNet2DConditionModel(**UNET),
        "unet_inpainting": UNet2DConditionModel(**UNET_INPAINTING),
        "controlnet": ControlNetModel(**CONTROLNET),
        "vae": AutoencoderKL(**VAE),
        "text_encoder": CLIPTextModel(CLIPTextConfig(**TEXT_ENCODER)),
    }


TOKENIZERS = {"tokenizer": {"pad_token": "!"}}
"""OpenCLIP fills up with token 0."""

INDEX = {**sd15.INDEX, "scheduler": ["diffusers", "DDIMScheduler"]}
