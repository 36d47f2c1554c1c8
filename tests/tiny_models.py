"""Small random models with Stable Diffusion's architecture, as people share models.

>>> write_folder(folder)                # a diffusers folder, a few megabytes
>>> write_single_file(folder, file)     # the same weights in one file, in LDM layout
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    EulerDiscreteScheduler,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from tests.tiny_layouts import OPEN_CLIP, controlnet_name, ldm_names, ldm_shape, open_clip

__all__ = ["controlnet_name", "ldm_names", "ldm_shape"]

SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}


@dataclass(frozen=True)
class Tiny:
    """What is real of a family's tiny models: widths, latents, which networks there are.

    Args:
        texts: Width of each text encoder, by the name of its folder.
        numbers: How many sizes and scores the denoiser is told.
    """

    texts: dict[str, int]
    latent: int = 4
    scale: int = 8
    scaling: float = 0.18215
    pipeline: str = "StableDiffusionPipeline"
    numbers: int = 0
    index: dict[str, Any] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return sum(self.texts.values())


TINY = {
    "sd15": Tiny({"text_encoder": 768}),
    "sd21": Tiny({"text_encoder": 1024}),
    "nano": Tiny({"text_encoder": 192}, latent=16, scale=16),
    "sdxl": Tiny(
        {"text_encoder": 768, "text_encoder_2": 1280},
        scaling=0.13025,
        pipeline="StableDiffusionXLPipeline",
        numbers=6,
        index={"force_zeros_for_empty_prompt": True},
    ),
    "sdxl_refiner": Tiny(
        {"text_encoder_2": 1280},
        scaling=0.13025,
        pipeline="StableDiffusionXLImg2ImgPipeline",
        numbers=5,
        index={"requires_aesthetics_score": True, "force_zeros_for_empty_prompt": False},
    ),
}
LATENT_CHANNELS = {family: tiny.latent for family, tiny in TINY.items()}


def write_folder(
    folder: Path,
    *,
    family: str = "sd15",
    inpainting: bool = False,
    edits: bool = False,
    prediction: str = "epsilon",
    zero_snr: bool = False,
    channels: tuple[int, int] = (8, 16),
) -> Path:
    """Write a diffusers folder with all networks, tokenizer and scheduler. Takes about 0.3 s.

    Args:
        folder: Where to.
        family: Decides the text encoders, what the denoiser is told, and the VAE.
        inpainting: Whether the denoiser also reads the mask and the masked picture.
        edits: Whether it also reads the picture to edit, as InstructPix2Pix.
        prediction: ``epsilon`` or ``v_prediction``.
        zero_snr: Whether its scheduler goes up to nothing but noise.
        channels: Of the denoiser's two blocks; more make it slower.
    """
    tiny = TINY[family]
    reads = tiny.latent * (1 + (inpainting or edits)) + inpainting
    parts = {
        "unet": unet(reads, tiny.latent, tiny.width, channels=channels, numbers=tiny.numbers),
        "vae": vae(family),
        "scheduler": scheduler(family, prediction, zero_snr),
    }
    for seed, (name, width) in enumerate(tiny.texts.items(), start=1):
        second = name == "text_encoder_2"
        parts[name] = text_encoder(width, seed, projecting=second)
        # OpenCLIP fills up with token 0
        parts[name.replace("text_encoder", "tokenizer")] = tokenizer(*["!"][: int(second)])
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    if not (tiny.numbers or zero_snr):
        leave_spacing_open(folder / "scheduler" / "scheduler_config.json")
    index: dict[str, Any] = {
        "_class_name": tiny.pipeline,
        "_diffusers_version": diffusers.__version__,
        **tiny.index,
    }
    for name, part in parts.items():
        library = "diffusers" if name in ("unet", "vae", "scheduler") else "transformers"
        index[name] = [library, type(part).__name__]
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def scheduler(family: str, prediction: str, zero_snr: bool = False) -> Any:
    more: dict[str, Any] = {
        "prediction_type": prediction,
        "rescale_betas_zero_snr": zero_snr,
        "timestep_spacing": "trailing" if zero_snr else "leading",
    }
    if TINY[family].numbers:
        return EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1,
            **more,
        )  # fmt: skip
    return DDIMScheduler(**SCHEDULER, **more)


def leave_spacing_open(file: Path) -> None:
    """As the models people share do before SDXL: each scheduler then has a spacing of its own."""
    config = json.loads(file.read_text())
    del config["timestep_spacing"]
    file.write_text(json.dumps(config))


def tokenizer(pad: str = "<|endoftext|>") -> CLIPTokenizer:
    """A CLIP tokenizer that knows single bytes only; 514 entries, the highest ends a text."""
    letters = _byte_letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77, pad_token=pad)


def _byte_letters() -> list[str]:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    shown = {byte: chr(byte) for byte in printable}
    shown |= {byte: chr(256 + place) for place, byte in enumerate(others)}
    return [shown[byte] for byte in range(256)]


def text_encoder(width: int, seed: int = 1, projecting: bool = False) -> Any:
    torch.manual_seed(seed)
    config = CLIPTextConfig(
        vocab_size=514,
        hidden_size=width,
        intermediate_size=64,
        num_attention_heads=4,
        num_hidden_layers=3,
        max_position_embeddings=77,
        projection_dim=width,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
    )
    return (CLIPTextModelWithProjection if projecting else CLIPTextModel)(config).eval()


def unet(
    in_channels: int,
    out_channels: int,
    width: int,
    seed: int = 2,
    channels: tuple[int, int] = (8, 16),
    numbers: int = 0,
) -> UNet2DConditionModel:
    torch.manual_seed(seed)
    told: dict[str, Any] = {}
    if numbers:  # of SDXL: each as 8, beside the 1280 of the text as a whole
        told = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 1280 + 8 * numbers,
            "transformer_layers_per_block": (1, 2),
            "use_linear_projection": True,
        }
    return UNet2DConditionModel(
        sample_size=64,
        in_channels=in_channels,
        out_channels=out_channels,
        block_out_channels=channels,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=2,
        cross_attention_dim=width,
        attention_head_dim=2,
        **told,
    ).eval()


def vae(family: str = "sd15", seed: int = 3) -> AutoencoderKL:
    """As many blocks as make a cell the family's number of pixels."""
    torch.manual_seed(seed)
    blocks = TINY[family].scale.bit_length()
    return AutoencoderKL(
        block_out_channels=(4, 4, 8, 8, 8)[:blocks],
        layers_per_block=1,
        latent_channels=TINY[family].latent,
        norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        scaling_factor=TINY[family].scaling,
    ).eval()


