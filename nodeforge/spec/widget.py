"""How a plain value is entered, and what values are allowed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class NumberWidget:
    """A whole or decimal number; both ends of the range are allowed, None is open."""

    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None


@dataclass(frozen=True)
class SeedWidget:
    """A whole number from 0 to 2**63 - 1 that the user may fix, randomise or count up."""

    minimum: int = 0
    maximum: int = 2**63 - 1


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

    def label(self, option: str) -> str:
        """What people call `option`; its name where nothing else is said."""
        known = dict(zip(self.options, self.labels, strict=False))
        return known.get(option, option)


@dataclass(frozen=True)
class FileWidget:
    """A file the workflow may read. `kind`: ``image``, ``mask``, ``any``."""

    kind: str


@dataclass(frozen=True)
class ModelFileWidget:
    """A model by name. `kind`: ``checkpoint``, ``vae``, ``lora``, ``controlnet``, ..."""

    kind: str


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
