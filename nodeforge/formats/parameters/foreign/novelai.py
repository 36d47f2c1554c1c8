"""NovelAI's metadata: JSON in the chunk ``Comment``, beside ``Software`` and ``Source``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nodeforge.formats.parameters.foreign.chunks import json_object
from nodeforge.formats.parameters.foreign.picture_settings import Given, PictureSettings
from nodeforge.formats.parameters.foreign.sampler_names import of_novelai
from nodeforge.values.setting_names import AUTO

_IGNORED = (
    *("n_samples", "request_type", "signed_hash", "v4_prompt", "v4_negative_prompt", "version"),
    *("prompt", "uc", "dynamic_thresholding_percentile", "dynamic_thresholding_mimic_scale"),
    *("stream", "legacy", "legacy_v3_extend", "add_original_image", "extra_noise_seed"),
)
_NEUTRAL = (False, 0, 0.0, 1, 1.0, None, [], "")
"""What switches something off in NovelAI."""
_BRACES = re.compile(r"[{}\[\]]")
_WEIGHT = re.compile(r"(-?\d+(?:\.\d+)?)::(.*?)\s*::", re.DOTALL)


def read(texts: Mapping[str, str]) -> PictureSettings | None:
    """The settings in a picture of NovelAI; None where it has none."""
    raw = json_object(texts.get("Comment", ""))
    if raw is None or "NovelAI" not in (texts.get("Software", "") + texts.get("Source", "")):
        return None
    given = Given(raw)
    made = PictureSettings("NovelAI")
    made.prompt = weighted(_caption(raw, "v4_prompt") or _told(raw, "prompt", texts))
    made.negative = weighted(_caption(raw, "v4_negative_prompt") or _told(raw, "uc", {}))
    sampler, schedule = given.text("sampler"), given.text("noise_schedule")
    made.sampler, made.schedule = of_novelai(sampler, schedule)
    if sampler and not made.sampler:
        made.not_understood["sampler"] = sampler
    if schedule and not made.schedule:
        made.not_understood["noise_schedule"] = schedule
    made.sampler, made.schedule = made.sampler or AUTO, made.schedule or AUTO
    made.steps, made.seed = given.whole("steps"), given.whole("seed")
    made.guidance = given.number("scale")
    made.rescale = given.number("cfg_rescale") or None
    made.width, made.height = given.whole("width"), given.whole("height")
    strength = given.number("strength")
    if "Img2Img" in str(raw.get("request_type", "")):
        made.strength = strength
    rest = {
        name: value for name, value in given.left.items() if value is True or value not in _NEUTRAL
    }
    made.not_understood |= Given(rest).rest(*_IGNORED)
    made.differences.append(
        f"{texts.get('Source') or 'Its model'} is NovelAI's alone: choose a model in 'Load model'."
    )
    return made


def weighted(prompt: str) -> str:
    """NovelAI's ``{more}``, ``[less]`` and ``1.3::words::`` as ``(words:1.3)``.

    A brace multiplies by 1.05; round brackets are letters there. Unbalanced ones stay.
    """
    made = _WEIGHT.sub(r"(\2:\1)", re.sub(r"(?<!\\)([()])", r"\\\1", prompt))
    depth: list[str] = []
    for brace in _BRACES.findall(made):
        if brace in "{[":
            depth.append(brace)
        elif not depth or depth.pop() + brace not in ("{}", "[]"):
            return made
    if depth:
        return made
    closing = {"{": "(", "[": "(", "}": ":1.05)", "]": ":0.95)"}
    return _BRACES.sub(lambda found: closing[found[0]], made)


def _told(raw: Mapping[str, Any], name: str, texts: Mapping[str, str]) -> str:
    value = raw.get(name) or texts.get("Description", "")
    return value if isinstance(value, str) else ""


def _caption(raw: Mapping[str, Any], name: str) -> str:
    """The prompt of version 4: a base, and a caption for each character."""
    told = raw.get(name)
    caption = told.get("caption") if isinstance(told, dict) else None
    if not isinstance(caption, dict):
        return ""
    characters = caption.get("char_captions")
    parts = [caption.get("base_caption")]
    for each in characters if isinstance(characters, list) else ():
        parts.append(each.get("char_caption") if isinstance(each, dict) else None)
    return ", ".join(part for part in parts if isinstance(part, str) and part)
