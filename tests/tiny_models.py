"""Small random models with Stable Diffusion's architecture, as people share models.

>>> write_folder(folder)                # a diffusers folder, a few megabytes
>>> write_single_file(folder, file)     # the same weights in one file, in LDM layout
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    "nano": Tiny({"text_encoder": 192}, latent=8, scale=16),
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
    prediction: str = "epsilon",
    channels: tuple[int, int] = (8, 16),
) -> Path:
    """Write a diffusers folder with all networks, tokenizer and scheduler. Takes about 0.3 s.

    Args:
        folder: Where to.
        family: Decides the text encoders, what the denoiser is told, and the VAE.
        inpainting: Whether the denoiser also reads the mask and the masked picture.
        prediction: ``epsilon`` or ``v_prediction``.
        channels: Of the denoiser's two blocks; more make it slower.
    """
    tiny = TINY[family]
    reads = 2 * tiny.latent + 1 if inpainting else tiny.latent
    parts = {
        "unet": unet(reads, tiny.latent, tiny.width, channels=channels, numbers=tiny.numbers),
        "vae": vae(family),
        "scheduler": scheduler(family, prediction),
    }
    for seed, (name, width) in enumerate(tiny.texts.items(), start=1):
        second = name == "text_encoder_2"
        parts[name] = text_encoder(width, seed, projecting=second)
        # OpenCLIP fills up with token 0
        parts[name.replace("text_encoder", "tokenizer")] = tokenizer(*["!"][: int(second)])
    for name, part in parts.items():
        part.save_pretrained(folder / name)
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


def scheduler(family: str, prediction: str) -> Any:
    if TINY[family].numbers:
        return EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1,
            timestep_spacing="leading", prediction_type=prediction,
        )  # fmt: skip
    return DDIMScheduler(**SCHEDULER, prediction_type=prediction)


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


def write_lora(folder: Path, file: Path, seed: int = 4) -> Path:
    """Write a random LoRA, as peft does, for the networks of a diffusers folder."""
    torch.manual_seed(seed)
    tensors = {}
    for part, network in networks(folder).items():
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
    there = networks(folder)
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


OPEN_CLIP = {
    ("sd21", "text_encoder"): "cond_stage_model.model.",
    ("sdxl", "text_encoder_2"): "conditioner.embedders.1.model.",
    ("sdxl_refiner", "text_encoder_2"): "conditioner.embedders.0.model.",
}
"""Under which name text encoders are that open_clip made."""


def open_clip(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors of a CLIP text encoder as open_clip has them: q, k and v are one."""
    made: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        words = name.removeprefix("text_model.").split(".")
        match words:
            case ["embeddings", "token_embedding", _]:
                made["token_embedding.weight"] = tensor
            case ["embeddings", "position_embedding", _]:
                made["positional_embedding"] = tensor
            case ["final_layer_norm", kind]:
                made[f"ln_final.{kind}"] = tensor
            case ["text_projection", _]:
                made["text_projection"] = tensor.T
            case ["encoder", "layers", number, "self_attn", "q_proj", kind]:
                names = [name.replace("q_proj", f"{letter}_proj") for letter in "qkv"]
                key = f"transformer.resblocks.{number}.attn.in_proj_{kind}"
                made[key] = torch.cat([state[each] for each in names])
            case ["encoder", "layers", _, "self_attn", "k_proj" | "v_proj", _]:
                pass
            case ["encoder", "layers", number, *inner, kind]:
                plain = _OPEN_CLIP_NAMES[".".join(inner)]
                made[f"transformer.resblocks.{number}.{plain}.{kind}"] = tensor
    return {prefix + name: tensor for name, tensor in made.items()}


_OPEN_CLIP_NAMES = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def ldm_names(part: str, network: Any, family: str = "sd15") -> dict[str, str]:
    """Each parameter's name in a file of the LDM layout."""
    text = _xl_text_name if family == "sdxl" else _text_name
    rename = {"vae": _vae_name, "unet": _unet_name, "text_encoder": text}[part]
    return {name: rename(name, network) for name in network.state_dict()}


