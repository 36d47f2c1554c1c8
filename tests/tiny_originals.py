"""Tensors of transformer models in the names of their authors, from diffusers' names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from nodeforge import diffusion
from tests.support.loaded_networks import loaded_networks
from tests.tiny_layouts import ldm_names

State = dict[str, Tensor]

_FLUX_DOUBLE = {
    "norm1.linear": "img_mod.lin",
    "norm1_context.linear": "txt_mod.lin",
    "attn.norm_q.weight": "img_attn.norm.query_norm.scale",
    "attn.norm_k.weight": "img_attn.norm.key_norm.scale",
    "attn.norm_added_q.weight": "txt_attn.norm.query_norm.scale",
    "attn.norm_added_k.weight": "txt_attn.norm.key_norm.scale",
    "attn.to_out.0": "img_attn.proj",
    "attn.to_add_out": "txt_attn.proj",
    "ff.net.0.proj": "img_mlp.0",
    "ff.net.2": "img_mlp.2",
    "ff_context.net.0.proj": "txt_mlp.0",
    "ff_context.net.2": "txt_mlp.2",
    "ff.linear_in": "img_mlp.0",
    "ff.linear_out": "img_mlp.2",
    "ff_context.linear_in": "txt_mlp.0",
    "ff_context.linear_out": "txt_mlp.2",
}
_FLUX_SINGLE = {
    "norm.linear": "modulation.lin",
    "attn.norm_q.weight": "norm.query_norm.scale",
    "attn.norm_k.weight": "norm.key_norm.scale",
    "proj_out": "linear2",
    "attn.to_out": "linear2",
    "attn.to_qkv_mlp_proj": "linear1",
}
_FLUX_TOP = {
    "x_embedder": "img_in",
    "context_embedder": "txt_in",
    "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
    "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
    "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "time_guidance_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_guidance_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_guidance_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_guidance_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "double_stream_modulation_img.linear": "double_stream_modulation_img.lin",
    "double_stream_modulation_txt.linear": "double_stream_modulation_txt.lin",
    "single_stream_modulation.linear": "single_stream_modulation.lin",
    "proj_out": "final_layer.linear",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
}
_FUSED = {
    "double": {
        "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
        "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    },
    "single": {"linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")},
}


def original(state: Mapping[str, Tensor]) -> State:
    """A denoiser of a family with a signature that draws, as its authors' files have it."""
    if "txt_norm.weight" in state:
        return dict(state)
    if "cap_pad_token" in state:
        return _z_image(state)
    if "txt_in.text_norm.weight" in state:
        return _qwen_21(state)
    if "text_conditioner.embed.weight" in state:
        return _anima(state)
    if "pos_embed.pos_embed" in state:
        return _sd3(state)
    if "x_embedders.image.weight" in state:
        return _flux3(state)
    if "text_fusion.projector.weight" in state:
        return _krea2(state)
    return _wan(state) if "patch_embedding.weight" in state else _flux(state)


def _flux(state: Mapping[str, Tensor]) -> State:
    made: State = {}
    for name, tensor in state.items():
        found = re.match(r"(single_)?transformer_blocks\.(\d+)\.(.*)", name)
        if found is None:
            made |= _top(name, tensor)
            continue
        kind = "single" if found[1] else "double"
        block, inner = f"{kind}_blocks.{found[2]}", found[3]
        table = _FLUX_SINGLE if found[1] else _FLUX_DOUBLE
        layer, _, last = inner.rpartition(".")
        fused = {parts: n for n, parts in _FUSED[kind].items() if layer in parts}
        if fused:
            (parts, theirs), *_ = fused.items()
            if all(f"{name.removesuffix(inner)}{part}.{last}" in state for part in parts):
                pieces = [state[f"{name.removesuffix(inner)}{part}.{last}"] for part in parts]
                made[f"{block}.{theirs}.{last}"] = torch.cat(pieces)
                continue
        made[f"{block}.{table.get(inner) or f'{table[layer]}.{last}'}"] = tensor
    return made


