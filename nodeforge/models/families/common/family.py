"""`Family`: what NodeForge knows about an architecture, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from nodeforge.models.families.common.dtypes import HALF_FIRST
from nodeforge.models.families.common.signature import Signature
from nodeforge.models.families.common.spaces import SPACES, LatentSpace
from nodeforge.settings import shipped
from nodeforge.values.guidance import KeptNorm, Projection


class GuidanceKind(StrEnum):
    """How a model follows its prompt more strictly than it does by itself."""

    CFG = "classifier-free"
    """Classifier-free guidance, prompt and negative prompt in one call (Ho and Salimans 2022)."""
    CFG_APART = "classifier-free, in two calls"
    """The same, in a call for each."""
    EMBEDDED = "embedded"
    """The model reads the scale (Meng et al. 2023); classifier-free guidance may come beside it."""
    NONE = "none"
    """It was distilled: no scale changes it, and no negative prompt is read."""


class Task(StrEnum):
    """What a denoiser reads beside the noisy latent."""

    TEXT_TO_IMAGE = "text to image"
    """Nothing."""
    INPAINTING = "inpainting"
    """A mask and the masked picture."""
    EDIT = "edit"
    """The picture to edit, as a latent of as many channels (Brooks et al. 2023)."""


class ScheduleShift(StrEnum):
    """How a flow-matching schedule is moved to noisier levels, where its scheduler is dynamic."""

    STATIC = "static"
    LINEAR = "linear in tokens"
    SQUARE_ROOT = "square root of tokens"
    EMPIRICAL = "empirical in tokens and steps"


@dataclass(frozen=True)
class RecommendedSettings:
    """Settings that give a good picture without thought, and the ranges around them.

    Args:
        sampler, schedule: Names, as in `nodeforge.values.sampling_labels`.
        steps, guidance, image_guidance: The values to start from.
        sigmas: The noise levels of the schedule ``custom``, the last one 0.
        steps_range: The fewest and the most whole steps that are of use.
        guidance_range: The lowest and the highest scale that are of use, where it is not off.
    """

    sampler: str
    schedule: str
    steps: int
    guidance: float
    image_guidance: float = 1.0
    sigmas: tuple[float, ...] = ()
    steps_range: tuple[int, int] = (6, 60)
    guidance_range: tuple[float, float] = (1.5, 12.0)


@dataclass(frozen=True)
class Variant:
    """One of a family's kinds of models: distilled, or trained further.

    Args:
        recommended: Settings to start from.
        label: How people name it; empty is its name with a capital.
        words: What file names say of it; empty is its name.
        guidance: How it is guided, where not as its family.
        index: What a diffusers folder's ``model_index.json``, or its denoiser's configuration, says
            of it.
        tensors: Whether a tensor of the denoiser is there, by its authors' name.
        task: What its denoiser reads beside the latent; None where any may be.
        scheduler: What its scheduler's configuration has other than its family's.
        pipeline_scheduler: What its pipeline changes in every scheduler's configuration.
        references: How many reference pictures it takes; None is as its family.
        kv_cache: Whether it has one, as a family may have it.
        distilled: Whether it was distilled to draw in few steps, without guidance or with little.
        native_size, area_range: As the family's, where they are others.
        licence: As the family's, where it is another; empty where nothing is limited.
    """

    recommended: RecommendedSettings
    label: str = ""
    words: tuple[str, ...] = ()
    guidance: GuidanceKind | None = None
    index: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, bool] = field(default_factory=dict)
    task: Task | None = None
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    pipeline_scheduler: Mapping[str, Any] = field(default_factory=dict)
    references: int | None = None
    kv_cache: bool = False
    distilled: bool = False
    native_size: int | None = None
    area_range: tuple[float, float] | None = None
    licence: str | None = None


@dataclass(frozen=True)
class VideoSize:
    """What the videos are like that a model was trained on.

    Args:
        width, height: Pixels.
        frames: How many.
        rate: Frames a second.
    """

    width: int
    height: int
    frames: int
    rate: float


@dataclass(frozen=True)
class Conditioner:
    """A small network that prepares what a denoiser reads.

    Args:
        network: Its class in diffusers.
        names: How its tensors begin in its authors' files, each with how diffusers has it.
        silence: Its buffer of encoded silence, (1, cells, channels), which these files lack; empty
            where it has none.
    """

    network: str
    names: Mapping[str, str]
    silence: str = ""


@dataclass(frozen=True)
class SoundLength:
    """How long the sounds are that a model was trained on.

    Args:
        cells: Of its latents; the most of them, where they are as long as the sound.
        most_seconds: What its duration may be told as; longer than its latents may last.
        usual_seconds: How long it is where nobody says; 0 is as long as its latents.
        fitted: Whether a latent is as long as the sound; otherwise each has all cells, and silence
            after it.
        time_first: Whether noise is drawn time before channels.
        peak: Decibels below full scale to which decoded sounds are brought; None leaves them.
    """

    cells: int
    most_seconds: float
    usual_seconds: float = 0.0
    fitted: bool = False
    time_first: bool = False
    peak: float | None = None


_NO_TEMPLATE = "{}"


@dataclass(frozen=True)
class Family:
    """One architecture: how its files look, and what is true of all its models.

    Args:
        name: How recipes and conditioning name it.
        label: How people name it.
        width: Inputs of its cross-attention, which is the width of its encoded text.
        in_channels: Input channels of its denoiser, and what each number means.
        space: The latent space it works in, a name in `SPACES`.
        prediction_types: What a model of it may predict; the first where a file does not say.
        native_size: Side of the square pictures it was trained on, pixels.
        size_multiple: What width and height must be divisible by, pixels.
        area_range: The smallest and the largest picture that comes out well in one pass, as shares
            of the native one's pixels.
        recommended: Settings to start from.
        config: Where in ``resources`` its configs are.
        denoisers: Folder in `config` with the config of its denoiser, by what that reads.
        denoiser: Folder of its denoiser in a diffusers folder.
        second_denoiser: The same of its expert for low noise; empty where it has none.
        boundary: The noise level below which that draws, as a share of the timesteps.
        network: Class of its denoiser in diffusers.
        text_encoders: Kinds of its text encoders by their folder in a diffusers folder, in the
            order of their parts of an embedding.
        encoder_files: How people's files of a kind among these are called, where other families'
            have other weights.
        optional_encoders: Kinds among these that it draws without, and follows its prompt less.
        most_clip_skip: How many layers before that its models bear.
        text_widths: Of the word vectors by which a text encoder, an embedding or a LoRA over
            one is known as its own; what several families share is the first one's.
        text_layer: Which layer of its text encoders, counted from the last as published, prompts
            are read from: 1 is the last.
        folds_mask: Whether its inpainting models read the mask at the picture's size, a cell's
            pixels as channels, after the masked picture; others read a cell's one before it.
        cells_in_side: Cells of the latent that its denoiser folds into a token, along each side; 1
            for UNets, and where the VAE does it. Where it does not fold them it takes so many
            together.
        text_length: Tokens that a prompt is padded to and cut at; 0 where it is read in chunks.
        numbered_words: The kind of text encoder by whose tokenizer its conditioner is told numbers
            of words; empty where it is told none.
        chunk_first: Whether what CLIP says of a chunk is read before these tokens.
        text_multiple: Tokens to a multiple of which a prompt is padded instead; 0 where it is not.
        unread_tokens: Tokens of its template before the prompt that its denoiser does not read,
            and that do not count in `text_length`.
        lyrics_length: The most tokens of lyrics that are read beside it; 0 where none are.
        marks: Parts of tensor names, with a line break before the first letter where they begin
            one, that only its files have.
        pipelines: Classes of diffusers whose folders hold models of it.
        bases: How metadata begins to name it: ModelSpec's architecture, Kohya's base version.
        variants: By name.
        variant: The one that a model is of which nothing tells its variant.
        guidance: How its models are guided.
        projection: How guidance is projected where it acts; None where it is plain.
        guidance_norm: What of guidance is brought back to the prompt's own length where it acts;
            None where nothing is.
        guides_from_positive: Whether its pipeline counts guidance from the positive prompt's
            prediction, which decides the last bit.
        shift: How its schedule is moved, where its scheduler is dynamic.
        pipeline_shift: How far its pipeline moves the schedule, beside its scheduler; None where it
            leaves that to the scheduler.
        comfyui_shift: How far ComfyUI moves the schedule, whatever the picture's size; None where
            it is as the scheduler says.
        comfyui_clip: Types of ComfyUI's CLIP loaders that load its text encoders.
        rounds_strength_up: Whether a strength between two counts of steps runs the larger one, as
            diffusers' pipelines of flow-matching families do.
        dtypes: What its denoiser may compute in, the best first.
        in_full: Modules of its denoiser whose weights stay in float32, by the last of their names.
        added_conditions_width: How many numbers its denoiser reads beside the prompt, as sizes; 0
            where none.
        adapter_factor: Pixels that a T2I-Adapter for it folds into a cell, along each side.
        references: How many reference pictures its models take, to edit by.
        reference_name: What its prompts call a reference picture, by its number.
        first_reference: The number that they give the first one.
        reference_side: Side of the square that has as many pixels as each reference is seen with,
            pixels; 0 where they keep their own size up to the native one's.
        normalises_references: Whether they see them as latents are normalised; InstructPix2Pix
            sees what the VAE's encoder says.
        kv_cache: Whether what its denoiser makes of prompts and references is the same in every
            step, so that their keys and values are computed once.
        companions: Whether its models come as separate files of denoiser, text encoders and VAE.
        licence: Of its models, where it limits what they may be used for; empty where none does.
        tuned_schedule: The schedule that was tuned for it; empty where none was.
        starts_at: Share of the steps after which its models draw; above 0 for refiners.
        plain_inpainting: The strength up to which its ordinary models fill a mask well.
        spots_at_even_steps: Whether multistep samplers of high order leave spots in the last of
            evenly spaced steps.
        video: What its videos are like, where it draws videos; None where it draws none.
        sees_clean_frames: Whether it sees given frames of a video without noise, at a timestep of
            their own.
        blocks: Classes of the repeated blocks of its denoiser, where diffusers does not name them.
        sound: How long its sounds are, where it makes sounds; None where it makes none.
        layers: Into how many layers its models take a picture apart where nobody says; 0 where they
            draw pictures. Its latents hold the whole picture again, and then each layer.
        conditioners: Those that are loaded with its denoiser, by their folders in a diffusers
            folder.
        latents_read: How many latents of as many channels its denoiser reads at least.
        folds_cells: Whether the cells of a token are channels of its input, as its configuration
            counts them; otherwise the network folds them itself.
        attention_packages: Kernels of packages, by their names in the settings, that its denoiser
            may compute attention by: those that take no mask, and numbers of 8 bits.
        signature: How single files of its denoiser look; None for UNets, which widths tell apart.
    """

    name: str
    label: str
    width: int
    in_channels: Mapping[int, Task]
    space: str
    prediction_types: tuple[str, ...]
    native_size: int
    size_multiple: int
    recommended: RecommendedSettings
    config: str
    denoisers: Mapping[Task, str]
    text_encoders: Mapping[str, str]
    encoder_files: Mapping[str, str] = field(default_factory=dict)
    optional_encoders: tuple[str, ...] = ()
    denoiser: str = "unet"
    network: str = "UNet2DConditionModel"
    text_widths: tuple[int, ...] = ()
    text_layer: int = 1
    most_clip_skip: int = 0
    folds_mask: bool = False
    cells_in_side: int = 1
    text_length: int = 0
    numbered_words: str = ""
    chunk_first: bool = False
    text_multiple: int = 0
    unread_tokens: int = 0
    lyrics_length: int = 0
    marks: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    variants: Mapping[str, Variant] = field(default_factory=dict)
    variant: str = ""
    guidance: GuidanceKind = GuidanceKind.CFG
    projection: Projection | None = None
    guidance_norm: KeptNorm | None = None
    guides_from_positive: bool = False
    shift: ScheduleShift = ScheduleShift.STATIC
    pipeline_shift: float | None = None
    comfyui_shift: float | None = None
    comfyui_clip: tuple[str, ...] = ()
    rounds_strength_up: bool = False
    dtypes: tuple[str, ...] = HALF_FIRST
    in_full: tuple[str, ...] = ()
    added_conditions_width: int = 0
    adapter_factor: int | None = None
    references: int = 0
    reference_name: str = "image {}"
    first_reference: int = 1
    reference_side: int = 0
    normalises_references: bool = True
    kv_cache: bool = False
    companions: bool = False
    signature: Signature | None = None
    video: VideoSize | None = None
    blocks: tuple[str, ...] = ()
    sound: SoundLength | None = None
    layers: int = 0
    conditioners: Mapping[str, Conditioner] = field(default_factory=dict)
    second_denoiser: str = ""
    boundary: float = 0.0
    sees_clean_frames: bool = False
    latents_read: int = 1
    folds_cells: bool = True
    area_range: tuple[float, float] = (0.4, 1.7)
    licence: str = ""
    tuned_schedule: str = ""
    starts_at: float = 0.0
    plain_inpainting: float = 1.0
    spots_at_even_steps: bool = False
    attention_packages: tuple[str, ...] = ()

    @cached_property
    def prompt_template(self) -> str:
        """What a prompt is put into before it is encoded, at ``{}``; kept word for word.

        ``{}`` alone where prompts are encoded as they are, with the weights of their brackets.
        """
        file = self.config_folder / "prompt_template.txt"
        return file.read_text("utf-8") if file.is_file() else _NO_TEMPLATE

    @cached_property
    def instruction_template(self) -> str:
        """The same for an instruction whose pictures the encoder sees; empty where it is blind.

        What is put in begins with the places of the pictures.
        """
        file = self.config_folder / "instruction_template.txt"
        return file.read_text("utf-8") if file.is_file() else ""

    @cached_property
    def knows_sigmas(self) -> bool:
        """Whether its noise levels are sigmas: its scheduler's ``sigma_data`` says so."""
        scheduler = self.config_folder / "scheduler" / "scheduler_config.json"
        return scheduler.is_file() and "sigma_data" in json.loads(scheduler.read_text("utf-8"))

    @property
    def reads_weights(self) -> bool:
        """Whether brackets in a prompt weigh words; language models read them as they stand."""
        return self.prompt_template == _NO_TEMPLATE

    @property
    def usual_text_length(self) -> int:
        """Tokens of a prompt as most are, padding included; 0 where it is read in chunks."""
        return self.text_multiple or self.text_length

    @property
    def is_unet(self) -> bool:
        """Whether its denoiser has levels with skips between them, and is no transformer."""
        return self.denoiser == "unet"

    @property
    def cells_in_token(self) -> int:
        return self.cells_in_side**2

    @property
    def latent_space(self) -> LatentSpace:
        return SPACES[self.space]

    @property
    def config_folder(self) -> Path:
        """A diffusers folder without weights: all that loading a single file needs."""
        return shipped("resources") / self.config

    def denoiser_config(self, task: Task = Task.TEXT_TO_IMAGE) -> Path:
        """The folder with the ``config.json`` of this family's denoiser."""
        return self.config_folder / self.denoisers[task]

    def recommended_for(self, variant: str) -> RecommendedSettings:
        """The settings to start from with a model of `variant`."""
        return self.variants[variant].recommended if variant in self.variants else self.recommended

    @property
    def native_sides(self) -> tuple[int, int]:
        """Width and height of what it draws where nobody says a size, pixels."""
        if self.video is not None:
            return self.video.width, self.video.height
        return self.native_size, self.native_size

    @cached_property
    def usual_shift(self) -> float | None:
        """How far its own scheduler moves a flow; None where it does not, or goes by the size."""
        file = self.config_folder / "scheduler" / "scheduler_config.json"
        told = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        if told.get("use_dynamic_shifting"):
            return None
        return told.get("flow_shift") or told.get("shift")

    def kv_cached(self, variant: str) -> bool:
        """Whether a model of `variant` keeps keys and values, as `kv_cache` has it."""
        return self.kv_cache or (variant in self.variants and self.variants[variant].kv_cache)

    def native_size_of(self, variant: str) -> int:
        """Side of the square pictures that a model of `variant` was trained on, pixels."""
        told = self.variants[variant].native_size if variant in self.variants else None
        return told or self.native_size

    def area_range_of(self, variant: str) -> tuple[float, float]:
        """The pictures that come out well with a model of `variant`, shares of the native one."""
        told = self.variants[variant].area_range if variant in self.variants else None
        return told or self.area_range

    def licence_of(self, variant: str) -> str:
        """What limits the use of a model of `variant`; empty for nothing that is known."""
        told = self.variants[variant].licence if variant in self.variants else None
        return self.licence if told is None else told

    def reference_called(self, number: int) -> str:
        """What prompts call reference picture `number`, counted from 1."""
        return self.reference_name.format(number - 1 + self.first_reference)

    def references_of(self, variant: str) -> int:
        """How many reference pictures a model of `variant`, empty for a plain one, takes."""
        told = self.variants[variant].references if variant in self.variants else None
        return self.references if told is None else told

    @property
    def most_references(self) -> int:
        """How many reference pictures the model of it takes that takes the most."""
        return max([self.references, *map(self.references_of, self.variants)])

    @cached_property
    def reference_sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of the pictures that it was taught to edit; empty is any."""
        file = self.config_folder / "reference_sizes.json"
        sizes = json.loads(file.read_text("utf-8"))["sizes"] if file.is_file() else []
        return tuple((width, height) for width, height in sizes)

    def guidance_of(self, variant: str) -> GuidanceKind:
        """How a model of `variant` is guided."""
        kind = self.variants[variant].guidance if variant in self.variants else None
        return kind or self.guidance