def ldm_shape(ldm_name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape there: the VAE's attention is made of 1 × 1 convolutions."""
    convolution = ".mid.attn_1." in ldm_name and len(shape) == 2
    return (*shape, 1, 1) if convolution else shape


def _text_name(name: str, _: Any) -> str:
    return f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"


def _xl_text_name(name: str, _: Any) -> str:
    inner = name.removeprefix("text_model.")
    return f"conditioner.embedders.0.transformer.text_model.{inner}"


def controlnet_name(name: str, layers: int = 2) -> str:
    """The name in LDM layout of a parameter of a ControlNet with `layers` layers a block."""
    words = name.split(".")
    match words:
        case ["controlnet_cond_embedding", "conv_in", kind]:
            inner = f"input_hint_block.0.{kind}"
        case ["controlnet_cond_embedding", "conv_out", kind]:
            inner = f"input_hint_block.14.{kind}"
        case ["controlnet_cond_embedding", "blocks", number, kind]:
            inner = f"input_hint_block.{2 * int(number) + 2}.{kind}"
        case ["controlnet_down_blocks", number, kind]:
            inner = f"zero_convs.{number}.0.{kind}"
        case ["controlnet_mid_block", kind]:
            inner = f"middle_block_out.0.{kind}"
        case _:
            inner = _unet_place(words, {"layers_per_block": layers})
    return f"control_model.{inner}"


_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}


def _unet_name(name: str, network: UNet2DConditionModel) -> str:
    return f"model.diffusion_model.{_unet_place(name.split('.'), network.config)}"


def _unet_place(words: list[str], config: Any) -> str:
    """LDM counts layers through all blocks; a layer is a resnet, attention and resampling."""
    layers = config["layers_per_block"]
    match words:
        case ["time_embedding", linear, kind]:
            return f"time_embed.{0 if linear == 'linear_1' else 2}.{kind}"
        case ["add_embedding", linear, kind]:
            return f"label_emb.0.{0 if linear == 'linear_1' else 2}.{kind}"
        case ["conv_in", kind]:
            return f"input_blocks.0.0.{kind}"
        case ["conv_norm_out", kind]:
            return f"out.0.{kind}"
        case ["conv_out", kind]:
            return f"out.2.{kind}"
        case ["mid_block", "attentions", _, *rest]:
            return f"middle_block.1.{'.'.join(rest)}"
        case ["mid_block", "resnets", number, *rest]:
            return f"middle_block.{2 * int(number)}.{_resnet(rest)}"
        case ["down_blocks", block, "downsamplers", _, "conv", kind]:
            return f"input_blocks.{(int(block) + 1) * (layers + 1)}.0.op.{kind}"
        case ["down_blocks", block, "attentions", layer, *rest]:
            return f"input_blocks.{1 + int(block) * (layers + 1) + int(layer)}.1.{'.'.join(rest)}"
        case ["down_blocks", block, "resnets", layer, *rest]:
            return f"input_blocks.{1 + int(block) * (layers + 1) + int(layer)}.0.{_resnet(rest)}"
        case ["up_blocks", block, "upsamplers", _, "conv", kind]:
            attention = "CrossAttn" in config["up_block_types"][int(block)]
            last = int(block) * (layers + 1) + layers
            return f"output_blocks.{last}.{2 if attention else 1}.conv.{kind}"
        case ["up_blocks", block, "attentions", layer, *rest]:
            return f"output_blocks.{int(block) * (layers + 1) + int(layer)}.1.{'.'.join(rest)}"
        case ["up_blocks", block, "resnets", layer, *rest]:
            return f"output_blocks.{int(block) * (layers + 1) + int(layer)}.0.{_resnet(rest)}"
    raise AssertionError(words)


def _resnet(words: list[str]) -> str:
    return ".".join([_RESNET[words[0]], *words[1:]])


def _vae_name(name: str, network: AutoencoderKL) -> str:
    last = len(network.config["block_out_channels"]) - 1
    words = name.split(".")
    match words:
        case [side, "mid_block", "resnets", number, *rest]:
            words = [side, "mid", f"block_{int(number) + 1}", *rest]
        case [side, "mid_block", "attentions", _, *rest]:
            words = [side, "mid", "attn_1", *_vae_attention(rest)]
        case [side, "down_blocks", block, "resnets", layer, *rest]:
            words = [side, "down", block, "block", layer, *rest]
        case [side, "down_blocks", block, "downsamplers", _, *rest]:
            words = [side, "down", block, "downsample", *rest]
        case [side, "up_blocks", block, "resnets", layer, *rest]:
            words = [side, "up", str(last - int(block)), "block", layer, *rest]
        case [side, "up_blocks", block, "upsamplers", _, *rest]:
            words = [side, "up", str(last - int(block)), "upsample", *rest]
    plain = {"conv_norm_out": "norm_out", "conv_shortcut": "nin_shortcut"}
    return "first_stage_model." + ".".join(plain.get(word, word) for word in words)


def _vae_attention(words: list[str]) -> list[str]:
    names = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out"}
    return [names[words[0]], words[-1]]