def _top(name: str, tensor: Tensor) -> State:
    layer, _, last = name.rpartition(".")
    if layer.startswith("distilled_guidance_layer.norms."):
        return {f"{layer}.scale": tensor}
    if layer.startswith("distilled_guidance_layer."):
        layer = layer.replace("linear_1", "in_layer").replace("linear_2", "out_layer")
        return {f"{layer}.{last}": tensor}
    if layer == "norm_out.linear":
        first, second = tensor.chunk(2)
        tensor = torch.cat([second, first])
    return {f"{_FLUX_TOP[layer]}.{last}": tensor}


def _z_image(state: Mapping[str, Tensor]) -> State:
    made: State = {}
    for name, tensor in state.items():
        if ".attention.to_q." in name:
            parts = [state[name.replace("to_q", f"to_{each}")] for each in "qkv"]
            made[name.replace("to_q", "qkv")] = torch.cat(parts)
        elif ".attention.to_k." not in name and ".attention.to_v." not in name:
            theirs = name.replace("all_final_layer.2-1", "final_layer")
            theirs = theirs.replace("all_x_embedder.2-1", "x_embedder")
            theirs = theirs.replace("attention.to_out.0", "attention.out")
            made[re.sub(r"attention\.norm_([qk])", r"attention.\1_norm", theirs)] = tensor
    return made


def _qwen_21(state: Mapping[str, Tensor]) -> State:
    """Both first layers of its feed-forward network are one there."""
    made: State = {}
    for name, tensor in state.items():
        if name.endswith(".img_mlp.gate_layer.weight"):
            parts = tensor, state[name.replace("gate_layer", "proj")]
            made[name.replace("gate_layer", "gate_up")] = torch.cat(parts)
        elif not name.endswith(".img_mlp.proj.weight"):
            made[name] = tensor
    return made


_SD3 = (
    (r"^pos_embed\.pos_embed", "pos_embed"),
    (r"^pos_embed\.proj\.", "x_embedder.proj."),
    (r"^time_text_embed\.timestep_embedder\.linear_1\.", "t_embedder.mlp.0."),
    (r"^time_text_embed\.timestep_embedder\.linear_2\.", "t_embedder.mlp.2."),
    (r"^time_text_embed\.text_embedder\.linear_1\.", "y_embedder.mlp.0."),
    (r"^time_text_embed\.text_embedder\.linear_2\.", "y_embedder.mlp.2."),
    (r"^norm_out\.linear\.", "final_layer.adaLN_modulation.1."),
    (r"^proj_out\.", "final_layer.linear."),
    (r"^transformer_blocks\.(\d+)\.(norm1|ff|attn2)\.", r"joint_blocks.\1.x_block.\2."),
    (
        r"^transformer_blocks\.(\d+)\.(norm1|ff)_context\.",
        r"joint_blocks.\1.context_block.\2.",
    ),
    (r"^transformer_blocks\.(\d+)\.attn\.add_q_proj", r"joint_blocks.\1.context_block.attn.qkv"),
    (r"^transformer_blocks\.(\d+)\.attn\.to_add_out", r"joint_blocks.\1.context_block.attn.proj"),
    (
        r"^transformer_blocks\.(\d+)\.attn\.norm_added_([qk])",
        r"joint_blocks.\1.context_block.attn.ln_\2",
    ),
    (r"^transformer_blocks\.(\d+)\.attn\.", r"joint_blocks.\1.x_block.attn."),
    (r"_block\.norm1\.linear\.", "_block.adaLN_modulation.1."),
    (r"_block\.ff\.net\.0\.proj\.", "_block.mlp.fc1."),
    (r"_block\.ff\.net\.2\.", "_block.mlp.fc2."),
    (r"\.norm_([qk])\.", r".ln_\1."),
    (r"\.to_out\.0\.", ".proj."),
    (r"\.to_q\.", ".qkv."),
)


def _sd3(state: Mapping[str, Tensor]) -> State:
    """Its keys and values are rows after its queries, its last scales before their shifts there."""
    blocks = {int(name.split(".")[1]) for name in state if name.startswith("transformer_blocks.")}
    turned = ("norm_out.linear.", f"transformer_blocks.{max(blocks)}.norm1_context.linear.")
    made: State = {}
    for name, tensor in state.items():
        if re.search(r"\.(to|add)_[kv](_proj)?\.", name):
            continue
        if found := re.search(r"\.(?:to|add)_(q)(?:_proj)?\.", name):
            start, end = found.span(1)
            tensor = torch.cat([state[f"{name[:start]}{each}{name[end:]}"] for each in "qkv"])
        if name.startswith(turned):
            tensor = torch.cat(tensor.chunk(2)[::-1])
        for ours, theirs in _SD3:
            name = re.sub(ours, theirs, name)
        made[name] = tensor
    return made


