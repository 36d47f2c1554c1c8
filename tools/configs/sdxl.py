"""Stable Diffusion XL's base: the config of each of its parts, as its authors published them.

Values are facts of the architecture (Podell et al. 2023; the ``generative-models`` repository's
``sd_xl_base.yaml``), checked by the parameter counts of what they make.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tools.configs import sd15

_SHAPE: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "attention_head_dim": (5, 10, 20),
    "transformer_layers_per_block": (1, 2, 10),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 1280 + 6 * 256,
}

UNET: dict[str, Any] = {
    **_SHAPE,
    "sample_size": 128,
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
}
UNET_INPAINTING: dict[str, Any] = {**UNET, "in_channels": 2 * sd15.LATENT_CHANNELS + 1}
CONTROLNET: dict[str, Any] = dict(_SHAPE)
VAE: dict[str, Any] = {**sd15.VAE, "sample_size": 1024, "scaling_factor": 0.13025}
TEXT_ENCODER: dict[str, Any] = dict(sd15.TEXT_ENCODER)
TEXT_ENCODER_2: dict[str, Any] = {
    **sd15.TEXT_ENCODER,
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "hidden_act": "gelu",
    "projection_dim": 1280,
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
    "timestep_spacing": "leading",
}

PARAMETERS = {
    "unet": 2_567_463_684,
    "unet_inpainting": 2_567_478_084,
    "controlnet": 1_251_014_160,
    "vae": 83_653_863,
    "text_encoder": 123_060_480,
    "text_encoder_2": 694_659_840,
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {
        "unet": UNet2DConditionModel(**UNET),
        "unet_inpainting": UNet2DConditionModel(**UNET_INPAINTING),
        "controlnet": ControlNetModel(**CONTROLNET),
        "vae": AutoencoderKL(**VAE),
        "text_encoder": CLIPTextModel(CLIPTextConfig(**TEXT_ENCODER)),
        "text_encoder_2": CLIPTextModelWithProjection(CLIPTextConfig(**TEXT_ENCODER_2)),
    }


TOKENIZERS = {"tokenizer": {}, "tokenizer_2": {"pad_token": "!"}}
"""OpenCLIP fills up with token 0."""

INDEX = {
    "_class_name": "StableDiffusionXLPipeline",
    "force_zeros_for_empty_prompt": True,
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
