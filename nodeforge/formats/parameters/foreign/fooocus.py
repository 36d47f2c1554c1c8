"""Fooocus' own metadata: JSON in ``parameters``, or in EXIF's UserComment.

Asked for A1111's form, it writes that (`a1111`). It draws with ComfyUI's samplers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nodeforge.formats.parameters.foreign.a1111 import size_of
from nodeforge.formats.parameters.foreign.chunks import json_object
from nodeforge.formats.parameters.foreign.picture_settings import (
    Given,
    LoraSettings,
    PictureSettings,
    number_of,
)
from nodeforge.formats.parameters.foreign.sampler_names import of_comfyui
from nodeforge.formats.parameters.hashes import PARAMETERS
from nodeforge.values.setting_names import AUTO

_IGNORED = ("metadata_scheme", "version", "created_by", "full_prompt", "full_negative_prompt")
_KNOWN = {"base_model", "guidance_scale", "prompt"}


def read(texts: Mapping[str, str]) -> PictureSettings | None:
    """The settings in a picture of Fooocus; None where it has none."""
    raw = json_object(texts.get(PARAMETERS, ""))
    if raw is None or not raw.keys() >= _KNOWN:
        return None
    given = Given(raw)
    made = PictureSettings("Fooocus", given.text("prompt"), given.text("negative_prompt"))
    sampler, schedule = given.text("sampler"), given.text("scheduler")
    made.sampler, made.schedule = of_comfyui(sampler, schedule)
    if sampler and not made.sampler:
        made.not_understood["sampler"] = sampler
    if schedule and not made.schedule:
        made.not_understood["scheduler"] = schedule
    made.sampler, made.schedule = made.sampler or AUTO, made.schedule or AUTO
    made.steps, made.seed = given.whole("steps"), given.whole("seed")
    made.guidance = given.number("guidance_scale")
    size = given.take("resolution")
    sides = size if isinstance(size, list) else []
    made.width, made.height = size_of("x".join(map(str, sides)) if sides else str(size or ""))
    made.model, made.model_hash = given.text("base_model"), given.text("base_model_hash")
    vae = given.text("vae")
    made.vae = "" if vae.lower().startswith("default") else vae
    skip = given.whole("clip_skip")
    made.clip_skip = skip - 2 if skip and skip > 2 else None
    made.loras = [*_loras(given)]
    if given.left.get("refiner_model") in (None, "", "None"):
        given.take("refiner_model", "refiner_switch")
    _read_styles(made, given)
    made.not_understood |= given.rest(*_IGNORED)
    made.differences.append(
        "Fooocus sharpens and adapts the guidance as it draws, which has no counterpart here."
    )
    return made


def _read_styles(made: PictureSettings, given: Given) -> None:
    """Styles add words, which Fooocus keeps beside the prompt that a person wrote."""
    positive, negative = (given.take(f"full_{name}") for name in ("prompt", "negative_prompt"))
    for name, told in (("prompt", positive), ("negative", negative)):
        words = [str(each) for each in told] if isinstance(told, list) else []
        if words:
            setattr(made, name, ", ".join(dict.fromkeys(words)))
            given.take("styles")


def _loras(given: Given) -> Iterator[LoraSettings]:
    """``loras`` with name, weight and hash; older ones ``lora_combined_1``: ``name : 0.5``."""
    listed = given.take("loras")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, list) and each and isinstance(each[0], str):
            yield _lora(each[0], each[1] if len(each) > 1 else 1.0, str(each[2:3] and each[2]))
    for key in [name for name in given.left if name.startswith("lora_combined_")]:
        name, _, weight = given.text(key).rpartition(" : ")
        if name and listed is None:
            yield _lora(name, weight, "")


def _lora(name: str, weight: Any, digits: str) -> LoraSettings:
    made = number_of(weight)
    made = 1.0 if made is None else float(made)
    return LoraSettings(name, made, made, digits if digits.isalnum() else "")