_ANIMA = (
    (r"^transformer_blocks\.", "blocks."),
    (r"\.norm1\.linear_", ".adaln_modulation_self_attn."),
    (r"\.norm2\.linear_", ".adaln_modulation_cross_attn."),
    (r"\.norm3\.linear_", ".adaln_modulation_mlp."),
    (r"\.attn1\.", ".self_attn."),
    (r"\.attn2\.", ".cross_attn."),
    (r"\.to_out\.0\.", ".output_proj."),
    (r"\.to_([qkv])\.", r".\1_proj."),
    (r"\.norm_([qk])\.", r".\1_norm."),
    (r"\.ff\.net\.0\.proj\.", ".mlp.layer1."),
    (r"\.ff\.net\.2\.", ".mlp.layer2."),
    (r"^patch_embed\.proj\.", "x_embedder.proj.1."),
    (r"^time_embed\.t_embedder\.", "t_embedder.1."),
    (r"^time_embed\.norm\.", "t_embedding_norm."),
    (r"^norm_out\.linear_", "final_layer.adaln_modulation."),
    (r"^proj_out\.", "final_layer.linear."),
)


def _anima(state: Mapping[str, Tensor]) -> State:
    """With the conditioner, which lies in the same file."""
    made: State = {}
    for name, tensor in state.items():
        if name.startswith("text_conditioner."):
            made[name.replace("text_conditioner.", "llm_adapter.", 1)] = tensor
            continue
        for ours, theirs in _ANIMA:
            name = re.sub(ours, theirs, name)
        made[name] = tensor
    return made


_KREA2 = (
    (r"^img_in\.", "first."),
    (r"^time_embed\.linear_1\.", "tmlp.0."),
    (r"^time_embed\.linear_2\.", "tmlp.2."),
    (r"^time_mod_proj\.", "tproj.1."),
    (r"^txt_in\.norm\.weight", "txtmlp.0.scale"),
    (r"^txt_in\.linear_1\.", "txtmlp.1."),
    (r"^txt_in\.linear_2\.", "txtmlp.3."),
    (r"^text_fusion\.", "txtfusion."),
    (r"^final_layer\.linear\.", "last.linear."),
    (r"^final_layer\.norm\.weight", "last.norm.scale"),
    (r"^final_layer\.scale_shift_table", "last.modulation.lin"),
    (r"^transformer_blocks\.", "blocks."),
    (r"\.attn\.to_out\.0\.", ".attn.wo."),
    (r"\.attn\.to_gate\.", ".attn.gate."),
    (r"\.attn\.to_([qkv])\.", r".attn.w\1."),
    (r"\.attn\.norm_([qk])\.weight", r".attn.qknorm.\1norm.scale"),
    (r"\.ff\.", ".mlp."),
    (r"\.norm1\.weight", ".prenorm.scale"),
    (r"\.norm2\.weight", ".postnorm.scale"),
    (r"\.scale_shift_table", ".mod.lin"),
)


def _krea2(state: Mapping[str, Tensor]) -> State:
    """Its six modulations of a block are one row there."""
    made: State = {}
    for name, tensor in state.items():
        for ours, theirs in _KREA2:
            name = re.sub(ours, theirs, name)
        made[name] = tensor.flatten() if name.endswith(".mod.lin") else tensor
    return made


