"""Detects the networks in a file from the names and shapes of its tensors.

Names decide the kind; the width of the text that cross-attention reads decides the family.
The names are those of the LDM repositories, of open_clip, of diffusers, of the adapters'
authors, and of LoRA trainers (kohya, peft, LyCORIS).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from nodeforge.models.detection.found import FoundNetworks, Shapes
from nodeforge.models.detection.info import Kind, Layout
from nodeforge.models.detection.lora_families import ChangedLayer, LoraFamilies, lora_families
from nodeforge.models.detection.lora_names import OTHER_DENOISER, UNET, LoraTensor, parse
from nodeforge.models.detection.transformers import (
    SOUND_VAES,
    VAE_PREFIXES,
    find_denoiser,
    find_text_encoder,
)
from nodeforge.models.detection.unsupported import (
    BASES,
    DENOISERS,
    LORA_MARKS,
    LORA_OF_OTHERS,
    MARKS,
    UNET_MARKS,
    unsupported_architecture,
)
from nodeforge.models.detection.upscalers import find_upscaler
from nodeforge.models.families import (
    FAMILIES,
    OOBLECK,
    QWEN21_VAE,
    SPACES,
    TEXT_ENCODER_KINDS,
    WAN_VAE,
    LatentSpace,
)

_TEXT = (
    "cond_stage_model.transformer.text_model.",
    "cond_stage_model.transformer.",
    "conditioner.embedders.0.transformer.text_model.",
    "text_model.",
    "",
)
_OPEN_CLIP = (
    "conditioner.embedders.1.model.",
    "conditioner.embedders.0.model.",
    "cond_stage_model.model.",
    "",
)
_UNET = ("model.diffusion_model.", "")
# Looked for in all names at once, each name between two newlines.
_LORA = (
    *(".lora_", "_lora.", ".lora.", "\nlora_unet_", "\nlora_te", "\nlora_transformer_"),
    *("\nlycoris_", ".hada_w", ".lokr_w", "_lora1.", "_lora2.", "\nlora_prior_"),
)
_LEAST_WIDTH = 64
"""Of a word vector."""
_MOST_VECTORS, _MOST_OF_EMBEDDING = 1024, 16
_VECTORS = ("clip_l", "clip_g", "emb_params")
"""What trainers of textual inversions call the vectors."""

_BY_AXES = {5: WAN_VAE, 4: QWEN21_VAE}
"""Of their convolutions: of videos, or of the same network for pictures alone."""
_WITH_ALPHA = 4
"""Channels of a picture."""
_VIDEO_VAES = (
    ("decoder.middle.0.residual.0.gamma", "decoder.conv1.weight", Layout.ORIGINAL),
    ("decoder.mid_block.resnets.0.norm1.gamma", "decoder.conv_in.weight", Layout.DIFFUSERS),
)
_ENLARGES = re.compile(r"decoder\.(?:layers\.\d+\.layers\.1|block\.\d+\.conv_t1)\.weight_v")
"""Layers of a sound VAE's decoder, by its authors' name and diffusers'."""
_MOTION = re.compile(
    r"(?:module\.)?down_blocks\.(\d+)\.motion_modules\.0\.(?:temporal_transformer\.)?proj_in\.weight"
)
_POSITIONS = re.compile(r"\bpos_(?:encoder|embed)\.pe$")
"""The table of a motion module's places in time, (1, frames, channels)."""
_LORA_TEXT = re.compile(r"attn2[._](?:processor[._])?to_[kv]$")
_LORA_ENCODER = re.compile(r"self_attn[._][qkv]_proj$")
_LORA_INPUTS = ("down", "hada_w1_b", "lokr_w1", "lokr_w1_b")
"""Roles of the tensors that tell how many inputs a layer has."""


