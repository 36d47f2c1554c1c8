"""Steps that reuse what a transformer's blocks added in an earlier one.

First Block Cache (Cheng 2024, ParaAttention): where the first block adds about what it added in
the last step that was computed, so will the others. TeaCache (Liu et al. 2024, "Timestep Embedding
Tells: It's Time to Cache for Video Diffusion Model") judges by the first block's input instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.denoising.setup import DenoiseError, StepRange
from nodeforge.diffusion.networks.left_out_blocks import Added, BlockCall
from nodeforge.diffusion.participants import (
    BY_STEP,
    ModelCall,
    Order,
    Participant,
    Predict,
    participant,
)
from nodeforge.diffusion.participants.step_keys import Digests
from nodeforge.diffusion.tensors.conditioning import check_range, is_active
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.models import FAMILIES
from nodeforge.values import StepCache, uncounted


@dataclass(frozen=True)
class ComputedCall:
    """What a call left that was computed.

    Args:
        added: By its blocks.
        reused: How many calls in a row have reused it.
    """

    added: Added
    reused: int = 0


@dataclass
class ComputedCalls:
    """What calls left, by what each was asked: prompts, tile, expert.

    What a step does not ask for is forgotten after it, so that a guidance which comes again
    computes first.
    """

    of_step: dict[str, ComputedCall] = field(default_factory=dict)
    of_last_step: dict[str, ComputedCall] = field(default_factory=dict)

    def begin_step(self) -> None:
        self.of_last_step, self.of_step = self.of_step, {}

    def find(self, name: str) -> ComputedCall | None:
        return self.of_step.get(name) or self.of_last_step.get(name)


@participant(order=Order.NETWORK)
class CachedBlocks(Participant):
    """Leaves out the blocks after the first while that adds about the same.

    Calls are kept apart by all they are asked beside the latent. In a batch every item has to
    be about the same: they go through the network together.

    Args:
        threshold: The mean change of what the first block adds, as a share of its mean value.
        most: Calls in a row that may reuse what one has computed; most samplers make one a step.
        active: Whether it acts, of each step.
        calls: What earlier steps left.
    """

    threshold: float
    most: int
    active: tuple[bool, ...] = field(metadata=BY_STEP)
    calls: ComputedCalls = field(
        default_factory=ComputedCalls, metadata=uncounted("made by earlier steps")
    )

    def wrap(self, predict: Predict, step: int) -> Predict:
        self.calls.begin_step()
        if not self.active[step]:
            return predict
        digest = Digests()

        def predicted(call: ModelCall) -> Tensor:
            name = digest(call.batch, call.tile, call.frames, call.low_noise)
            found = self.calls.find(name)
            usable = found is not None and found.reused < self.most
            blocks = BlockCall(found.added if found and usable else None, self._alike)
            with blocks.within(call.model.network):
                prediction = predict(call)
            if found and blocks.reuses:
                self.calls.of_step[name] = replace(found, reused=found.reused + 1)
            elif blocks.added is not None:
                self.calls.of_step[name] = ComputedCall(blocks.added)
            return prediction

        return predicted

    def _alike(self, now: Tensor, before: Tensor) -> bool:
        return bool((relative_change(now, before) < self.threshold).all())

    def state(self) -> dict[str, Any]:
        return {
            name: {
                "first": call.added.on_cpu.first,
                "rest": call.added.on_cpu.rest,
                "pairs": list(call.added.pairs),
                "reused": call.reused,
            }
            for name, call in self.calls.of_step.items()
        }

    def restore(self, state: Mapping[str, Any], device: torch.device) -> None:
        self.calls.of_step = {
            name: ComputedCall(
                Added(kept["first"], kept["rest"], tuple(kept["pairs"])).to(device), kept["reused"]
            )
            for name, kept in state.items()
        }


def relative_change(now: Tensor, before: Tensor) -> Tensor:
    """The mean change of each item of a batch, as a share of its mean value, float32."""
    axes = tuple(range(1, now.dim()))
    change = (now - before).abs().mean(axes, dtype=torch.float32)
    return change / before.abs().mean(axes, dtype=torch.float32)


def cached_blocks(how: StepCache | None, facts: ModelFacts, steps: StepRange) -> list[Participant]:
    """What takes part for a step cache; nothing where it changes nothing.

    Raises:
        DenoiseError: the model is a UNet.
        RangeError: its end is not after its start.
    """
    if how is None or how.neutral:
        return []
    check_range(how.start, how.end)
    family = FAMILIES[facts.family]
    if family.is_unet:
        raise DenoiseError(
            f"{family.label} is a UNet: a step cache acts on the blocks of transformers.",
            place="port 'model'",
            way_out="Take the node 'Step cache' away.",
        )
    active = tuple(
        is_active(how.start, how.end, step - steps.first, steps.steps)
        for step in range(steps.start, steps.stop)
    )
    return [CachedBlocks(how.threshold, how.most, active)]
