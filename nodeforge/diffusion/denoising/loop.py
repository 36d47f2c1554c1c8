"""The denoise loop: one for every family and sampler.

It owns the walk, progress, cancelling and checkpoints; a sampler is one step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from nodeforge.diffusion.adapters.controlnet import Steering, check_hints
from nodeforge.diffusion.denoising.inpainting import Keep
from nodeforge.diffusion.denoising.preview import factors_of, preview
from nodeforge.diffusion.denoising.setup import (
    Denoising,
    Start,
    Walk,
    check_alike,
    check_numbers,
    set_up,
    walk,
)
from nodeforge.diffusion.denoising.step_keys import StepKeys, root_key
from nodeforge.diffusion.families import StableDiffusion, behaviour
from nodeforge.diffusion.guidance.formulas import Memory
from nodeforge.diffusion.guidance.freeu import with_freeu
from nodeforge.diffusion.guidance.guided import Active, Asked, Guided, active
from nodeforge.diffusion.guidance.perturbed_attention import weakened
from nodeforge.diffusion.memory.residency import found_weights
from nodeforge.diffusion.networks.ip_adapter import LoadedIpAdapter, looking
from nodeforge.diffusion.networks.loading import LoadedModel
from nodeforge.diffusion.samplers.pairs import Stepper, make_stepper
from nodeforge.diffusion.tensors.conditioning import check_areas
from nodeforge.diffusion.tensors.prediction import Clean, as_noised
from nodeforge.diffusion.tensors.prompt_inputs import told_guidance
from nodeforge.diffusion.tensors.tiles import Place, in_places, tile_count
from nodeforge.diffusion.weights.model_facts import ModelFacts, facts
from nodeforge.values import Checkpoint, Latent, Prompt, Recipe

if TYPE_CHECKING:
    import numpy as np


class Steps(Protocol):
    """Where checkpoints are kept, by step key."""

    def furthest(self, keys: Sequence[str]) -> tuple[int, Checkpoint] | None:
        """The last of `keys` that is there, as its index and the checkpoint."""
        ...

    def store(self, key: str, checkpoint: Checkpoint) -> None: ...


class Host(Protocol):
    """What the loop asks of whoever runs it; `nodeforge.api.RunContext` is one."""

    @property
    def device(self) -> str: ...

    @property
    def numerics(self) -> Mapping[str, str]: ...

    @property
    def steps(self) -> Steps: ...

    def check(self) -> None: ...

    def progress(
        self,
        step: int,
        of: int,
        preview: Callable[[], np.ndarray] | None = None,
        part: float = 0.0,
    ) -> None: ...

    def count_model_call(self) -> None: ...

    def use(self, recipe: Recipe) -> AbstractContextManager[Any]: ...


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
    weights = found_weights(task.model.weights)
    known = facts(replace(task.model, weights=weights))
    check_alike(task, known)
    family = behaviour(known.family)
    if task.negative is None:
        task = replace(task, negative=family.unsaid(task.positive, known))
    told = None
    if known.guidance_width:  # the denoiser guides itself
        told = told_guidance(task.guidance.scale, known.guidance_width)
        unguided = task.guidance.each(lambda each: replace(each, scale=1.0))
        task = replace(task, guidance=unguided)
    config = {**known.scheduler, **family.scheduler}
    device = torch.device(host.device)
    stepper = make_stepper(task.sampler, task.schedule, config, device)
    which = walk(task, stepper)
    start = set_up(task, known, stepper, which.start, device)
    check_hints(start.drawn.start.shape[0], task.positive, task.negative)
    check_areas(start.drawn.start.shape[0], task.positive, task.negative)
    return _Loop(host, task, family, stepper, which, start, config, known, told).run()


@dataclass
class _Loop:
    """One run of the loop."""

    host: Host
    task: Denoising
    family: StableDiffusion
    stepper: Stepper
    walk: Walk
    start: Start
    config: Mapping[str, Any]
    facts: ModelFacts
    told: Tensor | None = None
    _last: tuple[Tensor, Tensor, Tensor] | None = None
    _memory: Memory = field(default_factory=Memory)
    _adapters: Mapping[str, LoadedIpAdapter] = field(default_factory=dict)
    _tiles_done: int = 0
    _tiles_a_step: int = 0

    def run(self) -> Latent:
        actives = [self._active(step) for step in range(self.walk.start, self.walk.stop)]
        keys = self._keys(actives)
        x = self._resume(keys)
        if self.stepper.position < self.walk.stop:
            with self.host.use(self.task.model) as model, torch.no_grad(), ExitStack() as used:
                used.enter_context(with_freeu(model.network, self.task.model.freeu))
                left = actives[self.stepper.position - self.walk.start :]
                steering = self._steering(left, used)
                self._adapters = self._looked_through(left, used)
                x = self._walk(model, steering, x, actives, keys)
        return self._latent(self.stepper.to_sigmas(x))

    def _active(self, step: int) -> Active:
        task = self.task
        share = step - self.walk.first
        return active(task.positive, task.negative, task.guidance, share, self.walk.steps)

    def _keys(self, actives: Sequence[Active]) -> list[str]:
        """The step key after each step. How far the task goes is in none."""
        settled = {
            "model": self.task.model.weights.fingerprint,
            "freeu": self.task.model.freeu and asdict(self.task.model.freeu),
            "tiles": self.start.tiles,
            "sampler": asdict(self.task.sampler),
            "schedule": asdict(self.task.schedule),
            "family": [self.facts.family, self.facts.in_channels, self.facts.scale],
            "scheduler": self.config,
            "told": None if self.told is None else self.told.tolist(),
            "start": self.walk.start,
            "numerics": dict(self.host.numerics),
        }
        fixed = [
            torch.empty(0) if tensor is None else tensor
            for tensor in (self.start.mask, self.start.original, self.start.extra)
        ]
        root = root_key(settled, self.start.drawn, self.start.x, fixed)
        return StepKeys(root, self.task.model.loras).chain(actives, self.task.positive.empty)

    def _resume(self, keys: Sequence[str]) -> Tensor:
        """x where an earlier run of these steps has left it, else at the start."""
        found = self.host.steps.furthest(keys)
        if found is None:
            return self.start.x
        _, checkpoint = found
        self.stepper.restore(checkpoint.stepper)
        self._memory.restore(checkpoint.guidance, self.start.x.device)
        generators = self.start.drawn.generators
        for generator, state in zip(generators, checkpoint.generators, strict=True):
            generator.set_state(state)
        self.host.progress(self.stepper.position - self.walk.start, len(keys))
        return checkpoint.latent.samples.to(self.start.x.device)

    def _steering(self, actives: Sequence[Active], used: ExitStack) -> Steering:
        """The ControlNets of these steps, in memory as long as `used` lasts."""
        recipes = {
            control.controlnet.weights.fingerprint: control.controlnet
            for what in actives
            for prompt in (*what.positive, *what.negative)
            for control in prompt.controls
        }
        networks = {mark: used.enter_context(self.host.use(r)) for mark, r in recipes.items()}
        frame = self.start.frame
        return Steering(networks, frame.width, frame.height, frame.scale, self.host.check)

    def _looked_through(
        self, actives: Sequence[Active], used: ExitStack
    ) -> dict[str, LoadedIpAdapter]:
        """The IP-Adapters of these steps, in memory as long as `used` lasts."""
        recipes = {
            image.adapter.weights.fingerprint: image.adapter
            for what in actives
            for prompt in (*what.positive, *what.negative)
            for image in prompt.images
        }
        return {mark: used.enter_context(self.host.use(r)) for mark, r in recipes.items()}

    def _walk(
        self,
        model: LoadedModel,
        steering: Steering,
        x: Tensor,
        actives: Sequence[Active],
        keys: Sequence[str],
    ) -> Tensor:
        keep = self._keep()
        for index in range(self.stepper.position - self.walk.start, len(actives)):
            empty = self.task.positive.empty
            guided = Guided(actives[index], empty, x, self._numbers, self._memory)
            if keep:
                keep.enter(self.stepper.position - self.walk.first)
            x = self.stepper.step(self._predict(model, steering, guided, keep), x, keep)
            checkpoint = self._checkpoint(x)
            check_numbers(checkpoint.latent, f"step {index + 1} of {len(actives)}")
            self.host.steps.store(keys[index], checkpoint)
            self.host.progress(index + 1, len(actives), self._preview)
            self._tiles_a_step, self._tiles_done = self._tiles_done, 0
        return x

    def _keep(self) -> Keep | None:
        start = self.start
        if start.mask is None or start.original is None:
            return None
        noise = start.drawn.start.to(start.original.device)
        return Keep(start.original, noise, start.mask, self.walk.steps)

    def _predict(
        self, model: LoadedModel, steering: Steering, guided: Guided, keep: Keep | None
    ) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        def predict(x: Tensor, timestep: Tensor, sigma: Tensor) -> Tensor:
            def network(x: Tensor, asked: Asked) -> Tensor:
                def work(part: Tensor, place: Place) -> Tensor:
                    self.host.check()
                    self.host.count_model_call()
                    said = replace(asked.said, guidance=self.told)
                    residuals = steering(asked.controls, part, timestep, said, place)
                    whole = self._with_extra(part, place)
                    with (
                        weakened(model.network, asked.weakened),
                        looking(model.network, asked.looks, self._adapters),
                    ):
                        done = self.family.predict(model, whole, timestep, said, residuals)
                    self._tell_part(x)
                    return done

                return self._by_tiles(x, work)

            prediction = guided(network, x, self._clean_at(x, sigma))
            if keep:
                prediction = keep.estimate(prediction, x, sigma, self._kind)
            self._last = (prediction, x, sigma)
            return prediction

        return predict

    def _tell_part(self, x: Tensor) -> None:
        """Say after each tile how far the step is: each is taken to need what the last one did."""
        if (tiles := self.start.tiles) is None:
            return
        self._tiles_done += 1
        height, width = x.shape[-2:]
        count = self._tiles_a_step or tile_count(height, width, *tiles)
        if self._tiles_done < count:
            at = self.stepper.position - self.walk.start
            of = self.walk.stop - self.walk.start
            self.host.progress(at, of, part=self._tiles_done / count)

    def _numbers(self, prompt: Prompt, wanted: bool) -> Tensor | None:
        frame = self.start.frame
        return self.family.numbers(prompt.framing, frame.width, frame.height, wanted)

    @property
    def _kind(self) -> str:
        return str(self.config.get("prediction_type", "epsilon"))

    def _by_tiles(self, x: Tensor, work: Callable[[Tensor, Place], Tensor]) -> Tensor:
        if (tiles := self.start.tiles) is None:
            return work(x, Place(0, 0, *x.shape[-2:]))
        return in_places(x, work, *tiles)

    def _with_extra(self, x: Tensor, place: Place) -> Tensor:
        extra = self.start.extra
        if extra is None:
            return x
        there = place.cut(extra).repeat(x.shape[0] // extra.shape[0], 1, 1, 1)
        return torch.cat([x, there], dim=1)

    def _checkpoint(self, x: Tensor) -> Checkpoint:
        return Checkpoint(
            latent=self._latent(x),
            step=self.stepper.position,
            call=self.stepper.calls,
            stepper=_on_cpu(self.stepper.state()),
            guidance=_on_cpu(self._memory.state()),
            generators=tuple(g.get_state() for g in self.start.drawn.generators),
            clean=self._latent(self._clean().half()),
        )

    def _latent(self, x: Tensor) -> Latent:
        return replace(self.start.frame, samples=x.cpu())

    def _clean(self) -> Tensor:
        """The clean estimate of the last model call, on the CPU."""
        assert self._last is not None
        prediction, x, sigma = (tensor.float().cpu() for tensor in self._last)
        return self._clean_at(x, sigma)(prediction)

    def _clean_at(self, x: Tensor, sigma: Tensor) -> Clean:
        """What predictions say of the clean latent at `x`, as the network reads it."""
        return Clean(as_noised(x, sigma, self._kind), sigma, self._kind)

    def _preview(self) -> np.ndarray:
        factors = factors_of(self.facts.latents, self.facts.latent_channels)
        return preview(self._clean()[0], factors)


def _on_cpu(state: Any) -> Any:
    match state:
        case Tensor():
            return state.cpu()
        case dict():
            return {name: _on_cpu(value) for name, value in state.items()}
        case list():
            return [_on_cpu(value) for value in state]
    return state
