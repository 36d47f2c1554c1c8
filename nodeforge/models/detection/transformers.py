"""Detects denoisers and text encoders by the marks that their families and kinds declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nodeforge.models.detection.found import FoundNetworks, Shapes
from nodeforge.models.detection.info import Kind, Layout
from nodeforge.models.families import FAMILIES, TEXT_ENCODER_KINDS, Family, Task, TextEncoderKind
from nodeforge.models.families.common.signature import Place, Signature

VAE_PREFIXES = ("first_stage_model.", "vae.", "pretransform.model.", "")
"""Before the names of a VAE's tensors."""

SOUND_VAES = ("decoder.layers.0.weight_v", "decoder.conv1.weight_v")
"""The first tensor of a sound VAE's decoder, by its authors' name and diffusers'."""

_WRAPPERS = (
    *("model.language_model.", "language_model.model.", "language_model."),
    *("model.", ""),
)
_EYES = "visual.blocks.0."
_GGUF_ARCHITECTURE = "general.architecture"
_BEFORE_TEXT = "text_encoders.{}.transformer."


def find_denoiser(shapes: Shapes) -> FoundNetworks | None:
    """A denoiser alone, or with text encoders and VAE, of a family with a signature."""
    fitting = [
        (family, family.signature, place)
        for family in FAMILIES.values()
        if family.signature and (place := family.signature.find(shapes.keys()))
    ]
    if not fitting:
        return None
    fitting.sort(key=lambda each: -len(each[1].marks))  # more marks are the closer fit
    family, signature, place = fitting[0]
    others = _others(shapes, family)
    reads = signature.length(place, signature.sides["in_channels"], shapes)
    made = signature.length(place, signature.latent, shapes)
    task = Task.INPAINTING if (reads or 0) > 2 * (made or 0) else Task.TEXT_TO_IMAGE
    return FoundNetworks(
        kind=Kind.CHECKPOINT if others else Kind.UNET,
        layout=Layout.ORIGINAL if place.original else Layout.DIFFUSERS,
        parts=(family.denoiser, *others),
        width=signature.length(place, signature.text, shapes),
        in_channels=reads,
        latent_channels=made,
        families=tuple(each.name for each, _, _ in fitting),
        variants=_variants(family, signature, place, shapes, task),
        foreign=_stranger(signature, place, shapes),
    )


def find_text_encoder(shapes: Shapes, metadata: Mapping[str, str]) -> FoundNetworks | None:
    """A text encoder alone that is no CLIP."""
    told = metadata.get(_GGUF_ARCHITECTURE, "")
    sees = any(_EYES in name for name in shapes) or told in _blind_architectures()
    for kind in sorted(_marked_kinds(), key=lambda kind: kind.sees is not sees):
        for wrapper in _WRAPPERS:
            marked = all(wrapper + mark in shapes for mark in kind.marks)
            if marked and (not kind.common_marks or _fits(kind, *_table(shapes, wrapper, kind))):
                return _text_encoder(shapes, wrapper, kind, told)
    return None


def bundled_prefix(kind: TextEncoderKind, shapes: Mapping[str, object]) -> str:
    """What a checkpoint has before the names of a text encoder's tensors; empty without one."""
    for name in kind.bundled:
        start = _BEFORE_TEXT.format(name)
        inner = [*kind.table, *(f"text_model.{each}" for each in kind.table)]
        inner += [f"{wrapper}{each}" for wrapper in _WRAPPERS for each in kind.table]
        if any(start + each in shapes for each in inner):
            return start
    return ""


def _marked_kinds() -> Iterator[TextEncoderKind]:
    return (kind for kind in TEXT_ENCODER_KINDS.values() if kind.marks)


def _blind_architectures() -> set[str]:
    """What GGUF files of language models say that see, of which these lack the network for that."""
    return {kind.blind for kind in _marked_kinds() if kind.blind}


def _text_encoder(shapes: Shapes, wrapper: str, like: TextEncoderKind, told: str) -> FoundNetworks:
    """The kind of this architecture whose table of words is as wide and as long."""
    words, width = _table(shapes, wrapper, like)
    label = ""
    alike = [
        kind
        for kind in _marked_kinds()
        if kind.network == like.network and all(wrapper + mark in shapes for mark in kind.marks)
    ]
    found = next((kind for kind in alike if _fits(kind, words, width)), None)
    blind = found is not None and found.sees and not any(_EYES in name for name in shapes)
    if found is not None and blind and told != found.blind:  # there are such of words alone
        label = f"{found.label} without the network that sees pictures"
    if found is None:
        label = f"{like.label.rpartition('-')[0]} of width {width} with {words:,} words"
    return FoundNetworks(
        kind=Kind.TEXT_ENCODER,
        layout=Layout.DIFFUSERS,
        parts=("text_encoder",),
        text_width=width,
        encoder=found.name if found and not label else "",
        families=_readers(found) if found and not label else (),
        foreign=label,
    )


def _table(shapes: Shapes, wrapper: str, kind: TextEncoderKind) -> tuple[int, int]:
    """Words and width of the table that a file has for them; 0 where it has none."""
    table = next((shapes[wrapper + name] for name in kind.table if wrapper + name in shapes), ())
    words, width = (*table, 0, 0)[:2]
    return words, width


def _fits(kind: TextEncoderKind, words: int, width: int) -> bool:
    """Whether a table of this size is a kind's."""
    return kind.width == width and kind.words in (0, words)


def _readers(kind: TextEncoderKind) -> tuple[str, ...]:
    """The families that read with a kind of text encoder; those with no other one come first."""
    reading = [f for f in FAMILIES.values() if kind.name in f.text_encoders.values()]
    return tuple(f.name for f in sorted(reading, key=lambda f: len(f.text_encoders)))


def _others(shapes: Shapes, family: Family) -> tuple[str, ...]:
    """The networks that lie beside the denoiser, as a diffusers folder calls them."""
    texts = (
        folder
        for folder, kind in family.text_encoders.items()
        if bundled_prefix(TEXT_ENCODER_KINDS[kind], shapes)
    )
    firsts = ("decoder.conv_in.weight", "decoder.conv1.weight", *SOUND_VAES)
    decoders = (f"{prefix}{first}" for prefix in VAE_PREFIXES for first in firsts)
    return (*texts, *(("vae",) if any(name in shapes for name in decoders) else ()))


def _variants(
    family: Family, signature: Signature, place: Place, shapes: Shapes, task: Task
) -> tuple[str, ...]:
    """The variants that a file may hold, by its tensors."""
    return tuple(
        name
        for name, variant in family.variants.items()
        if variant.task in (None, task)
        and all(
            (signature.tensor(place, tensor) in shapes) is there
            for tensor, there in variant.tensors.items()
        )
    )


def _stranger(signature: Signature, place: Place, shapes: Shapes) -> str:
    """The label of a relative that is not run; empty where it is none."""
    starts = tuple(place.prefix + mark for mark in signature.strangers)
    if starts and (there := next((name for name in shapes if name.startswith(starts)), "")):
        plain = there.removeprefix(place.prefix)
        return next(label for mark, label in signature.strangers.items() if plain.startswith(mark))
    reads = signature.length(place, signature.sides["in_channels"], shapes)
    made = signature.length(place, signature.latent, shapes)
    return signature.inputs.get(reads // made, "") if reads and made and reads % made == 0 else ""
