"""Small random models with Stable Diffusion's architecture, as people share models.

>>> write_folder(folder)                # a diffusers folder, a few megabytes
>>> write_single_file(folder, file)     # the same weights in one file, in LDM layout
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WIDTHS = {"sd15": 768, "nano": 192}
LATENT_CHANNELS = {"sd15": 4, "nano": 8}
SCALES = {"sd15": 8, "nano": 16}
SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}


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
        family: Decides the text encoder's width, and the VAE.
        inpainting: Whether the denoiser also reads the mask and the masked picture.
        prediction: ``epsilon`` or ``v_prediction``.
        channels: Of the denoiser's two blocks; more make it slower.
    """
    latent = LATENT_CHANNELS[family]
    reads = 2 * latent + 1 if inpainting else latent
    parts = {
        "tokenizer": tokenizer(),
        "text_encoder": text_encoder(WIDTHS[family]),
        "unet": unet(reads, latent, WIDTHS[family], channels=channels),
        "vae": vae(family),
        "scheduler": DDIMScheduler(**SCHEDULER, prediction_type=prediction),
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    index: dict[str, Any] = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": diffusers.__version__,
    }
    for name, part in parts.items():
        library = "diffusers" if name in ("unet", "vae", "scheduler") else "transformers"
        index[name] = [library, type(part).__name__]
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def tokenizer() -> CLIPTokenizer:
    """A CLIP tokenizer that knows single bytes only; 514 entries, the highest ends a text."""
    letters = _byte_letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def _byte_letters() -> list[str]:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    shown = {byte: chr(byte) for byte in printable}
    shown |= {byte: chr(256 + place) for place, byte in enumerate(others)}
    return [shown[byte] for byte in range(256)]


def text_encoder(width: int, seed: int = 1) -> CLIPTextModel:
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
    return CLIPTextModel(config).eval()


def unet(
    in_channels: int,
    out_channels: int,
    width: int,
    seed: int = 2,
    channels: tuple[int, int] = (8, 16),
) -> UNet2DConditionModel:
    torch.manual_seed(seed)
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
    ).eval()


def vae(family: str = "sd15", seed: int = 3) -> AutoencoderKL:
    """As many blocks as make a cell the family's number of pixels."""
    torch.manual_seed(seed)
    blocks = SCALES[family].bit_length()
    return AutoencoderKL(
        block_out_channels=(4, 4, 8, 8, 8)[:blocks],
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS[family],
        norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        scaling_factor=0.18215,
    ).eval()


def write_lora(folder: Path, file: Path, seed: int = 4) -> Path:
    """Write a random LoRA, as peft does, for the networks of a diffusers folder."""
    torch.manual_seed(seed)
    networks = {
        "unet": UNet2DConditionModel.from_pretrained(folder / "unet"),
        "text_encoder": CLIPTextModel.from_pretrained(folder / "text_encoder"),
    }
    tensors = {}
    for part, end in (("unet", "attn2.to_k"), ("text_encoder", "q_proj")):
        for name, layer in networks[part].named_modules():
            if name.endswith(end):
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
    folder: Path, file: Path, dtype: torch.dtype = torch.float32, *, vae_only: bool = False
) -> Path:
    """Write the weights of a diffusers folder as one checkpoint in LDM layout."""
    networks = {
        "vae": AutoencoderKL.from_pretrained(folder / "vae"),
        "unet": UNet2DConditionModel.from_pretrained(folder / "unet"),
        "text_encoder": CLIPTextModel.from_pretrained(folder / "text_encoder"),
    }
    tensors = {}
    for part in ["vae"] if vae_only else list(networks):
        state = networks[part].state_dict()
        for name, ldm in ldm_names(part, networks[part]).items():
            shape = ldm_shape(ldm, tuple(state[name].shape))
            tensors[ldm] = state[name].reshape(shape).to(dtype).contiguous()
    save_file(tensors, file)
    return file


def ldm_names(part: str, network: Any) -> dict[str, str]:
    """Each parameter's name in a file of the LDM layout."""
    rename = {"vae": _vae_name, "unet": _unet_name, "text_encoder": _text_name}[part]
    return {name: rename(name, network) for name in network.state_dict()}


def ldm_shape(ldm_name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape there: the VAE's attention is made of 1 × 1 convolutions."""
    convolution = ".mid.attn_1." in ldm_name and len(shape) == 2
    return (*shape, 1, 1) if convolution else shape


def _text_name(name: str, _: Any) -> str:
    return f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"


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
