"""Stable Diffusion XL's refiner: the config of each of its parts, as its authors published them.

Values are facts of the architecture (Podell et al. 2023; the ``generative-models`` repository's
``sd_xl_refiner.yaml``), checked by the parameter counts of what they make.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from tools.configs import sdxl

UNET: dict[str, Any] = {
    "sample_size": 128,
    "block_out_channels": (384, 768, 1536, 1536),
    "down_block_types": (
        *("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    ),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": (6, 12, 24, 24),
    "transformer_layers_per_block": 4,
    "cross_attention_dim": 1280,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 1280 + 5 * 256,
}

PARAMETERS = {"unet": 2_259_526_660, "vae": 83_653_863, "text_encoder_2": 694_659_840}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {
        "unet": UNet2DConditionModel(**UNET),
        "vae": AutoencoderKL(**sdxl.VAE),
        "text_encoder_2": CLIPTextModelWithProjection(CLIPTextConfig(**sdxl.TEXT_ENCODER_2)),
    }


SCHEDULER = sdxl.SCHEDULER

TOKENIZERS = {"tokenizer_2": sdxl.TOKENIZERS["tokenizer_2"]}

INDEX = {
    **{
        name: value
        for name, value in sdxl.INDEX.items()
        if name not in ("text_encoder", "tokenizer")
    },
    "_class_name": "StableDiffusionXLImg2ImgPipeline",
    "force_zeros_for_empty_prompt": False,
    "requires_aesthetics_score": True,
}
