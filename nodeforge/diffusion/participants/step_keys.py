"""Step keys: two runs share a step's key exactly when they share all that led to it.

Made from values, never from the cache keys of inputs: a prompt reached by another way is the
same prompt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from enum import Enum
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.participants.participant import Participant, check_registered
from nodeforge.diffusion.tensors.noise import DrawnNoise
from nodeforge.values import counted_fields

VERSION = "4"
"""Raised when a step's result changes for the same values."""


def tensor_digest(tensor: Tensor) -> str:
    """SHA-256 of a tensor's type, shape and bytes."""
    tensor = tensor.detach().cpu().contiguous()
    sha = hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
    if tensor.numel():
        sha.update(memoryview(tensor.reshape(-1).view(torch.uint8).numpy()))  # pyright: ignore[reportArgumentType]
    return sha.hexdigest()


class Digests:
    """SHA-256 of values made of plain data, dataclasses and tensors.

    The digest of a tensor is made once: tensors live as long as this object, so their ids do.
    """

    def __init__(self) -> None:
        self._tensors: dict[int, tuple[Tensor, str]] = {}

    def __call__(self, *parts: object) -> str:
        """The digest, in hexadecimal."""
        text = json.dumps([self._plain(part) for part in parts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _plain(self, value: object) -> Any:
        """`value` as JSON values; fields that are declared uncounted are left out.

        Raises:
            TypeError: it is of a type that has no digest.
        """
        match value:
            case Enum():
                return [type(value).__name__, value.name]
            case None | bool() | int() | float() | str():
                return value
            case Tensor():
                return ["tensor", self._digest(value)]
            case Mapping():
                return {str(name): self._plain(each) for name, each in value.items()}
            case Sequence():
                return [self._plain(each) for each in value]
            case _ if is_dataclass(value):
                named = {each: self._plain(getattr(value, each)) for each in counted_fields(value)}
                return [type(value).__name__, named]
        raise TypeError(f"{type(value).__name__} has no digest")

    def _digest(self, tensor: Tensor) -> str:
        if id(tensor) not in self._tensors:
            self._tensors[id(tensor)] = tensor, tensor_digest(tensor)
        return self._tensors[id(tensor)][1]


def step_keys(
    settled: Mapping[str, Any],
    drawn: DrawnNoise,
    start: Tensor,
    participants: Sequence[Participant],
    steps: int,
) -> list[str]:
    """The key after each of `steps` steps. How far the run goes is in none.

    Args:
        settled: Sampler, the whole schedule, family facts, model, numerics, ...
        drawn: Noise; its generators count by their states, its seeds by themselves.
        start: The noisy latent before the first step.
        participants: In the order in which they wrap each other.
        steps: How many steps are run.

    Raises:
        ParticipantError: one is not registered.
    """
    for each in participants:
        check_registered(each)
    digest = Digests()
    states = [generator.get_state() for generator in drawn.generators]
    fixed = [[each.order, type(each).__name__, each.fixed()] for each in participants]
    key = digest(VERSION, settled, states, drawn.seeds, drawn.start, start, fixed)
    keys: list[str] = []
    for step in range(steps):
        active = [[type(each).__name__, each.at(step)] for each in participants]
        key = digest(key, active)
        keys.append(key)
    return keys
