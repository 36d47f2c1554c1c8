"""Samplers that diffusers has, called natively: its pipelines' numbers to the last bit."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import diffusers
import torch
from torch import Tensor

from nodeforge.diffusion.noise import Drawn
from nodeforge.diffusion.schedule import ScheduleError, first_step, whole_steps
from nodeforge.diffusion.steppers.brownian import brownian
from nodeforge.diffusion.steppers.stepper import Blend, Predict
from nodeforge.values import Sampler, Schedule


@dataclass(frozen=True)
class NativeSampler:
    """How diffusers calls a sampler of ours.

    Args:
        scheduler: Name of its class in diffusers.
        schedules: The schedules it can walk.
        config: What must be set in its configuration.
        state: Attributes that change while it walks, but for the index of the step.
        has_eta: Whether it takes an eta other than its own.
        preserves_variance: Its x is alpha * clean + sqrt(1 - alpha^2) * noise.
    """

    scheduler: str
    schedules: tuple[str, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    state: tuple[str, ...] = ()
    has_eta: bool = False
    preserves_variance: bool = False


_MULTISTEP = ("model_outputs", "lower_order_nums")

NATIVE: Mapping[str, NativeSampler] = {
    "euler": NativeSampler("EulerDiscreteScheduler", ("normal", "karras", "custom")),
    "euler_a": NativeSampler("EulerAncestralDiscreteScheduler", ("normal",)),
    "heun": NativeSampler("HeunDiscreteScheduler", ("normal", "karras")),
    "ddim": NativeSampler("DDIMScheduler", ("normal",), has_eta=True, preserves_variance=True),
    "dpmpp_2m": NativeSampler(
        "DPMSolverMultistepScheduler",
        ("normal", "karras"),
        {"algorithm_type": "dpmsolver++", "solver_order": 2},
        _MULTISTEP,
        preserves_variance=True,
    ),
    "dpmpp_2m_sde": NativeSampler(
        "DPMSolverMultistepScheduler",
        ("normal", "karras"),
        {"algorithm_type": "sde-dpmsolver++", "solver_order": 2},
        _MULTISTEP,
        preserves_variance=True,
    ),
    "dpmpp_sde": NativeSampler("DPMSolverSDEScheduler", ("normal", "karras")),
    "unipc": NativeSampler(
        "UniPCMultistepScheduler",
        ("normal", "karras"),
        state=(*_MULTISTEP, "timestep_list", "last_sample", "this_order"),
        preserves_variance=True,
    ),
    "lcm": NativeSampler("LCMScheduler", ("normal",), preserves_variance=True),
}


def scheduler_for(
    sampler: Sampler, schedule: Schedule, config: Mapping[str, Any], device: torch.device
) -> Any:
    """The diffusers scheduler that walks `schedule`, its timesteps set.

    Args:
        sampler: One of `NATIVE`.
        schedule: One that it can walk.
        config: The model's scheduler configuration.
        device: Where its timesteps are to be.

    Raises:
        ScheduleError: diffusers refuses the number of steps.
    """
    native = NATIVE[sampler.name]
    settings = {**config, **native.config}
    if "use_karras_sigmas" in inspect.signature(getattr(diffusers, native.scheduler)).parameters:
        settings["use_karras_sigmas"] = schedule.name == "karras"
    scheduler = getattr(diffusers, native.scheduler).from_config(settings)
    try:
        if schedule.name == "custom":
            scheduler.set_timesteps(sigmas=list(schedule.sigmas), device=device)
        else:
            scheduler.set_timesteps(schedule.steps, device=device)
    except ValueError as error:
        raise ScheduleError(
            f"{sampler.name} cannot make {schedule.steps} steps: {error}",
            way_out="Choose fewer steps, or another sampler.",
        ) from error
    return scheduler


class NativeStepper:
    """A `Stepper` around one of diffusers' schedulers."""

    def __init__(
        self,
        sampler: Sampler,
        schedule: Schedule,
        config: Mapping[str, Any],
        device: torch.device,
    ) -> None:
        first_step(schedule)  # refuses a schedule without a step
        self._native = NATIVE[sampler.name]
        self._eta = sampler.eta
        self._steps = whole_steps(schedule)
        self._build: Callable[[], Any] = lambda: scheduler_for(sampler, schedule, config, device)
        self._scheduler = self._build()
        self._order = int(self._scheduler.order)
        self._position = 0
        self._call = 0
        self._arguments: dict[str, Any] = {}

    @property
    def steps(self) -> int:
        return self._steps

    @property
    def position(self) -> int:
        return self._position

    def prepare(self, position: int, drawn: Drawn) -> None:
        self._scheduler = self._build()
        self._position = position
        self._call = self.calls_before(position)
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(self._call)
        if hasattr(self._scheduler, "noise_sampler_seed"):
            device = self._scheduler.timesteps.device
            self._scheduler.noise_sampler = brownian(drawn, self._scheduler.sigmas, device)
        wanted = {"generator": list(drawn.generators), "eta": self._eta or 0.0}
        taken = inspect.signature(self._scheduler.step).parameters
        self._arguments = {name: value for name, value in wanted.items() if name in taken}

    def pure_noise(self, noise: Tensor) -> Tensor:
        return noise * self._scheduler.init_noise_sigma

    def add_noise(self, clean: Tensor, noise: Tensor) -> Tensor:
        """`clean` itself where the last call is done."""
        if self._call >= len(self._scheduler.timesteps):
            return clean
        timestep = self._scheduler.timesteps[self._call : self._call + 1]
        return self._scheduler.add_noise(clean, noise, timestep)

    def step(self, predict: Predict, x: Tensor, blend: Blend | None) -> Tensor:
        for _ in range(self.calls_before(self._position + 1) - self._call):
            timestep = self._scheduler.timesteps[self._call]
            scaled = self._scheduler.scale_model_input(x, timestep)
            prediction = predict(scaled, timestep, self._sigma())
            x = self._scheduler.step(prediction, timestep, x, **self._arguments, return_dict=False)[
                0
            ]
            self._call += 1
            if blend:
                x = blend(x, self.add_noise)
        self._position += 1
        return x

    def calls_before(self, step: int) -> int:
        return min(step * self._order, len(self._scheduler.timesteps))

    def _sigma(self) -> Tensor:
        """The noise level of the next call."""
        scheduler = self._scheduler
        if hasattr(scheduler, "sigmas"):
            return scheduler.sigmas[self._call]
        alpha = scheduler.alphas_cumprod[scheduler.timesteps[self._call].long().cpu()]
        return ((1 - alpha) / alpha) ** 0.5

    def _scale(self) -> Tensor | float:
        if not self._native.preserves_variance or self._call >= len(self._scheduler.timesteps):
            return 1.0
        return (1 + self._sigma() ** 2) ** 0.5

    def to_sigmas(self, x: Tensor) -> Tensor:
        return x * self._scale()

    def from_sigmas(self, x: Tensor) -> Tensor:
        return x / self._scale()

    def state(self) -> dict[str, Any]:
        names = ("_step_index", *self._native.state)
        values = {name: getattr(self._scheduler, name, None) for name in names}
        return {"position": self._position, "scheduler": {n: _copy(v) for n, v in values.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._position = int(state["position"])
        self._call = self.calls_before(self._position)
        for name in ("_step_index", *self._native.state):
            if hasattr(self._scheduler, name) or name in self._native.state:
                value = _moved(state["scheduler"][name], self._scheduler.timesteps.device)
                setattr(self._scheduler, name, value)


def _copy(value: Any) -> Any:
    """A list of its own: the scheduler shifts its lists in place, its tensors it replaces."""
    return list(value) if isinstance(value, list) else value


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_moved(item, device) for item in value]
    return value.to(device) if isinstance(value, Tensor) else value
