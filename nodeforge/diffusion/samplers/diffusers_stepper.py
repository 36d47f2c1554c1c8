"""Samplers of diffusers, called natively: the bits of its pipelines."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nodeforge.diffusion.samplers.brownian import brownian
from nodeforge.diffusion.samplers.stepper import Blend, NegativePrediction, Predict
from nodeforge.diffusion.schedules.schedule import (
    LEAST_ALPHA,
    MU,
    ROUNDS_UP,
    SINGLE,
    TO_ZERO,
    ScheduleError,
    check_ddim,
    check_flow,
    first_step,
    is_edm,
    shift_of,
    trained_betas,
    whole_steps,
)
from nodeforge.diffusion.tensors.noise import DrawnNoise
from nodeforge.diffusion.tensors.prediction import FLOW, share
from nodeforge.values import Sampler, Schedule


@dataclass(frozen=True)
class DiffusersSampler:
    """How diffusers calls a sampler of ours.

    Args:
        scheduler: Name of its class in diffusers.
        schedules: The schedules it can walk.
        flow: Those that it can walk with flow-matching models. None where diffusers' scheduler
            stops
            above 0 with them (DEIS, SA-Solver), or ends far off (DPM++ 3M SDE).
        config: What must be set in its configuration.
        state: Attributes that change while it walks, but for the index of the step.
        eta: Its own, where it takes another.
        preserves_variance: Its x is alpha * clean + sqrt(1 - alpha^2) * noise.
        doubled: Its first step makes two calls, though diffusers calls its order 1.
    """

    scheduler: str
    schedules: tuple[str, ...] = ()
    flow: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    state: tuple[str, ...] = ()
    eta: float | None = None
    preserves_variance: bool = False
    doubled: bool = False


_BY_SIGMA = ("normal", "karras", "exponential", "sgm_uniform")
_BY_TIMESTEP = ("normal", "sgm_uniform", "ddim_uniform")
_FLOW_BY_SIGMA = ("normal", "simple", "karras", "exponential")
_ONLY_NORMAL = ("normal",)
_MULTISTEP = ("model_outputs", "lower_order_nums")


def _dpm_multistep(algorithm: str, order: int) -> DiffusersSampler:
    return DiffusersSampler(
        "DPMSolverMultistepScheduler",
        _BY_SIGMA,
        _ONLY_NORMAL if order < 3 else (),
        {"algorithm_type": algorithm, "solver_order": order},
        _MULTISTEP,
        preserves_variance=True,
    )


NATIVE: Mapping[str, DiffusersSampler] = {
    "euler": DiffusersSampler("EulerDiscreteScheduler", (*_BY_SIGMA, "ddim_uniform", "custom")),
    "euler_a": DiffusersSampler("EulerAncestralDiscreteScheduler", _BY_TIMESTEP),
    "heun": DiffusersSampler("HeunDiscreteScheduler", (*_BY_SIGMA, "ddim_uniform")),
    "dpm2": DiffusersSampler("KDPM2DiscreteScheduler", (*_BY_SIGMA, "ddim_uniform")),
    "dpm2_a": DiffusersSampler(
        "KDPM2AncestralDiscreteScheduler", (*_BY_SIGMA, "ddim_uniform"), state=("dt",)
    ),
    "dpmpp_2m": _dpm_multistep("dpmsolver++", 2),
    "dpmpp_2m_sde": _dpm_multistep("sde-dpmsolver++", 2),
    "dpmpp_3m_sde": _dpm_multistep("sde-dpmsolver++", 3),
    "dpmpp_sde": DiffusersSampler("DPMSolverSDEScheduler", (*_BY_SIGMA, "ddim_uniform")),
    "lms": DiffusersSampler(
        "LMSDiscreteScheduler", (*_BY_SIGMA, "ddim_uniform"), state=("derivatives",)
    ),
    "ddim": DiffusersSampler("DDIMScheduler", _BY_TIMESTEP, eta=0.0, preserves_variance=True),
    "ddpm": DiffusersSampler(
        "DDPMScheduler",
        _BY_TIMESTEP,
        config={"variance_type": "fixed_small"},
        preserves_variance=True,
    ),
    "unipc": DiffusersSampler(
        "UniPCMultistepScheduler",
        _BY_SIGMA,
        _ONLY_NORMAL,
        {"solver_type": "bh2"},
        (*_MULTISTEP, "timestep_list", "last_sample", "this_order"),
        preserves_variance=True,
    ),
    "deis": DiffusersSampler(
        "DEISMultistepScheduler",
        _BY_SIGMA,
        config={"algorithm_type": "deis", "solver_type": "logrho"},
        state=_MULTISTEP,
        preserves_variance=True,
    ),
    "pndm": DiffusersSampler(
        "PNDMScheduler",
        ("normal", "ddim_uniform"),
        config={"skip_prk_steps": True},
        state=("ets", "counter", "cur_sample"),
        preserves_variance=True,
        doubled=True,
    ),
    "lcm": DiffusersSampler("LCMScheduler", _ONLY_NORMAL, preserves_variance=True),
    "tcd": DiffusersSampler("TCDScheduler", _ONLY_NORMAL, eta=0.3, preserves_variance=True),
    "sa_solver": DiffusersSampler(
        "SASolverScheduler",
        _BY_SIGMA,
        config={"algorithm_type": "data_prediction"},
        state=(
            *_MULTISTEP,
            "timestep_list",
            "last_sample",
            "last_noise",
            "this_predictor_order",
            "this_corrector_order",
        ),
        preserves_variance=True,
    ),
    "flow_euler": DiffusersSampler(
        "FlowMatchEulerDiscreteScheduler", flow=(*_FLOW_BY_SIGMA, "custom")
    ),
    "flow_heun": DiffusersSampler("FlowMatchHeunDiscreteScheduler", flow=_ONLY_NORMAL),
}

EDM: Mapping[str, DiffusersSampler] = {
    "dpmpp_2m_sde": DiffusersSampler(
        "CosineDPMSolverMultistepScheduler", ("exponential", "karras"), state=_MULTISTEP
    ),
}
"""Samplers for models of sigmas themselves (`schedule.is_edm`)."""

_ZERO_SNR = "rescale_betas_zero_snr"
"""Noise up to nothing but noise; schedulers without it get the betas that it makes."""

_SPACING = {
    "sgm_uniform": {"timestep_spacing": "trailing"},
    "ddim_uniform": {"timestep_spacing": "leading", "steps_offset": 1},
}


_UNMOVED = {"shift": 1.0, "use_dynamic_shifting": False, "shift_terminal": None}
"""Of flow-matching schedulers: noise levels stay as they are given."""


def settings_of(
    sampler: str, schedule: str, among: Mapping[str, DiffusersSampler] = NATIVE
) -> dict[str, Any]:
    """What diffusers' scheduler must have in its configuration, whatever the model's says."""
    native = among[sampler]
    taken = _taken(native.scheduler)
    if "sigma_schedule" in taken:
        return {**native.config, "sigma_schedule": schedule}
    kinds = {f"use_{name}_sigmas": schedule == name for name in ("karras", "exponential", "beta")}
    known = {name: value for name, value in kinds.items() if name in taken}
    return {**native.config, **known, **_SPACING.get(schedule, {})}


def _taken(scheduler: str) -> Mapping[str, Any]:
    """The settings that a scheduler of diffusers has."""
    import diffusers

    return inspect.signature(getattr(diffusers, scheduler)).parameters


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
    among = EDM if is_edm(config) else NATIVE
    settings = {**config, **settings_of(sampler.name, schedule.name, among)}
    name = among[sampler.name].scheduler
    flow, given = config.get("prediction_type") == FLOW, schedule.name == "custom"
    if flow and given:
        check_flow(schedule)
        settings |= _UNMOVED
    if flow:
        settings |= {"use_flow_sigmas": True, "flow_shift": shift_of(config)}
    elif config.get(_ZERO_SNR) and _ZERO_SNR not in _taken(name):
        settings["trained_betas"] = trained_betas(config)
    mu = settings.get(MU)
    taken = _taken(name)
    settings = {key: value for key, value in settings.items() if key in taken}
    scheduler = deepcopy(_made(name, json.dumps(settings)))
    moved = {MU: mu} if settings.get("use_dynamic_shifting") and mu is not None else {}
    try:
        if given:  # schedulers of flow put the 0 behind them themselves
            levels = schedule.sigmas[:-1] if flow else schedule.sigmas
            scheduler.set_timesteps(sigmas=list(levels), device=device)
        elif schedule.name == "simple":  # as the pipelines of flow-matching families call it
            steps = whole_steps(schedule)
            levels = np.linspace(1.0, 1 / steps, steps)
            if config.get(SINGLE):
                levels = torch.linspace(1.0, 1 / steps, steps).numpy()
            elif config.get(TO_ZERO):
                levels = torch.linspace(1.0, 0.0, steps + 1)[:-1].numpy()
            scheduler.set_timesteps(sigmas=levels, device=device, **moved)
        else:
            scheduler.set_timesteps(schedule.steps, device=device, **moved)
    except ValueError as error:
        raise ScheduleError(
            f"{sampler.name} cannot make {schedule.steps} steps: {error}",
            way_out="Choose fewer steps, or another sampler.",
        ) from error
    return scheduler


@lru_cache(maxsize=16)
def _made(scheduler: str, settings: str) -> Any:
    """A scheduler before its timesteps are set; DPM2's takes 0.2 s to make."""
    import diffusers

    return getattr(diffusers, scheduler).from_config(json.loads(settings))


