"""Anima: the config of each of its parts; its VAE is that of Qwen-Image, which is Wan 2.1's.

Values are facts of the architecture (CircleStone Labs 2026; NVIDIA's Cosmos-Predict2), checked by
the parameter counts of what they make.
"""

from typing import Any

from diffusers.models.condition_embedders.condition_embedder_anima import AnimaTextConditioner
from diffusers.models.transformers.transformer_cosmos import CosmosTransformer3DModel

TRANSFORMER: dict[str, Any] = {
    "num_attention_heads": 16,
    "rope_scale": (1.0, 4.0, 4.0),
    "extra_pos_embed_type": None,
}
SCHEDULER: dict[str, Any] = {"num_train_timesteps": 1000, "shift": 3.0}
PARAMETERS = {"transformer": 1_956_405_248, "text_conditioner": 134_663_680}
TOKENIZERS: dict[str, dict[str, str]] = {}
"""Those of its text encoder's kind, and of T5."""
INDEX = {
    "_class_name": "AnimaModularPipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "t5_tokenizer": ["transformers", "T5TokenizerFast"],
    "text_conditioner": ["diffusers", "AnimaTextConditioner"],
    "text_encoder": ["transformers", "Qwen3Model"],
    "tokenizer": ["transformers", "Qwen2Tokenizer"],
    "transformer": ["diffusers", "CosmosTransformer3DModel"],
    "vae": ["diffusers", "AutoencoderKLQwenImage"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {
        "transformer": CosmosTransformer3DModel(**TRANSFORMER),
        "text_conditioner": AnimaTextConditioner(),
    }
