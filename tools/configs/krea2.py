"""Krea 2: the config of each of its parts; its VAE is that of Wan 2.1.

Values are facts of the architecture (Krea 2026), checked by the parameter counts of what they
make.
"""

from typing import Any

from diffusers.models.transformers.transformer_krea2 import Krea2Transformer2DModel

from tools.configs import qwen_image

SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "shift": 1.0,
    "use_dynamic_shifting": True,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 6400,
    "time_shift_type": "exponential",
}
PARAMETERS = {"transformer": 12_820_073_036}
TOKENIZERS: dict[str, dict[str, str]] = {}
TEMPLATE = qwen_image.TEMPLATE
"""Krea 2 was trained with Qwen-Image's (diffusers' Krea2Pipeline, Apache-2.0)."""
INDEX = {
    "_class_name": "Krea2Pipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "Qwen3VLModel"],
    "tokenizer": ["transformers", "Qwen2Tokenizer"],
    "transformer": ["diffusers", "Krea2Transformer2DModel"],
    "vae": ["diffusers", "AutoencoderKLQwenImage"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {"transformer": Krea2Transformer2DModel()}
