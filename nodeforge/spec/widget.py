"""How a plain value is entered, and what values are allowed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class NumberWidget:
    """A whole or decimal number; both ends of the range are allowed, None is open.

    With `auto`, no number means that the model's own is used. A slider ends at `soft_maximum`;
    more can be typed.
    """

    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    auto: bool = False
    soft_maximum: float | None = None

    def allows(self, value: Any) -> bool:
        """Whether `value` is a finite number within the range."""
        return (
            isinstance(value, int | float)
            and math.isfinite(value)
            and (self.minimum is None or value >= self.minimum)
            and (self.maximum is None or value <= self.maximum)
        )

    @property
    def allowed(self) -> str:
        """The range in words."""
        if self.minimum is None or self.maximum is None:
            ends = (("at least", self.minimum), ("at most", self.maximum))
            told = [f"{word} {end:g}" for word, end in ends if end is not None]
            return told[0] if told else "a finite number"
        return f"from {self.minimum:g} to {self.maximum:g}"


@dataclass(frozen=True)
class SeedWidget:
    """A whole number from 0 to 2**63 - 1 that the user may fix, randomise or count up."""

    minimum: int = 0
    maximum: int = 2**63 - 1

    def allows(self, value: Any) -> bool:
        """Whether `value` is a seed."""
        return isinstance(value, int) and self.minimum <= value <= self.maximum

    @property
    def allowed(self) -> str:
        """The range in words."""
        return "a whole number from 0 to 2^63 - 1"


@dataclass(frozen=True)
class TextWidget:
    """Text; `multiline` for prompts and notes.

    `names`: the kind of models that it may name, as a prompt says ``embedding:style``.
    """

    multiline: bool = False
    names: str = ""


@dataclass(frozen=True)
class ToggleWidget:
    """On or off."""


@dataclass(frozen=True)
class ChoiceWidget:
    """One of `options`, by its name; `labels` are what people call them, in the same order."""

    options: tuple[str, ...]
    labels: tuple[str, ...] = ()

    def allows(self, value: Any) -> bool:
        """Whether `value` is one of the options."""
        return value in self.options

    @property
    def allowed(self) -> str:
        """The options in words."""
        return f"one of: {', '.join(self.options)}"

    def label(self, option: str) -> str:
        """What people call `option`; its name where nothing else is said."""
        known = dict(zip(self.options, self.labels, strict=False))
        return known.get(option, option)


@dataclass(frozen=True)
class FileWidget:
    """A file or folder that the workflow may read.

    `kind`: ``image``, ``mask``, ``video``, ``audio``, ``text``, ``any``; ``folder`` for one of
    pictures, ``wildcards`` for one of wildcard files, relative to the user's own.
    """

    kind: str


@dataclass(frozen=True)
class ModelFileWidget:
    """A model by name. `kind`: ``checkpoint``, ``vae``, ``lora``, ``controlnet``, ...

    `goes_with`: the port of a denoiser that comes alone and needs this one; left empty, it is
    found in the model folders.
    """

    kind: str
    goes_with: str = ""


LimitedWidget = NumberWidget | SeedWidget | ChoiceWidget
"""Widgets that say which values are allowed."""

Widget = (
    NumberWidget
    | SeedWidget
    | TextWidget
    | ToggleWidget
    | ChoiceWidget
    | FileWidget
    | ModelFileWidget
)

_KINDS: dict[str, type] = {
    "number": NumberWidget,
    "seed": SeedWidget,
    "text": TextWidget,
    "toggle": ToggleWidget,
    "choice": ChoiceWidget,
    "file": FileWidget,
    "model_file": ModelFileWidget,
}
_NAMES = {cls: name for name, cls in _KINDS.items()}


def widget_to_json(widget: Widget) -> dict[str, Any]:
    return {"widget": _NAMES[type(widget)], **asdict(widget)}


def widget_from_json(raw: dict[str, Any]) -> Widget:
    fields = {name: tuple(v) if isinstance(v, list) else v for name, v in raw.items()}
    return _KINDS[str(fields.pop("widget"))](**fields)


def unset_text(widget: Widget | None) -> str:
    """What people read where there is no value: ``auto`` is the model's own, or found."""
    left_open = (isinstance(widget, NumberWidget) and widget.auto) or (
        isinstance(widget, ModelFileWidget) and widget.goes_with
    )
    return "auto" if left_open else "not set"