def find_networks(shapes: Shapes, metadata: Mapping[str, str]) -> FoundNetworks:
    """What a file with tensors of these names and shapes holds.

    Large files are told by one tensor, so they come first; a LoRA may hold word vectors too.
    """
    names = _joined(shapes)
    if upscaler := find_upscaler(shapes):
        return upscaler
    found = _first(shapes, (_controlnet, _checkpoint, _diffusers_unet, find_denoiser, _vae))
    found = found or (_lora(shapes) if _has(names, _LORA) else _motion_module(shapes))
    found = found or _first(
        shapes,
        (
            _adapter,
            _image_encoder,
            lambda shapes: find_text_encoder(shapes, metadata),
            _text,
            _embedding,
        ),
    )
    if found is not None and (found.families or (found.foreign and found.kind is not Kind.VAE)):
        return replace(found, base=_base(metadata))
    unets = found is not None and found.kind in (Kind.CHECKPOINT, Kind.UNET)
    label = unsupported_architecture(names, UNET_MARKS if unets else MARKS)
    found = found or FoundNetworks(_foreign_kind(shapes, label), Layout.OTHER)
    marked = next((f.name for f in FAMILIES.values() if _has(names, f.marks)), "")
    return replace(found, family=marked, base=_base(metadata), foreign=label or found.foreign)


def _first(
    shapes: Shapes, looks: Iterable[Callable[[Shapes], FoundNetworks | None]]
) -> FoundNetworks | None:
    return next((found for look in looks if (found := look(shapes))), None)


def _foreign_kind(shapes: Shapes, label: str) -> Kind:
    """What a file with the marks of `label` is; unknown without, or with nothing but a mark."""
    if not label:
        return Kind.UNKNOWN
    if label.startswith("The text encoder"):
        return Kind.TEXT_ENCODER
    if label.startswith("The VAE"):
        return Kind.VAE
    inner = (name.removeprefix("model.diffusion_model.") for name in shapes)
    return Kind.UNET if any(name.startswith(DENOISERS) for name in inner) else Kind.UNKNOWN


def _joined(shapes: Shapes) -> str:
    """All names, each between two line breaks, but for the running means of trainings."""
    joined = "\n".join([name for name in shapes if not name.startswith("model_ema.")])
    if joined.count("\n") >= max(1, len(shapes)):  # a name that holds line breaks is no name
        joined = "\n".join(name for name in shapes if "\n" not in name)
    return f"\n{joined}\n"


def _has(names: str, marks: Iterable[str]) -> bool:
    return any(mark in names for mark in marks)


def _base(metadata: Mapping[str, str]) -> str:
    told = metadata.get("modelspec.architecture") or metadata.get("ss_base_model_version") or ""
    ours = {start: f.name for f in FAMILIES.values() for start in f.bases}
    starts = sorted({**ours, **BASES}.items(), key=lambda pair: -len(pair[0]))
    return next((base for start, base in starts if told.lower().startswith(start)), "")


def _prefix(shapes: Shapes, prefixes: Iterable[str], name: str) -> str | None:
    """The first of `prefixes` under which there is a tensor `name`."""
    return next((prefix for prefix in prefixes if prefix + name in shapes), None)


def _side(shapes: Shapes, name: str, axis: int) -> int | None:
    shape = shapes.get(name, ())
    return shape[axis] if axis < len(shape) else None


def _text_width(shapes: Shapes, prefix: str = "") -> int | None:
    """Inputs of the first cross-attention's keys."""
    for name in shapes:
        if name.endswith("attn2.to_k.weight") and name.startswith(prefix):
            return _side(shapes, name, 1)
    return None


def _controlnet(shapes: Shapes) -> FoundNetworks | None:
    diffusers = "controlnet_cond_embedding.conv_in.weight" in shapes
    prefix = _prefix(shapes, ("control_model.", ""), "input_hint_block.0.weight")
    if not diffusers and prefix is None and "lora_controlnet" not in shapes:
        return None
    return FoundNetworks(
        kind=Kind.CONTROLNET,
        layout=Layout.DIFFUSERS if diffusers else Layout.LDM,
        parts=("controlnet",),
        width=_text_width(shapes, prefix or ""),
        added_conditions_width=_side(shapes, "add_embedding.linear_1.weight", 1),
    )


def _image_encoder(shapes: Shapes) -> FoundNetworks | None:
    """CLIP's for pictures, with its projection."""
    prefix = _prefix(shapes, ("vision_model.", ""), "embeddings.patch_embedding.weight")
    if prefix is None or "visual_projection.weight" not in shapes:
        return None
    return FoundNetworks(Kind.IMAGE_ENCODER, Layout.DIFFUSERS, ("image_encoder",))


