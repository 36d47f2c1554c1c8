"""Z-Image: the config of each of its parts.

Values are facts of the architecture (Tongyi Lab 2025), checked by the parameter counts of what
they make.
"""

from typing import Any

from diffusers.models.transformers.transformer_z_image import ZImageTransformer2DModel

TRANSFORMER: dict[str, Any] = {"axes_lens": [1536, 512, 512]}
SCHEDULER: dict[str, Any] = {"num_train_timesteps": 1000, "shift": 6.0}
PARAMETERS = {"transformer": 6_154_908_736}
TOKENIZERS: dict[str, dict[str, str]] = {}
TEMPLATE = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
"""Qwen3's chat template for one message, with thinking allowed (Qwen/Qwen3-4B, Apache-2.0)."""
INDEX = {
    "_class_name": "ZImagePipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "Qwen3Model"],
    "tokenizer": ["transformers", "Qwen2Tokenizer"],
    "transformer": ["diffusers", "ZImageTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {"transformer": ZImageTransformer2DModel(**TRANSFORMER)}