_FLUX3 = (
    (r"^x_embedders\.", "emb_in."),
    (r"^context_embedder\.", "txt_in."),
    (r"^timestep_embedder\.linear_1\.", "time_in.in_layer."),
    (r"^timestep_embedder\.linear_2\.", "time_in.out_layer."),
    (r"^target_timestep_embedder\.linear_1\.", "ref_time_in.in_layer."),
    (r"^target_timestep_embedder\.linear_2\.", "ref_time_in.out_layer."),
    (r"_modulations\.(\w+)\.linear\.", r"_modulations.\1.lin."),
    (r"^mode_blocks\.", "content_mode_blocks."),
    (r"^single_transformer_blocks\.", "single_blocks."),
    (r"\.attn\.to_out\.0\.", ".attn_out."),
    (r"\.attn\.to_([qkv])\.", r".\1_proj."),
    (r"\.attn\.norm_q\.weight", ".norm.query_norm.scale"),
    (r"\.attn\.norm_k\.weight", ".norm.key_norm.scale"),
    (r"\.ff\.linear_(in|out)\.", r".mlp_\1."),
    (r"^proj_out\.", "final_layer.image.linear."),
    (r"^norm_out\.linear\.", "final_layer.image.adaLN_modulation.1."),
)


def _flux3(state: Mapping[str, Tensor]) -> State:
    """Shift and scale of its last norm have the other order there."""
    made: State = {}
    for name, tensor in state.items():
        if name.startswith("norm_out."):
            tensor = torch.cat(tensor.chunk(2)[::-1])
        for ours, theirs in _FLUX3:
            name = re.sub(ours, theirs, name)
        made[name] = tensor
    return made


_WAN = (
    ("condition_embedder.text_embedder.linear_1", "text_embedding.0"),
    ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
    ("condition_embedder.time_embedder.linear_1", "time_embedding.0"),
    ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
    ("condition_embedder.time_proj", "time_projection.1"),
    ("attn1.to_out.0", "self_attn.o"),
    ("attn2.to_out.0", "cross_attn.o"),
    ("attn1.to_", "self_attn."),
    ("attn2.to_", "cross_attn."),
    ("attn1.", "self_attn."),
    ("attn2.", "cross_attn."),
    (".norm2.", ".norm3."),
    ("ffn.net.0.proj", "ffn.0"),
    ("ffn.net.2", "ffn.2"),
)


def _wan(state: Mapping[str, Tensor]) -> State:
    made: State = {}
    for name, tensor in state.items():
        for ours, theirs in _WAN:
            name = name.replace(ours, theirs)
        name = name.replace("proj_out.", "head.head.")
        top = name == "scale_shift_table"
        made["head.modulation" if top else name.replace("scale_shift_table", "modulation")] = tensor
    return made


def vae_in_wan(state: Mapping[str, Tensor], resnets: int) -> State:
    """A VAE in the names of Wan's authors: of Wan 2.1, or of 2.2, which count level by level.

    Args:
        state: By diffusers' names.
        resnets: In each level of the decoder.
    """
    by_levels = any(".upsampler." in name for name in state)
    named = (_by_levels(name, resnets) if by_levels else name for name in state)
    return {
        _wan_vae_name(name, resnets): tensor
        for name, tensor in zip(named, state.values(), strict=True)
    }


def _by_levels(name: str, resnets: int) -> str:
    """In each level its resnets, one less in the encoder, then what makes it larger or smaller."""
    found = re.match(
        r"(encoder|decoder)\.(down|up)_blocks\.(\d+)\.(?:resnets\.(\d+)|\w+)\.(.+)", name
    )
    if found is None:
        return name
    side, way, level, number, rest = found.groups()
    number = number or resnets - (side == "encoder")
    return f"{side}.{way}samples.{level}.{way}samples.{number}.{rest}"


def _wan_vae_name(name: str, resnets: int) -> str:
    inner = {"norm1": "residual.0", "conv1": "residual.2", "norm2": "residual.3"}
    inner |= {"conv2": "residual.6", "conv_shortcut": "shortcut"}
    name = re.sub(
        r"\.(norm1|conv1|norm2|conv2|conv_shortcut)\.", lambda f: f".{inner[f[1]]}.", name
    )
    for ours, theirs in (
        (r"^post_quant_conv\.", "conv2."),
        (r"^quant_conv\.", "conv1."),
        (r"\.conv_in\.", ".conv1."),
        (r"\.norm_out\.", ".head.0."),
        (r"\.conv_out\.", ".head.2."),
        (r"mid_block\.resnets\.0\.", "middle.0."),
        (r"mid_block\.attentions\.0\.", "middle.1."),
        (r"mid_block\.resnets\.1\.", "middle.2."),
        (r"encoder\.down_blocks\.", "encoder.downsamples."),
    ):
        name = re.sub(ours, theirs, name)
    if found := re.match(
        r"decoder\.up_blocks\.(\d+)\.(?:resnets\.(\d+)|upsamplers\.0)\.(.*)", name
    ):
        place = int(found[1]) * (resnets + 1) + int(found[2] or resnets)
        return f"decoder.upsamples.{place}.{found[3]}"
    return name