def _adapter(shapes: Shapes) -> FoundNetworks | None:
    """A T2I-Adapter or an IP-Adapter; diffusers' have a prefix more than their authors'."""
    if any(name.startswith("image_proj.") for name in shapes):
        key = next((name for name in shapes if name.endswith("to_k_ip.weight")), "")
        return FoundNetworks(Kind.IP_ADAPTER, Layout.OTHER, ("ip_adapter",), _side(shapes, key, 1))
    prefix = next(
        (
            p
            for p in ("adapter.", "")
            if f"{p}body.0.in_conv.weight" in shapes
            or f"{p}body.0.resnets.0.block1.weight" in shapes
            or f"{p}body.0.block1.weight" in shapes
        ),
        None,
    )
    if prefix is None or f"{prefix}conv_in.weight" not in shapes:
        return None
    return FoundNetworks(
        kind=Kind.T2I_ADAPTER,
        layout=Layout.DIFFUSERS if prefix else Layout.OTHER,
        parts=("t2i_adapter",),
        in_channels=_side(shapes, f"{prefix}conv_in.weight", 1),
    )


def _motion_module(shapes: Shapes) -> FoundNetworks | None:
    """AnimateDiff's attention along the frames, by its authors' names or diffusers'."""
    found = (_MOTION.fullmatch(name) for name in shapes)
    channels = {int(each[1]): shapes[each[0]][0] for each in found if each}
    if not channels:
        return None
    diffusers = "down_blocks.0.motion_modules.0.proj_in.weight" in shapes
    return FoundNetworks(
        kind=Kind.MOTION_MODULE,
        layout=Layout.DIFFUSERS if diffusers else Layout.OTHER,
        parts=("motion_module",),
        block_channels=tuple(channels[block] for block in sorted(channels)),
        frames=next((s[1] for n, s in shapes.items() if _POSITIONS.search(n) and len(s) == 3), 0),
    )


def _checkpoint(shapes: Shapes) -> FoundNetworks | None:
    """A denoiser in LDM layout, alone or with its text encoder and VAE."""
    first = "input_blocks.0.0.weight"
    prefix = _prefix(shapes, _UNET, first)
    if prefix is None:
        return None
    vae, text = _vae(shapes), _text(shapes)
    others = [*(text.parts if text else ()), *(("vae",) if vae else ())]
    return FoundNetworks(
        kind=Kind.CHECKPOINT if others else Kind.UNET,
        layout=Layout.LDM,
        parts=("unet", *others),
        width=_text_width(shapes, prefix),
        in_channels=_side(shapes, prefix + first, 1),
        latent_channels=_side(shapes, f"{prefix}out.2.weight", 0),
        latent_scale=vae.latent_scale if vae else None,
        distilled=f"{prefix}time_embed.cond_proj.weight" in shapes,
        prediction="v_prediction" if "v_pred" in shapes else None,
        zero_snr="ztsnr" in shapes,
    )


def _diffusers_unet(shapes: Shapes) -> FoundNetworks | None:
    if not {"conv_in.weight", "time_embedding.linear_1.weight", "conv_out.weight"} <= shapes.keys():
        return None
    return FoundNetworks(
        kind=Kind.UNET,
        layout=Layout.DIFFUSERS,
        parts=("unet",),
        width=_text_width(shapes),
        in_channels=_side(shapes, "conv_in.weight", 1),
        latent_channels=_side(shapes, "conv_out.weight", 0),
        distilled="time_embedding.cond_proj.weight" in shapes,
    )


def _vae(shapes: Shapes) -> FoundNetworks | None:
    if (found := _video_vae(shapes) or _sound_vae(shapes)) is not None:
        return found
    prefix = _prefix(shapes, VAE_PREFIXES, "decoder.conv_in.weight")
    if prefix is None:
        return None
    ldm = f"{prefix}decoder.up.0.block.0.conv1.weight" in shapes
    up = "up.{}.upsample.conv.weight" if ldm else "up_blocks.{}.upsamplers.0.conv.weight"
    doublings = sum(f"{prefix}decoder.{up.format(block)}" in shapes for block in range(12))
    channels = _side(shapes, f"{prefix}decoder.conv_in.weight", 1)
    folded = (_side(shapes, f"{prefix}bn.running_mean", 0) or 0) // (channels or 1) or 1
    return FoundNetworks(
        kind=Kind.VAE,
        layout=Layout.LDM if ldm else Layout.DIFFUSERS,
        parts=("vae",),
        latent_channels=channels and channels * folded,
        latent_scale=2**doublings * math.isqrt(folded),
        foreign="" if len(shapes[f"{prefix}decoder.conv_in.weight"]) < 5 else "A VAE of videos",
    )


