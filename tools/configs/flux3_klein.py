"""Flux.3 klein: the config of each of its parts; its VAE is that of Flux.2.

Values are facts of the architecture (Black Forest Labs 2026), checked by the parameter counts of
what they make.
"""

from typing import Any

from diffusers.models.transformers.transformer_flux3 import Flux3Transformer2DModel

SCHEDULER: dict[str, Any] = {"num_train_timesteps": 1000, "shift": 6.93}
PARAMETERS = {"transformer": 5_538_458_368}
TOKENIZERS: dict[str, dict[str, str]] = {}
TEMPLATE = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
"""Qwen3-VL's chat template for one message (Qwen/Qwen3-VL-4B-Instruct, Apache-2.0)."""
INDEX: dict[str, Any] = {
    "_class_name": "Flux3ModularPipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "Qwen3VLForConditionalGeneration"],
    "tokenizer": ["transformers", "Qwen2Tokenizer"],
    "transformer": ["diffusers", "Flux3Transformer2DModel"],
    "vae": ["diffusers", "AutoencoderKLFlux2"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {"transformer": Flux3Transformer2DModel()}
