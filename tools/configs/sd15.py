"""Stable Diffusion 1.5: the config of each of its parts, as its authors published them.

Values are facts of the architecture (Rombach et al. 2022; the LDM repository's
``v1-inference.yaml``), checked by the parameter counts of what they make.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

LATENT_CHANNELS = 4

UNET: dict[str, Any] = {
    "sample_size": 64,
    "in_channels": LATENT_CHANNELS,
    "out_channels": LATENT_CHANNELS,
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
UNET_INPAINTING: dict[str, Any] = {**UNET, "in_channels": 2 * LATENT_CHANNELS + 1}

CONTROLNET: dict[str, Any] = {"cross_attention_dim": 768, "attention_head_dim": 8}
"""Of Zhang et al. 2023; what is left out are diffusers' own defaults."""

VAE: dict[str, Any] = {
    "sample_size": 512,
    "latent_channels": LATENT_CHANNELS,
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "scaling_factor": 0.18215,
}

TEXT_ENCODER: dict[str, Any] = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "projection_dim": 768,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
}

SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
}
"""Nothing that the models' own do not say: each scheduler has spacings and ends of its own."""

PARAMETERS = {
    "unet": 859_520_964,
    "unet_inpainting": 859_535_364,
    "controlnet": 361_279_120,
    "vae": 83_653_863,
    "text_encoder": 123_060_480,
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


TOKENIZERS: dict[str, dict[str, str]] = {"tokenizer": {}}
"""Each tokenizer's folder, and how it differs from CLIP's."""

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
