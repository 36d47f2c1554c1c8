"""Stable Diffusion 3.5 Medium: the config of each of its parts.

Values are facts of the architecture (Esser et al. 2024; Stability AI's ``sd3.5`` repository),
checked by the parameter counts of what they make. Single files of SD 3 Medium and 3.5 Large tell
where they differ.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel

from tools.configs import flux1

TRANSFORMER: dict[str, Any] = {
    "num_layers": 24,
    "num_attention_heads": 24,
    "caption_projection_dim": 1536,
    "pos_embed_max_size": 384,
    "dual_attention_layers": tuple(range(13)),
    "qk_norm": "rms_norm",
}
VAE: dict[str, Any] = {**flux1.VAE, "scaling_factor": 1.5305, "shift_factor": 0.0609}
SCHEDULER: dict[str, Any] = {"num_train_timesteps": 1000, "shift": 3.0}
PARAMETERS = {"transformer": 2_243_171_520, "vae": 83_819_683}
TOKENIZERS: dict[str, dict[str, str]] = {}
"""Those of its text encoders' kinds."""
INDEX = {
    "_class_name": "StableDiffusion3Pipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModelWithProjection"],
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    "text_encoder_3": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "CLIPTokenizer"],
    "tokenizer_3": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "SD3Transformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {
        "transformer": SD3Transformer2DModel(**TRANSFORMER),
        "vae": AutoencoderKL(**VAE),
    }
