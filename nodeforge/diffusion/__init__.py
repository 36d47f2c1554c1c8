"""Diffusion models as a library on torch and diffusers. It knows no graph and no network.

>>> model, text_encoder, vae = describe(Path("resources/models/nano"))
>>> host = LocalHost(Residency(choose()))
>>> with host.use(text_encoder) as encoder:
...     fox = behaviour(encoder.family).encode(encoder, "a red fox")
>>> task = Denoising(
...     model, fox, Sampler("dpmpp_2m"), Schedule("karras", 20), Guidance(5.0),
...     noise=Noise(seed=1, width=256, height=256),
... )
>>> latent = denoise(host, task)
>>> with host.use(vae) as loaded:
...     image = decode(loaded, latent)
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before huggingface_hub is imported, which reads it once
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")

from nodeforge.diffusion.adapters.controlnet import HintError, add_control
from nodeforge.diffusion.adapters.image_prompts import add_image_prompt
from nodeforge.diffusion.adapters.lora import check_lora, with_lora
from nodeforge.diffusion.adapters.motion import MotionError, with_motion
from nodeforge.diffusion.denoising.inpainting import latent_mask, masked_picture
from nodeforge.diffusion.denoising.local_host import LocalHost
from nodeforge.diffusion.denoising.loop import denoise, estimate
from nodeforge.diffusion.denoising.prompt_schedule import (
    ScheduledPromptError,
    encode_text,
    schedule_prompt,
)
from nodeforge.diffusion.denoising.regions import Detailing, refine_parts
from nodeforge.diffusion.denoising.setup import DenoiseError, Denoising
from nodeforge.diffusion.errors import FamilyMismatchError, LoadingError
from nodeforge.diffusion.families import UnknownFamilyError, behaviour
from nodeforge.diffusion.memory.residency import Residency
from nodeforge.diffusion.networks.loading import (
    LoadedControlNet,
    LoadedModel,
    LoadedTextEncoder,
    LoadedVae,
    load,
)
from nodeforge.diffusion.samplers.pairs import (
    CONVENTION_LABELS,
    CONVENTIONS,
    SAMPLER_LABELS,
    SAMPLERS,
    SCHEDULE_LABELS,
    SCHEDULES,
    Stepper,
    UnsupportedPairError,
    make_stepper,
    table,
)
from nodeforge.diffusion.tensors.conditioning import (
    ConditioningMismatchError,
    average,
    change_at_step,
    combine,
    concatenate,
    exclude_area,
    set_added_conditions,
    set_area,
    set_range,
    zero,
)
from nodeforge.diffusion.tensors.devices import DeviceError, choose
from nodeforge.diffusion.tensors.latents import (
    LatentSizeError,
    Method,
    blend,
    empty,
    repeat,
    upscale,
)
from nodeforge.diffusion.tensors.noise import DrawnNoise, draw_noise, start_noise
from nodeforge.diffusion.text.clip import PromptError, encode_prompt
from nodeforge.diffusion.text.references import (
    ReferencesError,
    ReferenceSize,
    as_reference,
    check_references,
    reference_size,
    with_references,
)
from nodeforge.diffusion.text.songs import Song, check_lyrics
from nodeforge.diffusion.text.textual_inversion import (
    UnknownEmbeddingError,
    with_embedding,
    with_named,
)
from nodeforge.diffusion.vae.autoencoder import (
    OutOfMemoryError,
    decode,
    encode,
    encode_reference,
)
from nodeforge.diffusion.vae.sounds import decode_audio, encode_audio
from nodeforge.diffusion.vae.videos import (
    ClipError,
    decode_video,
    encode_video,
    start_of_video,
)
from nodeforge.diffusion.vision.enlarging import EnlargeError, enlarge
from nodeforge.diffusion.vision.upscaler import LoadedUpscaler, describe_upscaler
from nodeforge.diffusion.weights.describe import (
    FAMILY_LABELS,
    LATENT_SPACES,
    SPACE_OF_FAMILY,
    TEXT_FAMILIES,
    VARIANTS,
    describe,
    describe_denoiser,
    describe_text_encoder,
    describe_vae,
    with_low_noise,
)
from nodeforge.diffusion.weights.describe_adapters import (
    describe_controlnet,
    describe_embedding,
    describe_image_encoder,
    describe_ip_adapter,
    describe_lora,
    describe_motion_module,
    describe_t2i_adapter,
)
from nodeforge.diffusion.weights.model_facts import (
    ModelFacts,
    facts,
    latent_layout,
    native_size,
    shifted,
    vae_layout,
)
from nodeforge.values.block_weights import BlockWeightError, parse_blocks
from nodeforge.values.custom_sigmas import ScheduleError, parse_sigmas
from nodeforge.values.layer_names import LayerNameError, parse_layer_names
from nodeforge.values.old_names import old_names
from nodeforge.values.variations import parse_variations

__all__ = [
    "CONVENTIONS",
    "CONVENTION_LABELS",
    "FAMILY_LABELS",
    "LATENT_SPACES",
    "SAMPLERS",
    "SAMPLER_LABELS",
    "SCHEDULES",
    "SCHEDULE_LABELS",
    "SPACE_OF_FAMILY",
    "TEXT_FAMILIES",
    "VARIANTS",
    "BlockWeightError",
    "ClipError",
    "ConditioningMismatchError",
    "DenoiseError",
    "Denoising",
    "Detailing",
    "DeviceError",
    "DrawnNoise",
    "EnlargeError",
    "FamilyMismatchError",
    "HintError",
    "LatentSizeError",
    "LayerNameError",
    "LoadedControlNet",
    "LoadedModel",
    "LoadedTextEncoder",
    "LoadedUpscaler",
    "LoadedVae",
    "LoadingError",
    "LocalHost",
    "Method",
    "ModelFacts",
    "MotionError",
    "OutOfMemoryError",
    "PromptError",
    "ReferenceSize",
    "ReferencesError",
    "Residency",
    "ScheduleError",
    "ScheduledPromptError",
    "Song",
    "Stepper",
    "UnknownEmbeddingError",
    "UnknownFamilyError",
    "UnsupportedPairError",
    "add_control",
    "add_image_prompt",
    "as_reference",
    "average",
    "behaviour",
    "blend",
    "change_at_step",
    "check_lora",
    "check_lyrics",
    "check_references",
    "choose",
    "combine",
    "concatenate",
    "decode",
    "decode_audio",
    "decode_video",
    "denoise",
    "describe",
    "describe_controlnet",
    "describe_denoiser",
    "describe_embedding",
    "describe_image_encoder",
    "describe_ip_adapter",
    "describe_lora",
    "describe_motion_module",
    "describe_t2i_adapter",
    "describe_text_encoder",
    "describe_upscaler",
    "describe_vae",
    "draw_noise",
    "empty",
    "encode",
    "encode_audio",
    "encode_prompt",
    "encode_reference",
    "encode_text",
    "encode_video",
    "enlarge",
    "estimate",
    "exclude_area",
    "facts",
    "latent_layout",
    "latent_mask",
    "load",
    "make_stepper",
    "masked_picture",
    "native_size",
    "parse_blocks",
    "parse_layer_names",
    "parse_sigmas",
    "parse_variations",
    "reference_size",
    "refine_parts",
    "repeat",
    "schedule_prompt",
    "set_added_conditions",
    "set_area",
    "set_range",
    "shifted",
    "start_noise",
    "start_of_video",
    "table",
    "upscale",
    "vae_layout",
    "with_embedding",
    "with_lora",
    "with_low_noise",
    "with_motion",
    "with_named",
    "with_references",
    "zero",
]

__getattr__ = old_names(
    __name__,
    {
        "Drawn": "DrawnNoise",
        "PlaceError": "LayerNameError",
        "draw": "draw_noise",
        "frame": "set_added_conditions",
        "keep_out": "exclude_area",
        "look_at": "add_image_prompt",
        "parse_places": "parse_layer_names",
        "place": "set_area",
        "restrict": "set_range",
        "steer": "add_control",
    },
    globals(),
)
