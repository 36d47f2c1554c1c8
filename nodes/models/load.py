"""Recipes of networks from model files. Nothing is loaded here."""

from pathlib import Path
from typing import Annotated, NamedTuple

from nodeforge.api import Model, ModelFile, TextEncoder, Vae, node
from nodeforge.diffusion import describe, describe_vae


class Networks(NamedTuple):
    """The networks of a whole model."""

    model: Model
    text_encoder: TextEncoder
    vae: Vae


@node("models.load", title="Load model")
def load_model(file: Annotated[Path, ModelFile("checkpoint")]) -> Networks:
    """Take the networks of a model: a diffusers folder, or a checkpoint in one file.

    Args:
        file: The model.

    Returns:
        model: The denoiser.
        text_encoder: What reads prompts for it.
        vae: What turns its latents into pictures.
    """
    return Networks(*describe(file))


@node("models.load_vae", title="Load VAE")
def load_vae(file: Annotated[Path, ModelFile("vae")]) -> Vae:
    """Take a VAE of its own, or that of another model.

    Args:
        file: The VAE, or a whole model with one.
    """
    return describe_vae(file)