def _video_vae(shapes: Shapes) -> FoundNetworks | None:
    """Wan's or Qwen's, by their authors' names or diffusers'; those of other videos are not run."""
    for mark, first, layout in _VIDEO_VAES:
        prefix = _prefix(shapes, VAE_PREFIXES, mark)
        shape = shapes.get(f"{prefix}{first}", ())
        if prefix is None or (network := _BY_AXES.get(len(shape))) is None:
            continue
        channels = shape[1]
        spaces = [s for s in SPACES.values() if s.vae == network and s.channels == channels]
        alpha = _side(shapes, f"{prefix}{first.replace('decoder', 'encoder')}", 1) == _WITH_ALPHA
        spaces = [s for s in spaces if s.alpha is alpha] or spaces
        return FoundNetworks(
            kind=Kind.VAE,
            layout=layout,
            parts=("vae",),
            latent_channels=channels,
            latent_scale=spaces[0].scale if spaces else None,
            families=_working_in(spaces),
            foreign="" if spaces else "A VAE of videos",
        )
    return None


def _working_in(spaces: Collection[LatentSpace]) -> tuple[str, ...]:
    """The families of latent spaces; those that the spaces were made for come first."""
    found = [family for family in FAMILIES.values() if family.latent_space in spaces]
    own_first = sorted(found, key=lambda f: f.latent_space.family != f.name)
    return tuple(family.name for family in own_first)


def _sound_vae(shapes: Shapes) -> FoundNetworks | None:
    """Stable Audio's or ACE-Step's, by its authors' names or diffusers'."""
    for mark, layout in zip(SOUND_VAES, (Layout.ORIGINAL, Layout.DIFFUSERS), strict=True):
        if (prefix := _prefix(shapes, VAE_PREFIXES, mark)) is None:
            continue
        scale = _sound_scale(shapes, prefix)
        spaces = [each for each in SPACES.values() if each.vae == OOBLECK]
        spaces = [each for each in spaces if each.scale == scale] or spaces
        families = (f for space in spaces for f in FAMILIES.values() if f.latent_space is space)
        return FoundNetworks(
            kind=Kind.VAE,
            layout=layout,
            parts=("vae",),
            latent_channels=_side(shapes, prefix + mark, 1),
            latent_scale=scale,
            families=tuple(family.name for family in families),
        )
    return None


def _sound_scale(shapes: Shapes, prefix: str) -> int:
    """Samples for one cell: a layer that enlarges has a kernel of twice its factor."""
    strides = (
        shape[2] // 2
        for name, shape in shapes.items()
        if name.startswith(prefix) and _ENLARGES.fullmatch(name, len(prefix)) and len(shape) == 3
    )
    return math.prod(strides)


def _text(shapes: Shapes) -> FoundNetworks | None:
    """CLIP text encoders, known by their tables of word vectors."""
    clip = "embeddings.token_embedding.weight"
    plain = _prefix(shapes, _TEXT, clip)
    opened = _prefix(shapes, _OPEN_CLIP, "token_embedding.weight")
    if opened is not None and f"{opened}positional_embedding" not in shapes:
        opened = None
    if plain is None and opened is None:
        return None
    second = opened is not None and opened.startswith("conditioner.")
    parts = ("text_encoder",) if plain is not None or not second else ()
    table = f"{plain}{clip}" if plain is not None else f"{opened}token_embedding.weight"
    return FoundNetworks(
        kind=Kind.TEXT_ENCODER,
        layout=Layout.DIFFUSERS if plain in ("", "text_model.") else Layout.LDM,
        parts=(*parts, "text_encoder_2") if second else parts,
        text_width=_side(shapes, table, 1),
        encoder=_clip_kind(_side(shapes, table, 1)),
    )


def _clip_kind(width: int | None) -> str:
    """The kind of CLIP that has word vectors of this width; empty where none has."""
    clips = (each for each in TEXT_ENCODER_KINDS.values() if each.network.startswith("CLIP"))
    return next((each.name for each in clips if each.width == width), "")


