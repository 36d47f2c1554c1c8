"""How a parameter is entered, said in its annotation: ``Annotated[float, Range(0, 1)]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Range:
    """A number from `minimum` to `maximum`, both allowed; None is open.

    With `auto`, no number means that the model's own is used: the window says so. A slider ends at
    `soft_maximum`, where values beyond are allowed, but seldom of use.
    """

    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    auto: bool = False
    soft_maximum: float | None = None


@dataclass(frozen=True)
class Seed:
    """A whole number that `--seed` and the window's seed control set."""


@dataclass(frozen=True)
class Multiline:
    """Text of several lines, as a prompt.

    `names`: a kind of models that it may name: a prompt says ``embedding:style``, and
    `RunContext.named` finds ``style``.
    """

    names: str = ""


class Choice:
    """One of several texts. An `Enum` as the type says the same.

    Args:
        options: As they are stored, and as the node gets them.
        labels: What people call them, by option.
    """

    def __init__(self, *options: str, labels: Mapping[str, str] = MappingProxyType({})) -> None:
        self.options = options
        self.labels = tuple(labels.get(option, option) for option in options) if labels else ()


@dataclass(frozen=True)
class File:
    """A file or folder that the workflow reads.

    `kind`: ``image``, ``mask``, ``video``, ``audio``, ``text``, ``any``; ``folder`` for one of
    pictures, ``wildcards`` for one of wildcard files.
    """

    kind: str


@dataclass(frozen=True)
class ModelFile:
    """A model, by name. `kind`: ``checkpoint``, ``vae``, ``lora``, ``controlnet``.

    `goes_with`: the port of a denoiser that comes alone and needs this one; left empty, it is
    found in the model folders.
    """

    kind: str
    goes_with: str = ""
