"""Small random motion modules and motion LoRAs for the denoisers of `tiny_models`."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers.models.unets.unet_motion_model import MotionAdapter
from safetensors.torch import save_file

FRAMES = 24
"""The most that a tiny motion module relates."""


def motion_adapter(channels: tuple[int, ...] = (8, 16), seed: int = 3) -> MotionAdapter:
    """Attention along the frames that acts: published modules start at nothing."""
    torch.manual_seed(seed)
    adapter = MotionAdapter(
        block_out_channels=channels,
        motion_layers_per_block=1,
        motion_num_attention_heads=2,
        motion_norm_num_groups=2,
        motion_max_seq_length=FRAMES,
    )
    for parameter in adapter.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return adapter.eval().requires_grad_(False)


def original_name(name: str) -> str:
    """What AnimateDiff's authors call a tensor of a motion adapter of diffusers."""
    head, _, rest = name.partition(".transformer_blocks.")
    inner = name[len(head) :] if rest else ""
    for ours, theirs in (
        (".norm1", ".norms.0"),
        (".norm2", ".norms.1"),
        (".norm3", ".ff_norm"),
        (".attn1", ".attention_blocks.0"),
        (".attn2", ".attention_blocks.1"),
        (".pos_embed.pe", ".attention_blocks.0.pos_encoder.pe"),
    ):
        inner = inner.replace(ours, theirs)
    block, _, layer = head.rpartition(".motion_modules.")
    number, _, last = layer.partition(".")
    last = f".{last}" if last else ""
    return f"{block}.motion_modules.{number}.temporal_transformer{last}{inner}"


def write_original(adapter: MotionAdapter, file: Path) -> Path:
    """The adapter in one file, as AnimateDiff's authors publish it."""
    state = {original_name(name): value.clone() for name, value in adapter.state_dict().items()}
    save_file(state, file)
    return file


def write_motion_lora(adapter: MotionAdapter, file: Path, rank: int = 2) -> Path:
    """A motion LoRA over every attention, by its authors' names."""
    torch.manual_seed(9)
    state = {}
    for name, value in adapter.state_dict().items():
        if not name.endswith((".to_q.weight", ".to_v.weight")):
            continue
        module, _, last = original_name(name).removesuffix(".weight").rpartition(".")
        rows, columns = value.shape
        for half, shape in (("down", (rank, columns)), ("up", (rows, rank))):
            state[f"{module}.processor.{last}_lora.{half}.weight"] = torch.randn(shape) * 0.3
    save_file(state, file)
    return file
