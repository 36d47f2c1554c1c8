"""LoRAs over the networks of a model."""

from pathlib import Path
from typing import Annotated, NamedTuple

from nodeforge.api import Model, ModelFile, Range, RunContext, TextEncoder, node
from nodeforge.diffusion import check_lora, describe_lora, parse_blocks, with_lora


class Changed(NamedTuple):
    """What a LoRA may change."""

    model: Model
    text_encoder: TextEncoder | None


@node("models.load_lora", title="Load LoRA")
def load_lora(
    run: RunContext,
    model: Model,
    file: Annotated[Path, ModelFile("lora")],
    text_encoder: TextEncoder | None = None,
    model_weight: Annotated[float, Range(-4.0, 4.0, step=0.05)] = 1.0,
    text_weight: Annotated[float, Range(-4.0, 4.0, step=0.05)] = 1.0,
    block_weights: str = "",
) -> Changed:
    """Apply a LoRA to a model and its text encoder; several add up.

    The model itself stays as it is, and another LoRA or weight does not load it again. LoRA,
    LoCon, LoHa and LoKr files of peft, diffusers, Kohya, OneTrainer and ComfyUI are read.

    Args:
        model: The denoiser.
        file: The LoRA.
        text_encoder: What reads prompts for it; leave it out to change the denoiser alone.
        model_weight: How much it changes the denoiser; 0 is nothing, below 0 its opposite.
        text_weight: How much it changes the text encoder.
        block_weights: How much it counts in parts of the denoiser, as 'down=0.5, mid=1, up.1=0';
            what is not named counts fully.

    Returns:
        model: The denoiser with the LoRA.
        text_encoder: The text encoder with the LoRA; nothing where none came in.
    """
    lora = describe_lora(file, model.weights.family)
    told = dict.fromkeys(check_lora(model, lora))
    changed = with_lora(model, lora, model_weight, parse_blocks(block_weights))
    encoder = text_encoder
    if encoder is not None:
        lora = describe_lora(file, encoder.family)
        told |= dict.fromkeys(check_lora(encoder, lora))
        encoder = with_lora(encoder, lora, text_weight)
    for fact in told:
        run.notice(fact)
    return Changed(changed, encoder)
