"""SwarmUI's metadata: ``sui_image_params`` in the JSON of ``parameters``.

Its names are SwarmUI's parameters without spaces; numbers may be texts. It draws with ComfyUI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodeforge.formats.parameters.foreign.chunks import json_object
from nodeforge.formats.parameters.foreign.picture_settings import (
    Given,
    HiresPass,
    LoraSettings,
    PictureSettings,
    number_of,
)
from nodeforge.formats.parameters.foreign.sampler_names import of_comfyui
from nodeforge.formats.parameters.hashes import PARAMETERS
from nodeforge.values.infotext import without_loras
from nodeforge.values.setting_names import AUTO

_IGNORED = (
    *("swarm_version", "date", "generation_time", "aspectratio", "images", "nopreviews"),
    *("imageformat", "automaticvae", "prep_time", "backend", "original_prompt", "wildcardseed"),
    *("original_negativeprompt", "used_wildcards", "personalnote", "donotsave"),
)


def read(texts: Mapping[str, str]) -> PictureSettings | None:
    """The settings in a picture of SwarmUI; None where it has none."""
    whole = json_object(texts.get(PARAMETERS, "")) or {}
    raw = whole.get("sui_image_params")
    if not isinstance(raw, dict):
        return None
    given = Given(raw)
    prompt, tags = without_loras(given.text("prompt"))
    made = PictureSettings("SwarmUI", prompt, given.text("negativeprompt"))
    sampler, schedule = given.text("sampler"), given.text("scheduler")
    made.sampler, made.schedule = of_comfyui(sampler, schedule)
    for name, told, found in (
        ("sampler", sampler, made.sampler),
        ("scheduler", schedule, made.schedule),
    ):
        if told and not found:
            made.not_understood[name] = told
    made.sampler, made.schedule = made.sampler or AUTO, made.schedule or AUTO
    made.steps, made.seed = given.whole("steps"), given.whole("seed")
    made.guidance = given.number("cfgscale")
    if (distilled := given.number("fluxguidancescale")) is not None:
        made.guidance, made.true_guidance = distilled, made.guidance
    made.width, made.height = given.whole("width"), given.whole("height")
    made.model, made.vae = given.text("model"), given.text("vae")
    made.vae = "" if made.vae.lower() in ("none", "automatic") else made.vae
    stop = given.whole("clipstopatlayer")
    made.clip_skip = -stop - 1 if stop and stop < 0 else None
    made.loras = [LoraSettings(*tag) for tag in tags] + _loras(given)
    made.strength = given.number("initimagecreativity")
    _read_refiner(made, given)
    made.not_understood |= given.rest(*_IGNORED)
    return made


def _loras(given: Given) -> list[LoraSettings]:
    names, weights = _listed(given.take("loras")), _listed(given.take("loraweights"))
    encoder = _listed(given.take("loratencweights"))
    found = []
    for place, name in enumerate(filter(None, names)):
        weight = _weight(weights, place, 1.0)
        found.append(LoraSettings(name, weight, _weight(encoder, place, weight)))
    return found


def _weight(weights: list[str], place: int, default: float) -> float:
    made = number_of(weights[place]) if place < len(weights) else None
    return default if made is None else float(made)


def _listed(raw: Any) -> list[str]:
    """A list, or a text with commas as older versions write it."""
    if isinstance(raw, str):
        return [each.strip() for each in raw.split(",")]
    return [str(each) for each in raw] if isinstance(raw, list) else []


def _read_refiner(made: PictureSettings, given: Given) -> None:
    """SwarmUI's refiner over the enlarged picture; without enlarging it is no pass of ours."""
    factor = given.number("refinerupscale")
    if not factor or factor <= 1:
        return
    strength = given.number("refinercontrolpercentage")
    strength = 0.2 if strength is None else strength
    steps = given.whole("refinersteps") or made.steps
    run = max(1, round(steps * strength)) if steps else None
    upscaler = given.text("refinerupscalemethod")
    made.hires = HiresPass(strength, run, factor, upscaler=_upscaler(upscaler))
    made.hires.guidance = given.number("refinercfgscale")
    given.take("refinermethod")


def _upscaler(method: str) -> str:
    """``latent-bicubic``, ``pixel-lanczos``, ``model-4x.pth`` in the names of A1111."""
    kind, _, name = method.partition("-")
    if kind in ("latent", "latentmodel"):
        return "Latent" if name == "bilinear" else f"Latent ({name})"
    return name.capitalize() if kind == "pixel" else name
