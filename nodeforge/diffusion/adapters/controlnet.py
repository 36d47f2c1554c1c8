"""ControlNets (Zhang et al. 2023) and T2I-Adapters: which act in a step, and what they add."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import field, replace
from typing import Any

import torch
from torch import Tensor

from nodeforge import imaging
from nodeforge.diffusion.errors import FamilyMismatchError
from nodeforge.diffusion.networks.loading import LoadedControlNet
from nodeforge.diffusion.participants import (
    BY_STEP,
    Host,
    ModelCall,
    Order,
    Participant,
    Predict,
    Residuals,
    networks_loaded,
    participant,
)
from nodeforge.diffusion.tensors.conditioning import check_range, is_active
from nodeforge.errors import NodeForgeError
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Control, ControlNet, Image, Prompt, uncounted

_OF_THE_LATENT = uncounted("follows from the start latent")


class HintError(NodeForgeError):
    """A picture that a ControlNet cannot take."""


def add_control(
    conditioning: Conditioning,
    controlnet: ControlNet,
    hint: Image,
    strength: float,
    start: float = 0.0,
    end: float = 1.0,
) -> Conditioning:
    """Steer every prompt by `hint`, beside what steers it already.

    Args:
        conditioning: The prompts.
        controlnet: The network that reads the hint.
        hint: One picture, or one for each of the batch; of any size. What is transparent is
            black to the network.
        strength: Weight of its influence; 0 is none.
        start: Share of the steps run from which it acts.
        end: Share of the steps run up to which it acts.

    Raises:
        FamilyMismatchError: the ControlNet is for another family.
        RangeError: `end` is not after `start`, or either is outside of 0..1.
    """
    check_range(start, end)
    seen = Image(hint.colours) if hint.has_alpha else hint
    made = Control(controlnet, seen, strength, start, end)
    prompts = tuple(replace(p, controls=(*p.controls, made)) for p in conditioning.prompts)
    steered = replace(conditioning, prompts=prompts)
    check_controls(steered, conditioning.family, "port 'controlnet'")
    return steered


def check_controls(conditioning: Conditioning | None, family: str, place: str) -> None:
    """Raise `FamilyMismatchError` unless all controls are for models of `family`."""
    for prompt in conditioning.prompts if conditioning else ():
        for each in prompt.controls:
            if (other := each.controlnet.weights.family) != family:
                raise FamilyMismatchError(
                    f"the ControlNet is for {FAMILIES[other].label}, "
                    f"the model is {FAMILIES[family].label}.",
                    place=place,
                    way_out="Choose a ControlNet that was made for the model.",
                )


def check_hints(batch: int, *conditionings: Conditioning | None) -> None:
    """Raise `HintError` unless each control has one hint, or one for each of the batch."""
    for conditioning in conditionings:
        for prompt in conditioning.prompts if conditioning else ():
            for each in prompt.controls:
                if each.hint.batch not in (1, batch):
                    raise HintError(
                        f"a ControlNet has {each.hint.batch} pictures for {batch}.",
                        way_out="Give it one picture, or one for each of the batch.",
                    )


def active_controls(prompt: Prompt, step: int, steps: int) -> tuple[Control, ...]:
    """The controls that are active in whole step `step` of the `steps` run, without ranges."""
    return tuple(
        replace(each, start=0.0, end=1.0)
        for each in prompt.controls
        if each.strength != 0 and is_active(each.start, each.end, step, steps)
    )


def same_control(each: Control) -> tuple[object, ...]:
    """Equal for controls that do the same in a step."""
    return each.controlnet.weights.fingerprint, each.strength, id(each.hint.pixels)


@participant(order=Order.CONTROL)
class ControlNets(Participant):
    """Calls the ControlNets and T2I-Adapters, and hands their residuals to the denoiser.

    Args:
        controls: Those that are active in each step.
        width, height: Of the picture, pixels; hints are brought to this size.
        scale: Pixels for one cell of the latent.
        check: Called before each network; what it raises stops the run.
        networks: Loaded for the run, by the fingerprint of their weights.
        hints: As the networks read them, by the identity of their pixels.
    """

    controls: tuple[tuple[Control, ...], ...] = field(metadata=BY_STEP)
    width: int = field(metadata=_OF_THE_LATENT)
    height: int = field(metadata=_OF_THE_LATENT)
    scale: int = field(metadata=_OF_THE_LATENT)
    check: Callable[[], None] = field(metadata=uncounted("stops a run"))
    networks: dict[str, LoadedControlNet] = field(
        default_factory=dict, metadata=uncounted("loaded by the recipes of 'controls'")
    )
    hints: dict[int, Tensor] = field(
        default_factory=dict, metadata=uncounted("made of the hints of 'controls'")
    )

    def loaded(self, host: Host, steps: range) -> AbstractContextManager[None]:
        recipes = {
            control.controlnet.weights.fingerprint: control.controlnet
            for step in steps
            for control in self.controls[step]
        }
        return networks_loaded(host, recipes, self.networks)

    def wrap(self, predict: Predict, step: int) -> Predict:
        if not self.controls[step]:
            return predict

        def predicted(call: ModelCall) -> Tensor:
            return predict(replace(call, residuals=self._residuals(call)))

        return predicted

    def _residuals(self, call: ModelCall) -> Residuals | None:
        """What the controls of a call add together; None where there are none."""
        total = None
        for each in call.batch.controls:
            self.check()
            added = self._residuals_of(each, call)
            total = added if total is None else total + added
        return total

    def _residuals_of(self, each: Control, call: ModelCall) -> Residuals:
        from diffusers.models.adapter import T2IAdapter

        network: Any = self.networks[each.controlnet.weights.fingerprint].network
        x = call.x
        hint = self._hint(each.hint)
        if call.frames is not None and hint.shape[0] > 1:
            hint = hint[call.frames.start : call.frames.stop]
        hint = call.tile.cut(hint, self.scale).to(x.device, network.dtype)
        if isinstance(network, T2IAdapter):
            return self._levels(network, hint, x, each.strength)
        down, mid = network(
            x.to(network.dtype),
            call.timestep,
            controlnet_cond=hint.repeat(x.shape[0] // hint.shape[0], 1, 1, 1),
            conditioning_scale=each.strength,
            return_dict=False,
            **call.batch.inputs.arguments(network.dtype),
        )
        return Residuals(tuple(down), (mid,))

    @staticmethod
    def _levels(network: Any, hint: Tensor, x: Tensor, strength: float) -> Residuals:
        """What a T2I-Adapter adds; it does not look at `x`."""
        if network.config.in_channels == 1:
            hint = hint.mean(dim=1, keepdim=True)
        # the layout in memory that diffusers' pipelines give it: it decides the last bit
        hint = hint.contiguous(memory_format=torch.channels_last)
        times = x.shape[0] // hint.shape[0]
        levels = (level * strength for level in network(hint))
        return Residuals(levels=tuple(torch.cat([level] * times) for level in levels))

    def _hint(self, hint: Image) -> Tensor:
        """(batch, 3, height, width), 0..1, in the picture's size."""
        if id(hint.pixels) not in self.hints:
            pixels = hint.pixels[..., :3]
            size = self.width, self.height
            if (hint.width, hint.height) != size:
                sized = imaging.each(lambda one: imaging.resize(one, *size), pixels.numpy())
                pixels = torch.from_numpy(sized)
            self.hints[id(hint.pixels)] = pixels.permute(0, 3, 1, 2).contiguous()
        return self.hints[id(hint.pixels)]