class DiffusersStepper:
    """A `Stepper` around one of diffusers' schedulers."""

    def __init__(
        self,
        sampler: Sampler,
        schedule: Schedule,
        config: Mapping[str, Any],
        device: torch.device,
    ) -> None:
        self._first = first_step(schedule, bool(config.get(ROUNDS_UP)))
        check_ddim(schedule, config.get("num_train_timesteps", 1000))
        self._native = (EDM if is_edm(config) else NATIVE)[sampler.name]
        self._kind = str(config.get("prediction_type", "epsilon"))
        self._eta = self._native.eta if sampler.eta is None else sampler.eta
        self._steps = whole_steps(schedule)
        self._fresh = scheduler_for(sampler, schedule, config, device)
        self._scheduler = self._fresh
        self._order = int(self._scheduler.order)
        self._begin = self._position = 0
        self._call = 0
        self._arguments: dict[str, Any] = {}

    @property
    def steps(self) -> int:
        return self._steps

    @property
    def first(self) -> int:
        return self._first

    @property
    def timesteps(self) -> list[float]:
        told = self._fresh.timesteps.float().tolist()
        return [*(told[self._calls_before(step)] for step in range(self._steps)), 0.0]

    @property
    def negative(self) -> NegativePrediction | None:
        return None

    @property
    def reads_stop(self) -> bool:
        return False

    def cut(self, start: int, stop: int) -> tuple[int, int]:
        return start, stop

    @property
    def position(self) -> int:
        return self._position

    @property
    def calls(self) -> int:
        return self._call - self._calls_before(self._begin)

    def prepare(self, position: int, drawn: DrawnNoise) -> None:
        self._scheduler = deepcopy(self._fresh)
        self._begin = self._position = position
        if self._native.doubled:
            _double(self._scheduler, position)
        self._call = self._calls_before(position)
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(self._call)
        if hasattr(self._scheduler, "noise_sampler"):
            device = self._scheduler.timesteps.device
            self._scheduler.noise_sampler = brownian(drawn, self._outer_sigmas(), device)
        wanted = {"generator": list(drawn.generators), "eta": self._eta or 0.0}
        taken = inspect.signature(self._scheduler.step).parameters
        self._arguments = {name: value for name, value in wanted.items() if name in taken}

    def _outer_sigmas(self) -> Tensor:
        """Between which its Brownian path lies: those of the schedule, or of all that there are."""
        told = self._scheduler.config
        if "sigma_data" not in told:
            return self._scheduler.sigmas
        return torch.tensor([told.sigma_min, told.sigma_max], dtype=torch.float64)

    def pure_noise(self, noise: Tensor) -> Tensor:
        return noise * getattr(self._scheduler, "init_noise_sigma", 1.0)

    def add_noise(self, clean: Tensor, noise: Tensor) -> Tensor:
        """`clean` itself where the last call is done."""
        if self._call >= len(self._scheduler.timesteps):
            return clean
        timestep = self._scheduler.timesteps[self._call : self._call + 1]
        if hasattr(self._scheduler, "scale_noise"):
            return self._scheduler.scale_noise(clean, timestep, noise)
        return self._scheduler.add_noise(clean, noise, timestep)

    def step(self, predict: Predict, x: Tensor, blend: Blend | None) -> Tensor:
        for _ in range(self._calls_before(self._position + 1) - self._call):
            timestep = self._scheduler.timesteps[self._call]
            prediction = predict(self._as_read(x, timestep), timestep, self._sigma())
            x = self._scheduler.step(prediction, timestep, x, **self._arguments, return_dict=False)[
                0
            ]
            self._call += 1
            if blend:
                x = blend(x, self.add_noise)
        self._position += 1
        return x

    def _as_read(self, x: Tensor, timestep: Tensor) -> Tensor:
        if hasattr(self._scheduler, "scale_model_input"):
            return self._scheduler.scale_model_input(x, timestep)
        return x

    def _calls_before(self, step: int) -> int:
        """Model calls of the whole steps before `step`, from the schedule's start."""
        again = self._native.doubled and step > self._begin
        return min(step * self._order + again, len(self._scheduler.timesteps))

    def _sigma(self) -> Tensor:
        """The noise level of the next call."""
        scheduler = self._scheduler
        if getattr(scheduler, "sample", None) is not None and hasattr(scheduler, "sigmas_interpol"):
            behind = hasattr(scheduler, "sigmas_down")  # DPM2 a counts its midpoints from 0
            return scheduler.sigmas_interpol[self._call - behind]
        if hasattr(scheduler, "sigmas"):
            return scheduler.sigmas[self._call]
        alpha = scheduler.alphas_cumprod[scheduler.timesteps[self._call].long().cpu()]
        alpha = alpha.clamp(min=LEAST_ALPHA)
        return ((1 - alpha) / alpha) ** 0.5

    def _scale(self) -> Tensor | float:
        if self._call >= len(self._scheduler.timesteps):
            return 1.0
        if self._kind == FLOW:
            return 1 / share(self._sigma(), self._kind)
        return (1 + self._sigma() ** 2) ** 0.5 if self._native.preserves_variance else 1.0

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
        self._call = self._calls_before(self._position)
        for name in ("_step_index", *self._native.state):
            if hasattr(self._scheduler, name) or name in self._native.state:
                value = _moved(state["scheduler"][name], self._scheduler.timesteps.device)
                setattr(self._scheduler, name, value)


def _double(scheduler: Any, begin: int) -> None:
    """Repeat the timestep after `begin`, where PNDM makes its first step twice.

    diffusers' pipelines repeat the second one of all, and so go astray from image to image.
    """
    once = torch.cat([scheduler.timesteps[:1], scheduler.timesteps[2:]])
    scheduler.timesteps = torch.cat([once[: begin + 2], once[begin + 1 :]])


def _copy(value: Any) -> Any:
    """A list of its own: the scheduler shifts its lists in place, its tensors it replaces."""
    return list(value) if isinstance(value, list) else value


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_moved(item, device) for item in value]
    return value.to(device) if isinstance(value, Tensor) else value
