"""The denoise loop: one for every family and sampler.

It owns the walk through the steps, progress, cancelling and checkpoints. A sampler is one step;
what else changes numbers is a participant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nodeforge.diffusion.adapters.controlnet import check_hints
from nodeforge.diffusion.denoising.auto import resolved
from nodeforge.diffusion.denoising.chosen import chosen_participants
from nodeforge.diffusion.denoising.experts import Experts
from nodeforge.diffusion.denoising.preview import clip_preview, factors_of
from nodeforge.diffusion.denoising.setup import (
    Denoising,
    Start,
    StepRange,
    check_alike,
    check_numbers,
    latent_size,
    set_up,
    step_range,
)
from nodeforge.diffusion.families import Behaviour, behaviour
from nodeforge.diffusion.memory.residency import found_weights
from nodeforge.diffusion.participants import Host, ModelCall, Participant, Predict
from nodeforge.diffusion.participants.step_keys import step_keys
from nodeforge.diffusion.samplers.pairs import make_stepper
from nodeforge.diffusion.samplers.stepper import Blend, Stepper
from nodeforge.diffusion.samplers.stepper import Predict as Predicting
from nodeforge.diffusion.tensors.conditioning import check_areas
from nodeforge.diffusion.tensors.prediction import Clean, as_noised
from nodeforge.diffusion.tensors.tiles import Tile
from nodeforge.diffusion.weights.model_facts import ModelFacts, facts
from nodeforge.values import Checkpoint, Latent

if TYPE_CHECKING:
    import numpy as np


def denoise(host: Host, task: Denoising) -> Latent:
    """Run the loop, from the furthest step that an earlier run has left.

    Args:
        host: Gives the network, takes progress, keeps checkpoints.
        task: What to do.

    Returns:
        The latent, float32 on the CPU. Stopped early, it still holds noise: clean + sigma *
        noise, whatever the sampler, so that another may go on.

    Raises:
        NodeForgeError: inputs do not belong together, or the sampler cannot walk the schedule.
        Cancelled: the person stopped the run; between model calls.
    """
    return _loop(host, task).run()


def estimate(host: Host, task: Denoising, until: float) -> Latent:
    """Run a share of the steps, and give the clean estimate that the last of them was made of.

    A run of the same task, with all its steps, goes on from the checkpoint after it.

    Args:
        host: Gives the network, takes progress, keeps checkpoints.
        task: What to do.
        until: The share of its steps, above 0 and up to 1; rounded up to a whole step.

    Returns:
        The latent as it would be decoded, float32 of half precision, on the CPU.

    Raises:
        NodeForgeError: as `denoise`.
        Cancelled: the person stopped the run; between model calls.
    """
    return _loop(host, task).estimate(until)


def _loop(host: Host, task: Denoising) -> _Loop:
    weights = found_weights(task.model.weights)
    known = facts(replace(task.model, weights=weights))
    check_alike(task, known)
    task = resolved(task, known)
    family = behaviour(known.family)
    if task.negative is None:
        task = replace(task, negative=family.default_negative(task.positive, known))
    height, width = latent_size(task, known)
    convention = task.sampler.convention
    config = family.scheduler_for(known, height, width, task.schedule, convention)
    device = torch.device(host.device)
    stepper = make_stepper(task.sampler, task.schedule, config, device)
    steps = step_range(task, stepper)
    start = set_up(task, known, stepper, steps.start, device)
    pictures = start.frame.batch * start.frame.frames
    check_hints(pictures, task.positive, task.negative)
    check_areas(start.frame.batch, task.positive, task.negative)
    participants = chosen_participants(host, task, known, family, config, start, steps, stepper)
    return _Loop(host, task, family, stepper, steps, start, config, known, participants)


_ROUNDING = 1e-6
"""So much above a whole number of steps is that number: 0.3 of 10 are 3."""


@dataclass
class _Loop:
    """One run of the loop."""

    host: Host
    task: Denoising
    family: Behaviour
    stepper: Stepper
    steps: StepRange
    start: Start
    config: Mapping[str, Any]
    facts: ModelFacts
    participants: Sequence[Participant]
    _last: tuple[Tensor, Tensor, Tensor] | None = None
    _found: Checkpoint | None = None

    def run(self) -> Latent:
        return self._latent(self.stepper.to_sigmas(self._walk(self._keys())))

    def estimate(self, until: float) -> Latent:
        # the first steps of the whole walk: a sampler may plan them by where it stops
        keys = self._keys()
        keys = keys[: max(1, math.ceil(len(keys) * until - _ROUNDING))]
        self._walk(keys)
        self.host.steps.keep(keys[-1])
        if self._last is None and self._found is not None and self._found.clean is not None:
            return replace(self._found.clean, samples=self._found.clean.samples.float())
        return self._latent(self._clean().half().float())  # as a checkpoint would give it

    @torch.no_grad()
    def _walk(self, keys: Sequence[str]) -> Tensor:
        """x after the last step."""
        x = self._resume(keys)
        if self._index < len(keys):
            with ExitStack() as used:
                left = range(self._index, len(keys))
                for each in self.participants:
                    used.enter_context(each.loaded(self.host, left))
                # the denoiser comes last and leaves first: what a use sets, it takes back in turn
                with Experts(self.host, self.task.model, self.config) as experts:
                    for step in left:
                        x = self._step(experts, x, step, keys)
        return x

    @property
    def _index(self) -> int:
        """The step that comes next, counted from the first of this run."""
        return self.stepper.position - self.steps.start

    def _keys(self) -> list[str]:
        """The step key after each step. How far the task goes is in none, but for samplers whose
        numbers depend on it.
        """
        # what participants stand for is in their own part of the key, and only where it acts
        model = replace(
            self.task.model, loras=(), freeu=None, tiling=None, motion=None, step_cache=None
        )
        settled = {
            "model": model,
            "sampler": self.task.sampler,
            "schedule": self.task.schedule,
            "facts": self.facts,
            "scheduler": self.config,
            "start": self.steps.start,
            "stop": self.steps.stop if self.stepper.reads_stop else None,
            "numerics": self.host.numerics,
        }
        if self.facts.cells:  # what the model is told of the length
            settled["seconds"] = self.start.frame.seconds
        drawn, count = self.start.drawn, self.steps.stop - self.steps.start
        return step_keys(settled, drawn, self.start.x, self.participants, count)

    def _resume(self, keys: Sequence[str]) -> Tensor:
        """x where an earlier run of these steps has left it, else at the start."""
        found = self.host.steps.furthest(keys)
        if found is None:
            return self.start.x
        _, checkpoint = found
        self._found = checkpoint
        self.stepper.restore(checkpoint.stepper)
        for each in self.participants:
            state = checkpoint.participants.get(type(each).__name__, {})
            each.restore(state, self.start.x.device)
        generators = self.start.drawn.generators
        for generator, state in zip(generators, checkpoint.generators, strict=True):
            generator.set_state(state)
        self.host.progress(self._index, len(keys))
        return checkpoint.latent.samples.to(self.start.x.device)

    def _step(self, experts: Experts, x: Tensor, step: int, keys: Sequence[str]) -> Tensor:
        predict: Predict = self._call_network
        with ExitStack() as around:
            for each in self.participants:
                around.enter_context(each.around(experts.now, step))
                predict = each.wrap(predict, step)
            x = self.stepper.step(self._predicting(experts, predict), x, self._blend(step))
        checkpoint = self._checkpoint(x)
        check_numbers(checkpoint.latent, f"step {step + 1} of {len(keys)}")
        self.host.steps.store(keys[step], checkpoint)
        self.host.progress(step + 1, len(keys), self._preview, **self._preview_rate)
        return x

    def _call_network(self, call: ModelCall) -> Tensor:
        self.host.check()
        self.host.count_model_call()
        inputs = call.batch.inputs
        return self.family.predict(call.model, call.x, call.timestep, inputs, call.residuals)

    def _predicting(self, experts: Experts, predict: Predict) -> Predicting:
        def predicting(x: Tensor, timestep: Tensor, sigma: Tensor) -> Tensor:
            model = experts.at(timestep)
            whole = Tile(0, 0, *x.shape[-2:])
            low = experts.draws_low_noise
            call = ModelCall(model, x, timestep, sigma, whole, low_noise=low)
            prediction = predict(call)
            self._last = prediction, x, sigma
            return prediction

        return predicting

    def _blend(self, step: int) -> Blend | None:
        """What participants do to x after a model call, one after another."""
        blends = [blend for each in self.participants if (blend := each.blend(step))]
        if len(blends) < 2:
            return blends[0] if blends else None

        def blended(x: Tensor, add_noise: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
            for each in blends:
                x = each(x, add_noise)
            return x

        return blended

    def _checkpoint(self, x: Tensor) -> Checkpoint:
        states = {type(each).__name__: each.state() for each in self.participants}
        return Checkpoint(
            latent=self._latent(x),
            step=self.stepper.position,
            call=self.stepper.calls,
            stepper=_on_cpu(self.stepper.state()),
            participants=_on_cpu({name: state for name, state in states.items() if state}),
            generators=tuple(g.get_state() for g in self.start.drawn.generators),
            clean=self._latent(self._clean().half()),
        )

    def _latent(self, x: Tensor) -> Latent:
        return replace(self.start.frame, samples=x.cpu())

    def _clean(self) -> Tensor:
        """The clean estimate of the last model call, on the CPU."""
        assert self._last is not None
        prediction, x, sigma = (tensor.float().cpu() for tensor in self._last)
        kind = str(self.config.get("prediction_type", "epsilon"))
        return Clean(as_noised(x, sigma, kind), sigma, kind)(prediction)

    @property
    def _preview_rate(self) -> dict[str, float]:
        """How fast the preview of a video is shown: a cell along time is several frames."""
        if "T" not in self.facts.layout:
            return {}
        return {"rate": self.facts.rate / self.facts.frames_in_cell}

    def _preview(self) -> np.ndarray:
        factors = factors_of(self.facts.space, self.facts.latent_channels)
        return clip_preview(self._clean()[0], self.facts.layout, factors)


def _on_cpu(state: Any) -> Any:
    match state:
        case Tensor():
            return state.cpu()
        case dict():
            return {name: _on_cpu(value) for name, value in state.items()}
        case list():
            return [_on_cpu(value) for value in state]
    return state
