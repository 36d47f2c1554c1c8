"""Block names of denoisers: LDM's, and those by which LoRA weights are given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nodeforge.values.block_weights import Blocks

_RESNET = {
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_TOP = {
    "conv_in": "input_blocks.0.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}


def block_weight(blocks: Blocks, module: str) -> float:
    """What a LoRA counts in `module`: the longest name that it lies in decides."""
    around = [(len(name), weight) for name, weight in blocks if f"{module}.".startswith(f"{name}.")]
    return max(around)[1] if around else 1.0


def ldm_modules(modules: Sequence[str], layers: int) -> dict[str, str]:
    """The names of a UNet's modules in the LDM layout, by their own.

    Args:
        modules: Names as diffusers has them.
        layers: Resnets in each of its blocks on the way down.
    """
    attended = {name.split(".")[1] for name in modules if _attention_up(name)}
    named = ((name, _ldm(name.split("."), layers, attended)) for name in modules)
    return {name: ldm for name, ldm in named if ldm}


def _attention_up(name: str) -> bool:
    words = name.split(".")
    return words[0] == "up_blocks" and words[2:3] == ["attentions"]


def _ldm(words: Sequence[str], layers: int, attended: Iterable[str]) -> str:
    """LDM counts layers through all blocks; one is a resnet, an attention and a resampling."""
    match words:
        case ["mid_block", "attentions", _, *rest]:
            return ".".join(["middle_block.1", *rest])
        case ["mid_block", "resnets", number, *rest]:
            return f"middle_block.{2 * int(number)}.{_resnet(rest)}"
        case ["down_blocks", block, "downsamplers", *_]:
            return f"input_blocks.{(int(block) + 1) * (layers + 1)}.0.op"
        case ["down_blocks", block, kind, layer, *rest]:
            place = f"input_blocks.{1 + int(block) * (layers + 1) + int(layer)}"
        case ["up_blocks", block, "upsamplers", *_]:
            inner = 2 if block in attended else 1
            return f"output_blocks.{int(block) * (layers + 1) + layers}.{inner}.conv"
        case ["up_blocks", block, kind, layer, *rest]:
            place = f"output_blocks.{int(block) * (layers + 1) + int(layer)}"
        case _:
            return _TOP.get(".".join(words), "")
    return f"{place}.0.{_resnet(rest)}" if kind == "resnets" else ".".join([place, "1", *rest])


def _resnet(words: Sequence[str]) -> str:
    return _RESNET.get(".".join(words), ".".join(words))
