"""Flux.2 dev: the config of each of its parts; its VAE is that of Flux.2.

Values are facts of the architecture (Black Forest Labs 2025), checked by the parameter counts of
what they make.
"""

from typing import Any

from diffusers.models.transformers.transformer_flux2 import Flux2Transformer2DModel

from tools.configs import flux2_klein_4b as small

SCHEDULER = small.SCHEDULER
PARAMETERS = {"transformer": 32_223_281_152}
TOKENIZERS: dict[str, dict[str, str]] = {}
TEMPLATE = (
    "<s>[SYSTEM_PROMPT]You are an AI that reasons about image descriptions. You give structured "
    "responses focusing on object relationships, object\nattribution and actions without "
    "speculation.[/SYSTEM_PROMPT][INST]{}[/INST]"
)
"""Mistral's for one message, with the system prompt of Flux.2 (diffusers' Flux2Pipeline,
Apache-2.0)."""
INDEX: dict[str, Any] = {
    "_class_name": "Flux2Pipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "Mistral3ForConditionalGeneration"],
    "tokenizer": ["transformers", "PixtralProcessor"],
    "transformer": ["diffusers", "Flux2Transformer2DModel"],
    "vae": ["diffusers", "AutoencoderKLFlux2"],
}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {"transformer": Flux2Transformer2DModel()}
