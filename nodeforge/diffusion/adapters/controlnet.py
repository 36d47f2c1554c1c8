"""ControlNets (Zhang et al. 2023) and T2I-Adapters: which act in a step, and what they add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from diffusers.models.adapter import T2IAdapter
from torch import Tensor

from nodeforge import imaging
from nodeforge.diffusion.errors import FamilyMismatchError
from nodeforge.diffusion.networks.loading import LoadedControlNet
from nodeforge.diffusion.tensors.conditioning import acts, check_range
from nodeforge.diffusion.tensors.prompt_inputs import Said
from nodeforge.diffusion.tensors.tiles import Place
from nodeforge.errors import NodeForgeError
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Control, ControlNet, Image, Prompt


class HintError(NodeForgeError):
    """A picture that a ControlNet cannot take."""


@dataclass(frozen=True)
class Residuals:
    """What is added inside a UNet.

    Args:
        down: One tensor for each of its skips, (batch, channels, height, width); empty where
            only adapters act.
        mid: The same for its middle.
        levels: The same for each of its levels on the way down, of adapters.
    """

    down: tuple[Tensor, ...] = ()
    mid: tuple[Tensor, ...] = ()
    levels: tuple[Tensor, ...] = ()

    def __add__(self, other: Residuals) -> Residuals:
        return Residuals(
            _sum(self.down, other.down), _sum(self.mid, other.mid), _sum(self.levels, other.levels)
        )

    def to(self, dtype: torch.dtype) -> dict[str, Any]:
        """The arguments of diffusers' UNets."""
        told: dict[str, Any] = {}
        if self.mid:
            told["down_block_additional_residuals"] = tuple(t.to(dtype) for t in self.down)
            told["mid_block_additional_residual"] = self.mid[0].to(dtype)
        if self.levels:  # the UNet takes them out of the list
            told["down_intrablock_additional_residuals"] = [t.to(dtype) for t in self.levels]
        return told


def _sum(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    if not (first and second):
        return first or second
    return tuple(a + b for a, b in zip(first, second, strict=True))


def steer(
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
        hint: One picture, or one for each of the batch; of any size.
        strength: Weight of its influence; 0 is none.
        start: Share of the steps run from which it acts.
        end: Share of the steps run up to which it acts.

    Raises:
        FamilyMismatchError: the ControlNet is for another family.
        RangeError: `end` is not after `start`, or either is outside of 0..1.
    """
    check_range(start, end)
    made = Control(controlnet, hint, strength, start, end)
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


def acting_controls(prompt: Prompt, step: int, steps: int) -> tuple[Control, ...]:
    """The controls of `prompt` that act in whole step `step` of the `steps` run."""
    return tuple(
        each
        for each in prompt.controls
        if each.strength != 0 and acts(each.start, each.end, step, steps)
    )


def same_control(each: Control) -> tuple[object, ...]:
    """Equal for controls that do the same in a step."""
    return each.controlnet.weights.fingerprint, each.strength, id(each.hint.pixels)


class Steering:
    """Asks the ControlNets of a run.

    Args:
        networks: By the fingerprint of their weights.
        width, height: Of the picture, pixels; hints are brought to this size.
        scale: Pixels for one cell of the latent.
        check: Called before each of them; what it raises stops the run.
    """

    def __init__(
        self,
        networks: Mapping[str, LoadedControlNet],
        width: int,
        height: int,
        scale: int,
        check: Callable[[], None],
    ) -> None:
        self._networks = networks
        self._scale = scale
        self._size = width, height
        self._check = check
        self._hints: dict[int, Tensor] = {}

    def __call__(
        self, controls: tuple[Control, ...], x: Tensor, timestep: Tensor, said: Said, place: Place
    ) -> Residuals | None:
        """What `controls` add together; None where there are none.

        Args:
            controls: All that act.
            x: As the denoiser reads it, without an inpainting model's extra channels.
            timestep: One, without axes.
            said: What the prompts say.
            place: Where `x` lies in the picture's latent.
        """
        total = None
        for each in controls:
            self._check()
            added = self._ask(each, x, timestep, said, place)
            total = added if total is None else total + added
        return total

    def _ask(
        self, each: Control, x: Tensor, timestep: Tensor, said: Said, place: Place
    ) -> Residuals:
        network: Any = self._networks[each.controlnet.weights.fingerprint].network
        hint = place.cut(self._hint(each.hint), self._scale).to(x.device, network.dtype)
        if isinstance(network, T2IAdapter):
            return self._levels(network, hint, x, each.strength)
        down, mid = network(
            x.to(network.dtype),
            timestep,
            controlnet_cond=hint.repeat(x.shape[0] // hint.shape[0], 1, 1, 1),
            conditioning_scale=each.strength,
            return_dict=False,
            **said.arguments(network.dtype),
        )
        return Residuals(tuple(down), (mid,))

    def _levels(self, network: Any, hint: Tensor, x: Tensor, strength: float) -> Residuals:
        """What an adapter adds; it does not look at `x`."""
        if network.config.in_channels == 1:
            hint = hint.mean(dim=1, keepdim=True)
        # the layout in memory that diffusers' pipelines give it: it decides the last bit
        hint = hint.contiguous(memory_format=torch.channels_last)
        times = x.shape[0] // hint.shape[0]
        levels = (level * strength for level in network(hint))
        return Residuals(levels=tuple(torch.cat([level] * times) for level in levels))

    def _hint(self, hint: Image) -> Tensor:
        """(batch, 3, height, width), 0..1, in the picture's size."""
        if id(hint.pixels) not in self._hints:
            pixels = hint.pixels[..., :3]
            if (hint.width, hint.height) != self._size:
                sized = imaging.each(lambda one: imaging.resize(one, *self._size), pixels.numpy())
                pixels = torch.from_numpy(sized)
            self._hints[id(hint.pixels)] = pixels.permute(0, 3, 1, 2).contiguous()
        return self._hints[id(hint.pixels)]
