"""A1111's infotext, as A1111, Forge, SD.Next and NodeForge write it, and Fooocus if asked to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from nodeforge.formats.parameters.foreign.picture_settings import (
    Given,
    HiresPass,
    LoraSettings,
    PictureSettings,
)
from nodeforge.formats.parameters.foreign.sampler_names import of_labels
from nodeforge.formats.parameters.hashes import LORA_KEY, PARAMETERS
from nodeforge.formats.parameters.passes import HIRES_SEED
from nodeforge.values import infotext
from nodeforge.values.output_names import BATCH_POS, BATCH_SIZE, CONVENTION
from nodeforge.values.sampling_labels import CONVENTION_LABELS
from nodeforge.values.setting_names import AUTO, COMFYUI, DIFFUSERS

OURS = "NodeForge"
_IGNORED = ("VAE hash", "Inpaint area", "TI hashes", "Face restoration", "RNG")


def read(texts: Mapping[str, str]) -> PictureSettings | None:
    """The settings in ``parameters``; None where it is no infotext."""
    text = infotext.read(texts.get(PARAMETERS, ""))
    if not {"Steps", "Sampler", "Seed"} & text.facts.keys():
        return None
    given = Given(text.facts)
    prompt, tags = infotext.without_loras(text.prompt)
    made = PictureSettings(_program(given.text("Version")), prompt, text.negative)
    _read_sampling(made, given)
    hashes = _hashes(given)
    made.loras = [LoraSettings(*tag, hash=hashes.get(tag.name, "")) for tag in tags]
    made.model, made.model_hash = given.text("Model"), given.text("Model hash")
    made.vae = given.text("VAE")
    made.mask = given.text("Mask blur") != ""
    skip = given.whole("Clip skip")
    made.clip_skip = skip - 1 if skip else None
    _read_passes(made, given)
    made.not_understood |= given.rest(*_IGNORED)
    if text.rest:
        made.not_understood["lines after the settings"] = text.rest[:80]
    if made.program != OURS:
        made.differences += _differences(text.facts)
    return made


def _read_sampling(made: PictureSettings, given: Given) -> None:
    sampler, schedule = given.text("Sampler"), given.text("Schedule type")
    made.sampler, made.schedule = of_labels(sampler, schedule)
    for name, label, found in (
        ("Sampler", sampler, made.sampler),
        ("Schedule type", schedule, made.schedule),
    ):
        if not found:
            made.not_understood[name] = label
    made.sampler, made.schedule = made.sampler or AUTO, made.schedule or AUTO
    made.steps = given.whole("Steps")
    made.guidance = given.number("CFG scale")
    if (distilled := given.number("Distilled CFG Scale")) is not None:
        made.guidance, made.true_guidance = distilled, made.guidance
    made.rescale = given.number("CFG Rescale")
    made.seed = given.whole("Seed")
    made.width, made.height = size_of(given.text("Size"))
    told = given.text(CONVENTION)
    if made.program == OURS:
        made.convention = COMFYUI if told == CONVENTION_LABELS[COMFYUI] else DIFFUSERS
    size, item = given.whole(BATCH_SIZE), given.whole(BATCH_POS)
    if made.program == OURS and made.convention == COMFYUI:  # the others seed each one
        made.batch, made.item = size, item


def _read_passes(made: PictureSettings, given: Given) -> None:
    strength = given.number("Denoising strength")
    factor = given.number("Hires upscale")
    width, height = size_of(given.text("Hires resize"))
    if strength is None:
        return
    if not factor and not width:
        made.strength = strength
        return
    sampler, schedule = given.text("Hires sampler"), given.text("Hires schedule type")
    names = of_labels(sampler, schedule) if sampler else ("", of_labels("", schedule)[1])
    made.hires = HiresPass(
        strength,
        given.whole("Hires steps") or None,
        factor,
        width,
        height,
        given.text("Hires upscaler"),
        names[0],
        names[1] if schedule else "",
        given.number("Hires CFG Scale"),
        given.whole(HIRES_SEED),
    )


def size_of(text: str) -> tuple[int | None, int | None]:
    """Width and height of ``512x768``."""
    found = re.fullmatch(r"\D*(\d{1,5})\s*[x×*,]\s*(\d{1,5})\D*", text)
    return (int(found[1]), int(found[2])) if found else (None, None)


def _program(version: str) -> str:
    """By the version: ``v1.10.1``, ``f2.0.1v1.10.1`` (Forge), ``Fooocus v2.5``."""
    if version.startswith(OURS):
        return OURS
    if version.startswith("Fooocus"):
        return "Fooocus"
    return "Forge" if re.match(r"f\d|.*forge|neo", version, re.IGNORECASE) else "A1111"


def _hashes(given: Given) -> dict[str, str]:
    """Hashes of LoRAs by name: of A1111 and, where it is silent, of Civitai."""
    found: dict[str, str] = {}
    for each in given.text("Lora hashes").split(","):
        name, _, digits = each.rpartition(":")
        found[name.strip()] = digits.strip()
    try:
        civitai = json.loads(given.text("Hashes") or "{}")
    except (ValueError, RecursionError):
        civitai = {}
    for key, digits in civitai.items() if isinstance(civitai, dict) else ():
        if key.startswith(LORA_KEY) and isinstance(digits, str):
            found.setdefault(key.removeprefix(LORA_KEY), digits)
    return found


def _differences(facts: Mapping[str, str]) -> list[str]:
    if facts.get("RNG") == "CPU":
        return []
    return ["Noise is drawn on the CPU here, and on the graphics card there: seeds differ."]
