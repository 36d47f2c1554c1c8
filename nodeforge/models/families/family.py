"""`Family`: what NodeForge knows about an architecture, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nodeforge.settings import shipped


@dataclass(frozen=True)
class RecommendedSettings:
    """Settings that give a good picture without thought."""

    sampler: str
    schedule: str
    steps: int
    guidance: float


@dataclass(frozen=True)
class Family:
    """One architecture: how its files look, and what is true of all its models.

    Args:
        name: How recipes and latents name it.
        label: How people name it.
        width: Inputs of its cross-attention, which is the width of its encoded text.
        in_channels: Input channels of its denoiser, and what each number means:
            ``text to image`` or ``inpainting``.
        latent_channels: Channels of its latents.
        latent_scale: Pixels of the picture for one cell, along each side.
        latent_layout: Axes of its latents, as in `nodeforge.values.Latent`.
        scaling_factor: What its VAE's latents are multiplied by; None where each model has its
            own, in its VAE's config.
        prediction_types: What a model of it may predict; the first where a file does not say.
        native_size: Side of the square pictures it was trained on, pixels.
        size_multiple: What width and height must be divisible by, pixels.
        recommended: Settings to start from.
        config: Where in ``resources`` its configs and tokenizer are.
        unet: Folder in `config` with the config of each kind of denoiser.
        latents: The family whose latents it reads and makes; empty is its own.
        text_encoders: Folders of its text encoders, in the order of their parts of an embedding.
        text_widths: Of the word vectors by which a text encoder, an embedding or a LoRA over
            one is known as its own; what several families share is the first one's.
        text_layer: Which layer of its text encoders, counted from the last as published, prompts
            are read from: 1 is the last.
        marks: Parts of tensor names, with a line break before the first letter where they begin
            one, that only its files have.
        bases: How metadata begins to name it: ModelSpec's architecture, Kohya's base version.
        variants: Settings for distilled models of it, by the word that their names have.
        added_conditions_width: How many numbers its denoiser reads beside the prompt, as sizes; 0
            where none.
        adapter_factor: Pixels that a T2I-Adapter for it folds into a cell, along each side.
    """

    name: str
    label: str
    width: int
    in_channels: Mapping[int, str]
    latent_channels: int
    latent_scale: int
    scaling_factor: float | None
    prediction_types: tuple[str, ...]
    native_size: int
    size_multiple: int
    recommended: RecommendedSettings
    config: str
    unet: Mapping[str, str]
    latent_layout: str = "BCHW"
    latents: str = ""
    text_encoders: tuple[str, ...] = ("text_encoder",)
    text_widths: tuple[int, ...] = ()
    text_layer: int = 1
    marks: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    variants: Mapping[str, RecommendedSettings] = field(default_factory=dict)
    added_conditions_width: int = 0
    adapter_factor: int | None = None

    @property
    def latent_family(self) -> str:
        """How its latents, and the VAE between them and pictures, are named."""
        return self.latents or self.name

    @property
    def config_folder(self) -> Path:
        """A diffusers folder without weights: all that loading a single file needs."""
        return shipped("resources") / self.config

    def unet_config(self, inpainting: bool) -> Path:
        """The folder with the ``config.json`` of this family's denoiser."""
        return self.config_folder / self.unet["inpainting" if inpainting else "text to image"]
