"""Computes what a transformer makes of prompt and references once a run instead of in each step.

Possible where these see neither the latent nor the timestep: their keys and values are the same in
every step (Qwen-Image 2.1, Flux.2 klein KV).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.families import Behaviour
from nodeforge.diffusion.networks.kv_cache import KvCache
from nodeforge.diffusion.participants import ModelCall, Order, Participant, Predict, participant
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.values import uncounted


@dataclass
class FilledCaches:
    """The caches of a run, with the inputs that each was made of.

    What a step does not ask for is forgotten after it: it may be gigabytes.
    """

    of_step: list[tuple[PromptInputs, KvCache]] = field(default_factory=list)
    of_last_step: list[tuple[PromptInputs, KvCache]] = field(default_factory=list)

    def begin_step(self) -> None:
        self.of_last_step, self.of_step = self.of_step, []

    def find(self, said: PromptInputs) -> KvCache | None:
        for kept in (self.of_step, self.of_last_step):
            for inputs, cache in kept:
                if same_inputs(inputs, said):
                    return cache
        return None

    def keep(self, said: PromptInputs, cache: KvCache) -> None:
        if not any(kept is cache for _, kept in self.of_step):
            self.of_step.append((said, cache))


@participant(order=Order.PREFILL)
class Prefill(Participant):
    """Gives calls the KV cache of their prompts and references.

    The cache is filled by a call of its own, before the first step of a run and of one that is
    entered again: so both compute the same numbers, whatever the dtype.

    Args:
        behaviour: Fills it.
        filled: The caches of the run.
    """

    behaviour: Behaviour = field(metadata=uncounted("the family is in the key"))
    filled: FilledCaches = field(
        default_factory=FilledCaches, metadata=uncounted("made of the inputs")
    )

    def wrap(self, predict: Predict, step: int) -> Predict:
        self.filled.begin_step()

        def predicted(call: ModelCall) -> Tensor:
            said = call.batch.inputs
            cache = self.filled.find(said)
            if cache is None:
                cache = self.behaviour.prefill(call.model, said)
            if cache is None:
                return predict(call)
            self.filled.keep(said, cache)
            batch = replace(call.batch, inputs=replace(said, kv_cache=cache))
            return predict(replace(call, prompts=batch))

        return predicted


def same_inputs(one: PromptInputs, other: PromptInputs) -> bool:
    """Whether two say the same."""
    return all(_same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))


def _same(one: Any, other: Any) -> bool:
    match one, other:
        case Tensor(), Tensor():
            return one is other or (one.shape == other.shape and torch.equal(one, other))
        case tuple(), tuple():
            return len(one) == len(other) and all(map(_same, one, other))
    return one == other
