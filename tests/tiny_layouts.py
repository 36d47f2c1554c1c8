"""Names of small models' tensors in files of the LDM layout, as their authors wrote them."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

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
        case ["time_embedding", "cond_proj", kind]:
            return f"time_embed.cond_proj.{kind}"
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
