"""Parses the tensor names of LoRA files: network, module, role.

Names are those of peft, diffusers (old and new), kohya's trainer (over diffusers' modules and
over LDM's), LyCORIS, OneTrainer and ComfyUI.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nodeforge.models.families import TEXT_ENCODER_KINDS

UNET = "unet"
OTHER_DENOISER = "denoiser"
"""The part of what is for a denoiser that is no UNet."""
OTHER_TEXT_ENCODER = "other text encoder"
"""The part of what is for a text encoder of no kind here."""

THIRD = "t5_xxl"
"""Where three text encoders are numbered, the third is this kind."""

_WRAPPERS = ("base_model.model.", "model.")
_PREFIXES = (
    ("lora_unet_", UNET),
    ("lora_unet.", UNET),
    ("lycoris_", UNET),
    ("unet.", UNET),
    ("diffusion_model.", UNET),
    ("net.", UNET),
    ("lora_te1_", "text_encoder"),
    ("lora_te1.", "text_encoder"),
    ("lora_te2_", "text_encoder_2"),
    ("lora_te2.", "text_encoder_2"),
    ("lora_te_", "text_encoder"),
    ("lora_te.", "text_encoder"),
    ("text_encoder_2.", "text_encoder_2"),
    ("text_encoder.", "text_encoder"),
    ("text_encoders.clip_l.transformer.", "text_encoder"),
    ("text_encoders.clip_g.transformer.", "text_encoder_2"),
    *(
        (f"text_encoders.{name}.transformer.", kind.name)
        for kind in TEXT_ENCODER_KINDS.values()
        for name in kind.bundled
    ),
    ("text_encoders.", OTHER_TEXT_ENCODER),
    ("clip_l.transformer.", "text_encoder"),
    ("clip_g.transformer.", "text_encoder_2"),
    ("cond_stage_model.transformer.", "text_encoder"),
    ("conditioner.embedders.0.transformer.", "text_encoder"),
    ("text_encoder_3.", THIRD),
    ("lora_te3_", THIRD),
    ("lora_te3.", THIRD),
    ("lora_transformer_", OTHER_DENOISER),
    ("transformer.", OTHER_DENOISER),
    ("lora_prior_", OTHER_DENOISER),
    ("prior.", OTHER_DENOISER),
)
_PARTS = dict(reversed(_PREFIXES))
_PREFIX = re.compile("|".join(re.escape(prefix) for prefix, _ in _PREFIXES))
_OF_UNETS = re.compile(
    r"(down_blocks|up_blocks|mid_block|input_blocks|output_blocks|middle_block|conv_in|conv_out"
    r"|conv_norm_out|time_embedding|time_embed|add_embedding|class_embedding|label_emb|out|attn[12])[._]"
)
_OF_TEXT_ENCODERS = re.compile(r"(text_model[._])?(encoder[._]layers|embeddings)[._]")

_ADAPTER = r"(?:\.(?P<adapter>.+))?"
_ROLES = (
    (rf"[._]lora(?P<stream>\d?)(?:_A|_down|\.down|_linear_layer\.down){_ADAPTER}\.weight", "down"),
    (rf"[._]lora(?P<stream>\d?)(?:_B|_up|\.up|_linear_layer\.up){_ADAPTER}\.weight", "up"),
    (r"\.lora_mid\.weight", "mid"),
    (r"(?:[._]lora)?\.alpha", "alpha"),
    (
        r"(?:\.dora_scale|[._]lora_magnitude_vector(?:\.(?P<adapter>(?!weight$)[^.]+))?(?:\.weight)?)",
        "magnitude",
    ),
    (r"\.(?P<own>hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2))", ""),
)
_USUAL = {
    **dict.fromkeys(("lora_A", "lora_down"), "down"),
    **dict.fromkeys(("lora_B", "lora_up"), "up"),
    "alpha": "alpha",
    **{f"hada_w{number}_{side}": f"hada_w{number}_{side}" for number in "12" for side in "ab"},
    **{f"lokr_w{each}": f"lokr_w{each}" for each in ("1", "2", "1_a", "1_b", "2_a", "2_b")},
}
"""The last words of most names, which need no pattern."""
_ODD = re.compile(r"[._]lora\d?(?:[._]|$)")
_NAME = [(re.compile(rf"^(?P<module>.+?){end}$"), role) for end, role in _ROLES]
_OTHER_METHODS = (
    (re.compile(r"[._](oft_blocks|oft_diag|oft_[Rr]|boft_\w+)\b"), "OFT"),
    (re.compile(r"\.(on_input|ia3_l)\b"), "IA3"),
    (re.compile(r"\.(a[12]|b[12]|c[12]|b[mn])\.weight$"), "GLoRA"),
    (re.compile(r"vera_lambda_"), "VeRA"),
    (re.compile(r"\.(diff|diff_b|diff_m|w_norm|b_norm|set_weight)$"), "full difference"),
    (re.compile(r"[._]lora(_A|_B|_up|_down|\.up|\.down)(\..+)?\.bias$"), "LoRA bias"),
    (re.compile(r"lora_embedding_[AB]"), "LoRA of word vectors"),
)


class LoraTensor(NamedTuple):
    """What a tensor of a LoRA file is.

    Args:
        part: ``unet``, ``text_encoder``, ``text_encoder_2``, a kind of text encoder,
            `OTHER_DENOISER` or `OTHER_TEXT_ENCODER`.
        module: The layer that it changes, as the file writes it.
        role: ``down``, ``up``, ``mid``, ``alpha``, ``magnitude`` (DoRA), or LyCORIS' own name, as
            ``hada_w1_a``; empty where the name says no role.
        adapter: peft's name of the adapter; empty where it writes none.
    """

    part: str
    module: str
    role: str
    adapter: str = ""

    @property
    def of_unet(self) -> bool:
        """Whether a UNet of Stable Diffusion may have the layer."""
        return self.part == UNET and _OF_UNETS.match(self.module) is not None


def parse(name: str) -> LoraTensor | None:
    """What the tensor `name` of a LoRA file is; None where it belongs to no network."""
    plain, part = _without_prefix(name)
    module, _, last = plain.rpartition(".")
    if last == "weight":
        module, _, last = module.rpartition(".")
    usual = module and plain.endswith(".weight") == last.startswith("lora_")
    if usual and (role := _USUAL.get(last)) and not _ODD.search(module):
        return LoraTensor(_part(part, plain), module, role)
    for pattern, role in _NAME:
        if found := pattern.match(plain):
            told = found.groupdict()
            role, module = role or told["own"], told["module"]
            if stream := told.get("stream"):  # XLabs' trainer counts the streams of Flux.1
                module = f"{module}_lora{stream}"
            return LoraTensor(_part(part, plain), module, role, told.get("adapter") or "")
    return LoraTensor(_part(part, plain), plain, "") if part else None


def other_method(name: str) -> str:
    """The method other than LoRA, LoHa and LoKr that the tensor `name` is of; else empty."""
    return next((label for pattern, label in _OTHER_METHODS if pattern.search(name)), "")


def _without_prefix(name: str) -> tuple[str, str]:
    """The name within its network, and the part; empty where no prefix tells it."""
    plain, known = name, ""
    for wrapper in _WRAPPERS:
        plain = plain.removeprefix(wrapper)
    while found := _PREFIX.match(plain):
        plain, known = plain[found.end() :], known or _PARTS[found[0]]
    return plain, known


def _part(part: str, module: str) -> str:
    """A part told by its prefix; names without one, and LyCORIS', are told by the module."""
    if part in ("", UNET) and _OF_TEXT_ENCODERS.match(module):
        return "text_encoder"
    return part or UNET