def under(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {prefix + name: tensor for name, tensor in state.items()}


def scaled_fp8(state: Mapping[str, Tensor], form: str = "weight_scale") -> State:
    """Matrices in 8 bits with their scales, in one of the forms that people have."""
    made: State = {}
    for name, tensor in state.items():
        if tensor.ndim != 2 or not name.endswith(".weight"):
            made[name] = tensor
            continue
        rows = form.endswith("by rows")
        most = tensor.abs().amax(1, keepdim=True) if rows else tensor.abs().amax()
        scale = (most / 448).clamp(min=1e-12).float()
        made[name] = (tensor.float() / scale).to(torch.float8_e4m3fn)
        layer = name.removesuffix(".weight")
        if form.startswith("scale_weight"):
            made[f"{layer}.scale_weight"] = scale.reshape(1)
            made[f"{layer}.scale_input"] = torch.ones(1)
        else:
            made[f"{layer}.weight_scale"] = scale
        if form == "comfy_quant":
            said = b'{"format": "float8_e4m3fn"}'
            made[f"{layer}.comfy_quant"] = torch.tensor(list(said), dtype=torch.uint8)
            made[f"{layer}.input_scale"] = torch.tensor(1.0)
    if form.startswith("scale_weight"):
        made["scaled_fp8"] = torch.zeros(2).to(torch.float8_e4m3fn)
    return made


def unscaled(state: Mapping[str, Tensor]) -> State:
    """What the numbers of `scaled_fp8` mean, float32."""
    made: State = {}
    for name, tensor in state.items():
        layer, _, last = name.rpartition(".")
        if last in ("weight_scale", "scale_weight", "scale_input", "input_scale", "comfy_quant"):
            continue
        scale = state.get(f"{layer}.weight_scale", state.get(f"{layer}.scale_weight"))
        if name != "scaled_fp8":
            scaled = last == "weight" and scale is not None
            made[name] = tensor.float() * scale if scaled else tensor.float()
    return made


def int8(state: Mapping[str, Tensor], rotated: int = 0) -> State:
    """Matrices as whole numbers of 8 bits with a scale for each row, as ComfyUI writes them.

    Args:
        state: By name.
        rotated: So many inputs are turned together by a Hadamard matrix before (``convrot``).
    """
    made: State = {}
    for name, tensor in state.items():
        layer = name.removesuffix(".weight")
        if tensor.ndim != 2 or layer == name or tensor.shape[1] % (rotated or 1):
            made[name] = tensor
            continue
        turned = tensor.float()
        told: dict[str, Any] = {"format": "int8_tensorwise"}
        if rotated:
            groups = turned.view(len(turned), -1, rotated)
            turned = (groups @ hadamard(rotated)).view(turned.shape)
            told |= {"convrot": True, "convrot_groupsize": rotated}
        scale = (turned.abs().amax(1, keepdim=True) / 127).clamp(min=1e-12)
        made[name] = (turned / scale).round().clamp(-127, 127).to(torch.int8)
        made[f"{layer}.weight_scale"] = scale
        mark = list(json.dumps(told).encode())
        made[f"{layer}.comfy_quant"] = torch.tensor(mark, dtype=torch.uint8)
    return made


def whole_int8(state: Mapping[str, Tensor]) -> State:
    """What the numbers of `int8` mean, float32: turned back exactly, then scaled."""
    made: State = {}
    for name, tensor in state.items():
        layer = name.removesuffix(".weight")
        if name.endswith((".weight_scale", ".comfy_quant")):
            continue
        made[name] = tensor.float()
        scale = state.get(f"{layer}.weight_scale")
        if scale is not None and layer != name:
            told = json.loads(bytes(state[f"{layer}.comfy_quant"].tolist()))
            whole = tensor.double()
            if size := told.get("convrot_groupsize", 0):
                turn = hadamard(size).double()
                whole = (whole.view(len(whole), -1, size) @ turn).view(whole.shape)
            made[name] = whole.float() * scale
    return made


def hadamard(size: int) -> Tensor:
    """Of ComfyUI's ``convrot``: a Kronecker power of a regular matrix of 4 × 4."""
    least = torch.tensor([[1, 1, 1, -1], [1, 1, -1, 1], [1, -1, 1, 1], [-1, 1, 1, 1]]).float()
    made = torch.ones(1, 1)
    while len(made) < size:
        made = torch.kron(made, least)
    return made / size**0.5


def written_gguf(
    path: Path, state: Mapping[str, Tensor], kind: str, architecture: str = "flux"
) -> tuple[Path, State]:
    """A GGUF file of `state`, and the numbers that it means.

    Matrices whose rows hold whole blocks are of `kind`, the others of 16 or 32 bits.
    """
    writer = gguf.GGUFWriter(path, architecture)
    meant: State = {}
    quant = gguf.GGMLQuantizationType[kind]
    for name, tensor in state.items():
        numbers = tensor.float().numpy()
        fits = tensor.ndim == 2 and tensor.shape[1] % gguf.GGML_QUANT_SIZES[quant][0] == 0
        if not fits:
            writer.add_tensor(name, numbers)
            meant[name] = tensor.float()
            continue
        packed = gguf.quants.quantize(numbers, quant)
        writer.add_tensor(name, packed, raw_dtype=quant)
        meant[name] = torch.from_numpy(gguf.quants.dequantize(packed, quant))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path, meant


_LLAMA = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm", "embed_tokens.": "token_embd.", "layers.": "blk.",
}  # fmt: skip


