"""Flux.1: the config of each of its parts, as its authors published them.

Values are facts of the architecture (Black Forest Labs 2024; the ``flux`` repository's
``util.py``), checked by the parameter counts of what they make.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel

from tools.configs import sd15

CHANNELS = 16
TRANSFORMER: dict[str, Any] = {"guidance_embeds": True}
TRANSFORMER_INPAINTING: dict[str, Any] = {
    **TRANSFORMER,
    "in_channels": 4 * (2 * CHANNELS + 64),
    "out_channels": 4 * CHANNELS,
}
VAE: dict[str, Any] = {
    **sd15.VAE,
    "sample_size": 1024,
    "latent_channels": CHANNELS,
    "scaling_factor": 0.3611,
    "shift_factor": 0.1159,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}
SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "shift": 3.0,
    "use_dynamic_shifting": True,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
}

PARAMETERS = {
    "transformer": 11_901_408_320,
    "transformer_inpainting": 11_902_391_360,
    "vae": 83_819_683,
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {
        "transformer": FluxTransformer2DModel(**TRANSFORMER),
        "transformer_inpainting": FluxTransformer2DModel(**TRANSFORMER_INPAINTING),
        "vae": AutoencoderKL(**VAE),
    }


TOKENIZERS: dict[str, dict[str, str]] = {}
"""Those of its text encoders' kinds."""

INDEX = {
    "_class_name": "FluxPipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "FluxTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
