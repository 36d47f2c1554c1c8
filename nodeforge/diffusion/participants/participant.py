"""The protocol of what takes part in the denoise loop.

A participant is a frozen dataclass. Its fields are its part of the step keys: there is no other
way to give it a value that changes numbers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import Field, dataclass, field, fields
from enum import IntEnum
from typing import Any, ClassVar, TypeVar, dataclass_transform

import torch

from nodeforge.diffusion.participants.host import Host
from nodeforge.diffusion.participants.model_call import Predict
from nodeforge.diffusion.samplers.stepper import Blend
from nodeforge.errors import NodeForgeError
from nodeforge.values import counted_fields

_BY_STEP = "by_step"
BY_STEP: Mapping[str, Any] = {_BY_STEP: True}
"""Metadata of a field that holds one entry for each step of the run; entry i is in the key of
step i and of those after it."""

Kind = TypeVar("Kind", bound=type["Participant"])


class ParticipantError(NodeForgeError):
    """A class that cannot take part in the loop."""


class Order(IntEnum):
    """Which participant wraps which, from the network outwards. Part of the key."""

    NETWORK = 0
    PREFILL = 5
    IMAGE_PROMPTS = 10
    PERTURBATION = 20
    CHANNELS = 30
    CONTROL = 40
    GUIDANCE_EMBEDDING = 50
    NEXT_TIMESTEP = 55
    TILES = 60
    FRAMES = 62
    WINDOWS = 65
    GUIDANCE = 70
    MASK = 80


class Participant:
    """Something that takes part in the denoise loop; register its class with `participant`.

    Steps are counted from the first one of this run.
    """

    order: ClassVar[Order]

    def fixed(self) -> dict[str, Any]:
        """What holds for the whole run, by field."""
        return {
            each.name: getattr(self, each.name)
            for each in _counted(self)
            if _BY_STEP not in each.metadata
        }

    def at(self, step: int) -> dict[str, Any]:
        """What holds in `step`, by field."""
        return {
            each.name: getattr(self, each.name)[step]
            for each in _counted(self)
            if _BY_STEP in each.metadata
        }

    def loaded(self, host: Host, steps: range) -> AbstractContextManager[None]:
        """Entered before the first of `steps`: loads the networks that they need."""
        return nullcontext()

    def around(self, model: Any, step: int) -> AbstractContextManager[None]:
        """Entered around a step: changes the loaded model, and leaves it as it was."""
        return nullcontext()

    def wrap(self, predict: Predict, step: int) -> Predict:
        """`predict` with this participant around it, for one step."""
        return predict

    def blend(self, step: int) -> Blend | None:
        """What changes x after each model call of a step."""
        return None

    def state(self) -> dict[str, Any]:
        """What it keeps from step to step: JSON values and tensors, for checkpoints."""
        return {}

    def restore(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on from `state`."""


def _counted(each: Participant) -> list[Field[Any]]:
    """The fields that are in keys."""
    names = counted_fields(each)
    return [field for field in fields(each) if field.name in names]  # pyright: ignore[reportArgumentType]


_REGISTERED: dict[str, type[Participant]] = {}


def registered() -> tuple[type[Participant], ...]:
    """All classes that may take part."""
    return tuple(_REGISTERED.values())


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def participant(order: Order) -> Callable[[Kind], Kind]:
    """Make a class a participant: a frozen dataclass, wrapped in `order`.

    Raises:
        ParticipantError: it is no `Participant`, or makes its key in another way than from its
            fields.
    """

    def made(cls: Kind) -> Kind:
        if not issubclass(cls, Participant):
            raise ParticipantError(f"{cls.__name__} is no Participant.")
        if own := {"fixed", "at", "__eq__", "__hash__"} & cls.__dict__.keys():
            raise ParticipantError(
                f"{cls.__name__} defines '{sorted(own)[0]}'.",
                way_out="The key is made of its fields; declare what is not to count there.",
            )
        if plain := _plain_attributes(cls):
            raise ParticipantError(
                f"{cls.__name__}.{plain[0]} is no field.",
                way_out="Annotate it, so that it is part of the key.",
            )
        cls.order = order
        _REGISTERED[f"{cls.__module__}.{cls.__qualname__}"] = cls
        return dataclass(frozen=True, eq=False)(cls)

    return made


def _plain_attributes(cls: type) -> list[str]:
    """Values in the class body that are not annotated, and so would be in no key."""
    skipped = (staticmethod, classmethod, property)
    return [
        name
        for name, value in cls.__dict__.items()
        if not name.startswith("__")
        and name not in inspect.get_annotations(cls)
        and not callable(value)
        and not isinstance(value, skipped)
    ]


def check_registered(each: Participant) -> None:
    """Raise `ParticipantError` unless the class of `each` was made by `participant`."""
    if _REGISTERED.get(f"{type(each).__module__}.{type(each).__qualname__}") is not type(each):
        raise ParticipantError(
            f"{type(each).__name__} is not registered.", way_out="Decorate it with @participant."
        )