def networks(folder: Path) -> dict[str, Any]:
    """The networks of a diffusers folder, as diffusers loads them."""
    kinds = {
        "vae": AutoencoderKL,
        "unet": UNet2DConditionModel,
        "text_encoder": CLIPTextModel,
        "text_encoder_2": CLIPTextModelWithProjection,
    }
    there = {part: kind for part, kind in kinds.items() if (folder / part).is_dir()}
    return {part: kind.from_pretrained(folder / part) for part, kind in there.items()}


def _read(folder: Path) -> dict[str, Any]:
    """The networks of a folder to read from; loaded once, while no file of it changes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return _loaded(folder, tuple(path.stat().st_mtime_ns for path in files))


@lru_cache(maxsize=4)
def _loaded(folder: Path, changed: tuple[int, ...]) -> dict[str, Any]:
    return networks(folder)


def write_lora(folder: Path, file: Path, seed: int = 4) -> Path:
    """Write a random LoRA, as peft does, for the networks of a diffusers folder."""
    torch.manual_seed(seed)
    tensors = {}
    for part, network in _read(folder).items():
        end = "attn2.to_k" if part == "unet" else "q_proj"
        for name, layer in network.named_modules():
            if part != "vae" and name.endswith(end):
                out, into = layer.weight.shape
                tensors[f"{part}.{name}.lora_A.weight"] = torch.randn(2, into) * 0.3
                tensors[f"{part}.{name}.lora_B.weight"] = torch.randn(out, 2) * 0.3
    save_file(tensors, file)
    return file


def write_controlnet(folder: Path, target: Path, seed: int = 6) -> Path:
    """Write a random ControlNet, as diffusers does, for the denoiser of a diffusers folder."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    scale = 2 ** (len(AutoencoderKL.load_config(folder / "vae")["block_out_channels"]) - 1)
    made = ControlNetModel.from_unet(
        unet, conditioning_embedding_out_channels=(4,) * scale.bit_length()
    )
    for name, weight in made.named_parameters():
        if "controlnet_" in name:  # zero at first, so that an untrained one changes nothing
            torch.nn.init.normal_(weight, std=0.2)
    made.save_pretrained(target)
    return target


def write_single_file(
    folder: Path,
    file: Path,
    dtype: torch.dtype = torch.float32,
    *,
    parts: Sequence[str] = (),
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write the weights of a diffusers folder as one checkpoint in LDM layout.

    Args:
        folder: What `write_folder` wrote.
        file: Where to.
        dtype: Of the file's tensors.
        parts: The networks to write; all where it is empty.
        metadata: Of the file's header.
    """
    there = _read(folder)
    family = next(
        f
        for f, t in TINY.items()
        if list(t.texts) == [p for p in there if "text" in p]
        and t.width == there["unet"].config.cross_attention_dim
    )
    tensors: dict[str, torch.Tensor] = {}
    for part in parts or there:
        if opened := OPEN_CLIP.get((family, part)):
            tensors |= open_clip(there[part].state_dict(), opened)
            continue
        state = there[part].state_dict()
        for name, ldm in ldm_names(part, there[part], family).items():
            tensors[ldm] = state[name].reshape(ldm_shape(ldm, tuple(state[name].shape)))
    made = {name: tensor.to(dtype).contiguous() for name, tensor in tensors.items()}
    save_file(made, file, metadata)
    return file