def in_llama_names(state: Mapping[str, Tensor]) -> State:
    """A language model of Qwen's in the names of llama.cpp."""
    made: State = {}
    for name, tensor in state.items():
        for ours, theirs in _LLAMA.items():
            name = name.replace(ours, theirs)
        made["output_norm.weight" if name == "norm.weight" else name] = tensor
    return made


def written(path: Path, state: Mapping[str, Tensor], **more: Any) -> Path:
    """A safetensors file of `state`."""
    save_file({n: t.contiguous().clone() for n, t in state.items()}, path, **more)
    return path


def vae_in_ldm(folder: Path) -> State:
    """The VAE of a diffusers folder, in its authors' names."""
    network = next(iter(loaded_networks(diffusion.describe_vae(folder)).values()))
    if "z_dim" in network.config:
        return vae_in_wan(network.state_dict(), network.config["num_res_blocks"] + 1)
    names = ldm_names("vae", network)
    made: State = {}
    for key, tensor in network.state_dict().items():
        if key.startswith("bn."):
            made[key] = tensor
            continue
        plain = names[key].removeprefix("first_stage_model.")
        folded = ".attn_1." in plain and tensor.ndim == 2
        made[plain] = tensor[:, :, None, None] if folded else tensor
    return made


_STABLE_AUDIO = (
    ("transformer_blocks.", "transformer.layers."),
    ("attn1.", "self_attn."),
    ("attn2.", "cross_attn."),
    ("to_out.0.", "to_out."),
    ("ff.net.", "ff.ff."),
    ("norm1.weight", "pre_norm.gamma"),
    ("norm1.bias", "pre_norm.beta"),
    ("norm2.weight", "cross_attend_norm.gamma"),
    ("norm2.bias", "cross_attend_norm.beta"),
    ("norm3.weight", "ff_norm.gamma"),
    ("norm3.bias", "ff_norm.beta"),
    ("timestep_proj.", "to_timestep_embed."),
    ("global_proj.", "to_global_embed."),
    ("cross_attention_proj.", "to_cond_embed."),
    ("time_proj.", "timestep_features."),
    ("proj_in.", "transformer.project_in."),
    ("proj_out.", "transformer.project_out."),
)
_OOBLECK = (
    ("encoder.conv1.", "encoder.layers.0."),
    ("decoder.conv1.", "decoder.layers.0."),
    ("encoder.snake1.", "encoder.layers.{snake}."),
    ("decoder.snake1.", "decoder.layers.{snake}."),
    ("encoder.conv2.", "encoder.layers.{last}."),
    ("decoder.conv2.", "decoder.layers.{last}."),
)
_OOBLECK_BLOCKS = {
    "encoder": ("res_unit1", "res_unit2", "res_unit3", "snake1", "conv1"),
    "decoder": ("snake1", "conv_t1", "res_unit1", "res_unit2", "res_unit3"),
}
_OOBLECK_UNIT = ("snake1", "conv1", "snake2", "conv2")


