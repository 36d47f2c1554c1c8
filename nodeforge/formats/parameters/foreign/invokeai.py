"""InvokeAI's metadata: ``invokeai_metadata`` since 3.0, ``sd-metadata`` before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nodeforge.formats.parameters.foreign.chunks import json_object
from nodeforge.formats.parameters.foreign.picture_settings import (
    Given,
    LoraSettings,
    PictureSettings,
    number_of,
)
from nodeforge.formats.parameters.foreign.sampler_names import of_invokeai
from nodeforge.values.setting_names import AUTO, DIFFUSERS

_IGNORED = (
    *("app_version", "generation_mode", "rand_device", "workflow", "graph", "board_id"),
    *("canvas_v2_metadata", "_canvas_objects", "sdxl_style_preset", "metadata_version"),
)


def read(texts: Mapping[str, str]) -> PictureSettings | None:
    """The settings in a picture of InvokeAI; None where it has none."""
    raw = json_object(texts.get("invokeai_metadata", ""))
    old = json_object(texts.get("sd-metadata", ""))
    if raw is None and old is None:
        return None
    given = Given(raw if raw is not None else _flat(old or {}))
    made = PictureSettings("InvokeAI", convention=DIFFUSERS)
    made.prompt = given.text("positive_prompt")
    made.negative = given.text("negative_prompt")
    _read_styles(made, given)
    scheduler = given.text("scheduler")
    made.sampler, made.schedule = of_invokeai(scheduler)
    if not made.sampler:
        made.sampler = made.schedule = AUTO
        made.not_understood["scheduler"] = scheduler
    made.steps, made.seed = given.whole("steps"), given.whole("seed")
    made.guidance = given.number("cfg_scale")
    if (distilled := given.number("guidance")) is not None:
        made.guidance, made.true_guidance = distilled, made.guidance
    made.rescale = given.number("cfg_rescale_multiplier") or None
    made.width, made.height = given.whole("width"), given.whole("height")
    made.clip_skip = given.whole("clip_skip") or None
    made.model, made.vae = _name(given.take("model")), _name(given.take("vae"))
    made.loras = [*_loras(given.take("loras"))]
    strength = given.number("strength", "denoising_strength")
    if "img2img" in str(given.left.get("generation_mode", "")) or given.take("init_image"):
        made.strength = strength if strength is not None else 1.0
    made.mask = "inpaint" in str(given.left.get("generation_mode", ""))
    made.not_understood |= given.rest(*_IGNORED)
    if re.search(r"\w[+-]{1,}(\s|,|$)|\)[+-]|\)\d|\.(and|blend|swap)\(", made.prompt):
        made.differences.append(
            "Weights in the prompt are InvokeAI's, such as (fox)1.2 and fox++; write (fox:1.2)."
        )
    return made


def _flat(old: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of InvokeAI 2 with the names of today."""
    picture = old.get("image")
    picture = dict(picture) if isinstance(picture, dict) else {}
    prompt = picture.pop("prompt", "")
    if isinstance(prompt, list):
        parts = (each.get("prompt", "") for each in prompt if isinstance(each, dict))
        prompt = ", ".join(map(str, parts))
    positive, negative = _divided(str(prompt))
    renamed = {"scheduler": picture.pop("sampler", ""), "model": old.get("model_weights", "")}
    picture.pop("type", None)
    return {**picture, **renamed, "positive_prompt": positive, "negative_prompt": negative}


def _divided(prompt: str) -> tuple[str, str]:
    """InvokeAI 2 has what is not wanted in brackets inside the prompt."""
    unwanted = re.findall(r"\[([^\[\]]*)\]", prompt)
    return re.sub(r"\s*\[[^\[\]]*\]", "", prompt).strip(), ", ".join(unwanted)


def _read_styles(made: PictureSettings, given: Given) -> None:
    """SDXL's second prompt, of which we have none: it is added where it says something else."""
    styles = {name: given.text(f"{name}_style_prompt") for name in ("positive", "negative")}
    for name, style in styles.items():
        if style not in ("", made.prompt, made.negative):
            made.not_understood[f"{name}_style_prompt"] = style[:80]


def _loras(raw: Any) -> list[LoraSettings]:
    found = []
    for each in raw if isinstance(raw, list) else ():
        if isinstance(each, dict) and (name := _name(each.get("model") or each.get("lora"))):
            weight = number_of(each.get("weight", 1.0))
            weight = 1.0 if weight is None else float(weight)
            found.append(LoraSettings(name, weight, weight))
    return found


def _name(raw: Any) -> str:
    """A model's name: InvokeAI 4 has ``name``, 3 ``model_name``, 2 the name alone."""
    if isinstance(raw, dict):
        raw = raw.get("name") or raw.get("model_name")
    return raw if isinstance(raw, str) else ""
