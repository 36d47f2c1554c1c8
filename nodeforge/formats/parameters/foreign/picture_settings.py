"""The settings that made a picture of another program, in our names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodeforge.values.setting_names import AUTO, COMFYUI


@dataclass
class LoraSettings:
    """A LoRA, by its name in the other program.

    Args:
        name: Without a folder, or with one.
        model_weight, text_weight: How much it counts.
        hash: The first digits of its SHA-256, whole or after the header; empty where not told.
    """

    name: str
    model_weight: float = 1.0
    text_weight: float = 1.0
    hash: str = ""


@dataclass
class HiresPass:
    """A second pass over the enlarged picture.

    Args:
        strength: Share of its schedule that is run.
        steps: Steps that are run; None for those of the first pass.
        factor: How many times larger; None where the size is told.
        width, height: In pixels.
        upscaler: As the other program names it.
        sampler, schedule: Empty for those of the first pass.
        guidance, seed: None for those of the first pass.
    """

    strength: float
    steps: int | None = None
    factor: float | None = None
    width: int | None = None
    height: int | None = None
    upscaler: str = ""
    sampler: str = ""
    schedule: str = ""
    guidance: float | None = None
    seed: int | None = None


@dataclass
class PictureSettings:
    """What made a picture. None and empty stand for what is not told.

    Args:
        program: That made it.
        convention: Whose numbers its loop follows, as near as there is one.
        strength: Share of the schedule that was run on a picture; None for text to image.
        true_guidance: Of models with two guidances, that of the negative prompt.
        item: The place in a batch that was drawn at once.
        not_understood: By name, what has no place in a workflow.
        differences: Sentences that say why the picture will be another one here.
    """

    program: str
    prompt: str = ""
    negative: str = ""
    sampler: str = AUTO
    schedule: str = AUTO
    steps: int | None = None
    guidance: float | None = None
    true_guidance: float | None = None
    rescale: float | None = None
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    model: str = ""
    model_hash: str = ""
    vae: str = ""
    loras: list[LoraSettings] = field(default_factory=list)
    clip_skip: int | None = None
    strength: float | None = None
    mask: bool = False
    hires: HiresPass | None = None
    convention: str = COMFYUI
    batch: int | None = None
    item: int | None = None
    not_understood: dict[str, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)


class Given:
    """What a picture says, by name; what is taken is understood, the rest is reported.

    Args:
        raw: Plain JSON values, or texts.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.left = dict(raw)

    def take(self, *names: str) -> Any:
        """The first of some values that is there; all of them count as understood."""
        found = [self.left.pop(name, None) for name in names]
        return next((each for each in found if each is not None), None)

    def text(self, *names: str) -> str:
        value = self.take(*names)
        return value.strip() if isinstance(value, str) else ""

    def number(self, *names: str) -> float | None:
        return self._number(names)

    def whole(self, *names: str) -> int | None:
        value = self._number(names)
        if value is None:
            return None
        if value != int(value):
            self.left[names[0]] = value
            return None
        return int(value)

    def _number(self, names: tuple[str, ...]) -> Any:
        """A finite number; anything else is left, and so reported."""
        value = self.take(*names)
        if value is None:
            return None
        made = number_of(value)
        if made is None:
            self.left[names[0]] = value
        return made

    def rest(self, *ignored: str) -> dict[str, str]:
        """What was not taken, as text; `ignored` does not change a picture."""
        kept = {name: value for name, value in self.left.items() if name not in ignored}
        return {name: _short(value) for name, value in kept.items() if value not in (None, "")}


def number_of(value: Any) -> int | float | None:
    """A finite number, also as text; seeds keep all their digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().removeprefix("-").isdecimal():
        return int(value) if len(value) < 30 else None
    try:
        made = value if isinstance(value, int) else float(value)
    except (TypeError, ValueError):
        return None
    return made if isinstance(made, int) or math.isfinite(made) else None


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