def stable_audio_checkpoint(folder: Path) -> State:
    """A diffusers folder's denoiser, conditioners and VAE in one file, as stable-audio-tools."""
    read = {
        part: load_file(folder / part / "diffusion_pytorch_model.safetensors")
        for part in ("transformer", "projection_model", "vae")
    }
    return {
        **{f"model.model.{name}": each for name, each in _dit(read["transformer"]).items()},
        **_conditioners(read["projection_model"]),
        **{f"pretransform.model.{name}": e for name, e in _oobleck(read["vae"]).items()},
    }


_ACE_STEP = (
    *((".to_q.", ".q_proj."), (".to_k.", ".k_proj."), (".to_v.", ".v_proj.")),
    *((".to_out.0.", ".o_proj."), (".norm_q.", ".q_norm."), (".norm_k.", ".k_norm.")),
    *(("proj_in_conv.", "proj_in.1."), ("proj_out_conv.", "proj_out.1.")),
)


def ace_step_file(folder: Path) -> State:
    """A diffusers folder's denoiser and condition encoder in one file, as ACE-Step's authors."""
    made: State = {}
    for part, prefix in (("transformer", "decoder."), ("condition_encoder", "encoder.")):
        for name, tensor in load_file(
            folder / part / "diffusion_pytorch_model.safetensors"
        ).items():
            for ours, theirs in _ACE_STEP:
                name = name.replace(ours, theirs)
            made[f"{prefix}{name}"] = tensor
    del made["encoder.silence_latent"]
    made["null_condition_emb"] = made.pop("encoder.null_condition_emb")
    return made


def _dit(state: Mapping[str, Tensor]) -> State:
    made: State = {"transformer.rotary_pos_emb.inv_freq": torch.ones(4)}
    for name, tensor in state.items():
        parts = [name]
        if ".attn1.to_q." in name:
            parts = [name.replace("to_q", f"to_{each}") for each in "qkv"]
            name = name.replace("to_q", "to_qkv")
        elif ".attn2.to_k." in name:
            parts = [name.replace("to_k", f"to_{each}") for each in "kv"]
            name = name.replace("to_k", "to_kv")
        elif re.search(r"\.attn\d\.to_[kv]\.", name):
            continue
        for ours, theirs in _STABLE_AUDIO:
            name = name.replace(ours, theirs)
        fused = torch.cat([state[part] for part in parts]) if len(parts) > 1 else tensor
        made[name] = fused[:, None] if name == "timestep_features.weight" else fused
    return made


def _conditioners(state: Mapping[str, Tensor]) -> State:
    made: State = {}
    for name, tensor in state.items():
        name = name.replace("start_number_conditioner", "seconds_start.embedder")
        name = name.replace("end_number_conditioner", "seconds_total.embedder")
        name = name.replace("time_positional_embedding", "embedding")
        name = name.replace("text_projection", "prompt.proj_out")
        made[f"conditioner.conditioners.{name}"] = tensor
    return made


def _oobleck(state: Mapping[str, Tensor]) -> State:
    blocks = 1 + max(int(name.split(".")[2]) for name in state if ".block." in name)
    made: State = {}
    for name, tensor in state.items():
        if found := re.match(r"(encoder|decoder)\.block\.(\d+)\.(\w+)\.(.+)", name):
            side, block, part, rest = found.groups()
            if part.startswith("res_unit"):
                inner, _, last = rest.partition(".")
                rest = f"layers.{_OOBLECK_UNIT.index(inner)}.{last}"
            number = _OOBLECK_BLOCKS[side].index(part)
            name = f"{side}.layers.{int(block) + 1}.layers.{number}.{rest}"
        else:
            for ours, theirs in _OOBLECK:
                theirs = theirs.format(snake=blocks + 1, last=blocks + 2)
                name = f"{theirs}{name.removeprefix(ours)}" if name.startswith(ours) else name
        made[name] = tensor.flatten() if ".snake" in name or tensor.shape[::2] == (1, 1) else tensor
    return made
