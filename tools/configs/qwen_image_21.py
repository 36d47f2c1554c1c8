"""Qwen-Image 2.1: the config of each of its parts.

Values are facts of the architecture (Qwen Team 2026), checked by the parameter counts of what they
make.
"""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl_qwenimage21 import AutoencoderKLQwenImage21
from diffusers.models.transformers.transformer_qwenimage21 import QwenImage21Transformer2DModel

from tools.configs import qwen_image

SCHEDULER = qwen_image.SCHEDULER
PARAMETERS = {"transformer": 7_115_124_736, "vae": 337_740_404}
TOKENIZERS: dict[str, dict[str, str]] = {}
TEMPLATE = (
    "<|im_start|>system\nComprehend and analyze the provided prompt.<|im_end|>\n"
    "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)
"""What its authors ask the language model (diffusers' QwenImage21Pipeline, Apache-2.0)."""
INSTRUCTION = TEMPLATE
"""The same where it is shown pictures, whose places stand before the words."""
INDEX = {
    "_class_name": "QwenImage21Pipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "Qwen3VLForConditionalGeneration"],
    "processor": ["transformers", "Qwen3VLProcessor"],
    "transformer": ["diffusers", "QwenImage21Transformer2DModel"],
    "vae": ["diffusers", "AutoencoderKLQwenImage21"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {"transformer": QwenImage21Transformer2DModel(), "vae": AutoencoderKLQwenImage21()}
