"""Flux.2 klein 9B: the config of each of its parts."""

from typing import Any

from diffusers.models.transformers.transformer_flux2 import Flux2Transformer2DModel

from tools.configs import flux2_klein_4b as small

TRANSFORMER: dict[str, Any] = {
    **small.TRANSFORMER,
    "num_layers": 8,
    "num_single_layers": 24,
    "num_attention_heads": 32,
    "joint_attention_dim": 12288,
}
SCHEDULER, TOKENIZERS, TEMPLATE, INDEX = (
    small.SCHEDULER, small.TOKENIZERS, small.TEMPLATE, small.INDEX,
)  # fmt: skip
PARAMETERS = {"transformer": 9_078_581_248}


def networks() -> dict[str, Any]:
    """Each network, to be made under ``torch.device("meta")``: nothing is allocated."""
    return {"transformer": Flux2Transformer2DModel(**TRANSFORMER)}
