"""Chroma: the config of each of its parts.

Values are facts of the architecture (Lodestone Rock 2025; diffusers' defaults are the model's),
checked by the parameter counts of what they make.
"""

from typing import Any

from diffusers.models.transformers.transformer_chroma import ChromaTransformer2DModel

SCHEDULER: dict[str, Any] = {"num_train_timesteps": 1000, "shift": 1.0}
PARAMETERS = {"transformer": 8_899_983_424}
TOKENIZERS: dict[str, dict[str, str]] = {}
INDEX = {
    "_class_name": "ChromaPipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "ChromaTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {"transformer": ChromaTransformer2DModel()}