def _embedding(shapes: Shapes) -> FoundNetworks | None:
    """A textual inversion: small tables of vectors."""
    names = embedding_tensors(shapes)
    if not names:
        return None
    width = shapes[names[0]][-1]
    return FoundNetworks(Kind.EMBEDDING, Layout.OTHER, ("embedding",), text_width=width)


def embedding_tensors(shapes: Shapes) -> tuple[str, ...]:
    """The tensors of a textual inversion that hold vectors, one for each text encoder.

    Those that trainers name so count alone, and what lies beside them (vectors for the end of an
    encoder, counters) does not. Empty where there are none, too many, or two of one width.
    """
    if len(shapes) > _MOST_OF_EMBEDDING:
        return ()
    named = [name for name in _VECTORS if name in shapes]
    names = named or [name for name in shapes if math.prod(shapes[name]) > 1]
    widths = [_vector_width(shapes[name]) for name in names]
    if not 1 <= len(names) <= 2 or None in widths or len(set(widths)) < len(names):
        return ()
    return tuple(names)


def _vector_width(shape: tuple[int, ...]) -> int | None:
    """Numbers of a word's vector in a table of few; None where it is no such table."""
    plain = len(shape) == 1 or (len(shape) == 2 and 0 < shape[0] <= _MOST_VECTORS)
    return shape[-1] if plain and shape[-1] >= _LEAST_WIDTH else None


def _lora(shapes: Shapes) -> FoundNetworks:
    """Told by the text that the denoiser it is for reads, else by the text encoder it is for."""
    kohya = any(name.startswith(("lora_unet_", "lora_te")) for name in shapes)
    parsed = {name: told for name in shapes if (told := parse(name)) and told.role}
    denoisers = [told for told in parsed.values() if not told.part.startswith("text_encoder")]
    of_unets = sum(told.of_unet for told in denoisers)
    foreign = 2 * of_unets < len(denoisers)
    fitting = lora_families(_changed(shapes, parsed)) if foreign else LoraFamilies()
    other = unsupported_architecture(_joined(shapes)) if foreign else ""
    other = other or (_foreign_lora(told.module for told in denoisers) if foreign else "")
    unet = {name: told for name, told in parsed.items() if told.of_unet}
    texts = {name: told for name, told in parsed.items() if told.part.startswith("text_encoder")}
    return FoundNetworks(
        kind=Kind.LORA,
        layout=Layout.LDM if kohya else Layout.DIFFUSERS,
        parts=("lora",),
        width=_lora_inputs(shapes, unet, _LORA_TEXT),
        text_width=_lora_inputs(shapes, texts, _LORA_ENCODER),
        families=fitting.families,
        foreign="" if fitting.families and fitting.sized else fitting.relative or other,
    )


def _changed(shapes: Shapes, parsed: Mapping[str, LoraTensor]) -> Iterable[ChangedLayer]:
    """The layers of denoisers that a LoRA changes."""
    found: dict[str, list[int]] = {}
    for name, told in parsed.items():
        if told.part not in (UNET, OTHER_DENOISER):
            continue
        sizes = found.setdefault(told.module, [0, 0])
        if told.role in ("up", "hada_w1_a"):
            sizes[0] = _side(shapes, name, 0) or 0
        elif told.role in ("down", "hada_w1_b"):
            sizes[1] = _side(shapes, name, 1) or 0
    return (ChangedLayer(name, *sizes) for name, sizes in found.items())


def _foreign_lora(modules: Iterable[str]) -> str:
    """The architecture of a LoRA over layers that no UNet has."""
    starts = "\n".join(modules)
    return next((label for mark, label in LORA_MARKS if mark.search(starts)), LORA_OF_OTHERS)


def _lora_inputs(
    shapes: Shapes, tensors: Mapping[str, LoraTensor], module: re.Pattern[str]
) -> int | None:
    """Inputs of the first such layer that it changes; LoKr's are those of two factors."""
    fitting = (
        name
        for name, told in tensors.items()
        if told.role in _LORA_INPUTS and module.search(told.module)
    )
    name = next(fitting, "")
    inputs = _side(shapes, name, 1)
    stem, kronecker, _ = name.partition(".lokr_")
    if inputs is None or not kronecker:
        return inputs
    second = _side(shapes, f"{stem}.lokr_w2", 1) or _side(shapes, f"{stem}.lokr_w2_b", 1)
    return inputs * second if second else None
