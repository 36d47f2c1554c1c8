"""Flux.2 klein 4B: the config of each of its parts.

Values are facts of the architecture (Black Forest Labs 2026), checked by the parameter counts of
what they make.
"""

from typing import Any

from diffusers.models.transformers.transformer_flux2 import Flux2Transformer2DModel

TRANSFORMER: dict[str, Any] = {
    "num_layers": 5,
    "num_single_layers": 20,
    "num_attention_heads": 24,
    "joint_attention_dim": 7680,
    "guidance_embeds": False,
}
SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "shift": 3.0,
    "use_dynamic_shifting": True,
}
PARAMETERS = {"transformer": 3_875_544_576}
TOKENIZERS: dict[str, dict[str, str]] = {}
TEMPLATE = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
"""Qwen3's chat template for one message, without thinking (Qwen/Qwen3-4B, Apache-2.0)."""
INDEX: dict[str, Any] = {
    "_class_name": "Flux2KleinPipeline",
    "is_distilled": True,
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "Qwen3ForCausalLM"],
    "tokenizer": ["transformers", "Qwen2Tokenizer"],
    "transformer": ["diffusers", "Flux2Transformer2DModel"],
    "vae": ["diffusers", "AutoencoderKLFlux2"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {"transformer": Flux2Transformer2DModel(**TRANSFORMER)}
