"""Samplers and schedules that diffusers lacks, in units of sigma."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.samplers.brownian import Brownian, brownian
from nodeforge.diffusion.samplers.multistep.deis import deis_step
from nodeforge.diffusion.samplers.multistep.dpmpp_2m import dpmpp_2m_step
from nodeforge.diffusion.samplers.multistep.ipndm import ipndm_step
from nodeforge.diffusion.samplers.multistep.lms import lms_step
from nodeforge.diffusion.samplers.multistep.unipc import unipc_bh1_step, unipc_step
from nodeforge.diffusion.samplers.single_step.dpm2 import dpm2_step
from nodeforge.diffusion.samplers.single_step.dpm_solver import (
    dpm_adaptive_step,
    dpm_fast_spans,
    dpm_fast_step,
)
from nodeforge.diffusion.samplers.single_step.dpmpp_2s import dpmpp_2s_step
from nodeforge.diffusion.samplers.single_step.heun import heun_step
from nodeforge.diffusion.samplers.step_context import Denoiser, SamplerStep, StepContext
from nodeforge.diffusion.samplers.stepper import Blend, NegativePrediction, Predict
from nodeforge.diffusion.samplers.stochastic.ancestral import ancestral_step
from nodeforge.diffusion.samplers.stochastic.dpmpp_2m_sde import dpmpp_2m_sde_step
from nodeforge.diffusion.samplers.stochastic.dpmpp_3m_sde import dpmpp_3m_sde_step
from nodeforge.diffusion.samplers.stochastic.dpmpp_sde import dpmpp_sde_step
from nodeforge.diffusion.samplers.stochastic.lcm import lcm_step
from nodeforge.diffusion.samplers.stochastic.restart import restart_step
from nodeforge.diffusion.schedules.schedule import (
    ROUNDS_UP,
    check_flow,
    edm_timestep_of,
    first_step,
    is_edm,
    sigmas_of,
    timestep_of,
    trained_sigmas,
)
from nodeforge.diffusion.tensors.noise import DrawnNoise
from nodeforge.diffusion.tensors.prediction import FLOW, as_read, denoised, noised, share
from nodeforge.values import Sampler, Schedule


@dataclass(frozen=True)
class SigmaSampler:
    """A sampler of ours.

    Args:
        step: Its rule.
        eta: Its own, None where it has none.
        spans: From a number of points of a schedule to how many of them each step spans.
        flow: Whether it is for flow-matching models, and for no others.
        brownian: Its noise comes from the Brownian path from level to level.
        cfg_pp: It reads the negative prompt's estimate, also at a guidance scale of 1.
        whole: Its steps depend on where the run begins and stops.
        skips_last: Leaves out the last level above 0 of a schedule a step longer.
        log_steps: From a number of model calls to the steps of a walk even in log sigma, from the
            run's first level to its last above 0.
    """

    step: SamplerStep
    eta: float | None = None
    spans: Callable[[int], list[int]] = lambda points: [1] * points
    flow: bool = False
    brownian: bool = False
    cfg_pp: bool = False
    whole: bool = False
    skips_last: bool = False
    log_steps: Callable[[int], list[int]] | None = None


OWN: Mapping[str, SigmaSampler] = {
    "euler": SigmaSampler(ancestral_step),
    "euler_a": SigmaSampler(ancestral_step, eta=1.0),
    "heun": SigmaSampler(heun_step),
    "dpm2": SigmaSampler(dpm2_step),
    "dpm2_a": SigmaSampler(dpm2_step, eta=1.0),
    "dpmpp_2s_a": SigmaSampler(dpmpp_2s_step, eta=1.0),
    "dpmpp_2m": SigmaSampler(dpmpp_2m_step),
    "dpmpp_2m_sde": SigmaSampler(dpmpp_2m_sde_step, eta=1.0),
    "dpmpp_3m_sde": SigmaSampler(dpmpp_3m_sde_step, eta=1.0),
    "dpmpp_sde": SigmaSampler(dpmpp_sde_step, eta=1.0),
    "lms": SigmaSampler(lms_step),
    "ddim": SigmaSampler(ancestral_step, eta=0.0),
    "ddpm": SigmaSampler(ancestral_step, eta=1.0),
    "unipc": SigmaSampler(unipc_step),
    "unipc_bh1": SigmaSampler(unipc_bh1_step),
    "deis": SigmaSampler(deis_step),
    "ipndm": SigmaSampler(ipndm_step),
    "lcm": SigmaSampler(lcm_step),
    "dpm_fast": SigmaSampler(dpm_fast_step, spans=dpm_fast_spans),
    "dpm_adaptive": SigmaSampler(dpm_adaptive_step),
    "restart": SigmaSampler(restart_step),
    "flow_euler": SigmaSampler(ancestral_step, flow=True),
    "flow_heun": SigmaSampler(heun_step, flow=True),
}


class SigmaStepper:
    """A `Stepper` around one of our own steps. Its x is as `prediction.noised` makes it."""

    def __init__(
        self,
        sampler: Sampler,
        schedule: Schedule,
        config: Mapping[str, Any],
        device: torch.device,
    ) -> None:
        self._sampler = self._chosen(sampler.name)
        self._kind = str(config.get("prediction_type", "epsilon"))
        self._is_edm = is_edm(config)
        if self._kind == FLOW:
            check_flow(schedule)
        self._trained = self._trained_sigmas(config)
        sigmas = self._levels_of(schedule)
        self._first = self._first_of(schedule, sigmas, bool(config.get(ROUNDS_UP)))
        spans = self._sampler.spans(len(sigmas) - 1 - self._first)
        self._spans = [1] * self._first + spans
        self._sigmas = sigmas[[0, *accumulate(self._spans)]]
        self._timesteps = self._timestep_of(self._sigmas[:-1]).to(device)
        self._device = device
        self._eta = self._sampler.eta if sampler.eta is None else sampler.eta
        self._begin, self._end = self._first, len(self._spans)
        self._negative = NegativePrediction() if self._sampler.cfg_pp else None
        self._position = self._calls = 0
        self._context = StepContext(0.0, self._refuse, lambda _, __: self._refuse())

    @staticmethod
    def _refuse() -> Tensor:
        raise AssertionError("the stepper was not prepared")

    @staticmethod
    def _chosen(name: str) -> SigmaSampler:
        return OWN[name]

    @staticmethod
    def _trained_sigmas(config: Mapping[str, Any]) -> Tensor:
        return trained_sigmas(config)

    def _levels_of(self, schedule: Schedule) -> Tensor:
        """Sigmas of the full schedule, float32."""
        return sigmas_of(schedule, self._trained)

    @staticmethod
    def _first_of(schedule: Schedule, sigmas: Tensor, up: bool) -> int:
        """The first whole step that is run."""
        del sigmas
        return first_step(schedule, up)

    @property
    def first(self) -> int:
        return self._first

    @property
    def steps(self) -> int:
        return len(self._spans)

    @property
    def position(self) -> int:
        return self._position

    @property
    def calls(self) -> int:
        return self._calls

    @property
    def timesteps(self) -> list[float]:
        return [*self._timesteps.tolist(), 0.0]

    @property
    def negative(self) -> NegativePrediction | None:
        return self._negative

    @property
    def reads_stop(self) -> bool:
        return self._sampler.whole

    def cut(self, start: int, stop: int) -> tuple[int, int]:
        self._begin, self._end = start, stop
        return start, stop

    def prepare(self, position: int, drawn: DrawnNoise) -> None:

        self._position, self._calls = position, 0
        levels = self._sigmas[self._begin : self._end + 1]
        self._context = StepContext(
            eta=self._eta or 0.0,
            normal=self._normal(drawn),
            brownian=self._brownian(drawn, levels),
            draws_brownian=self._sampler.brownian,
            levels=levels,
        )

    def _normal(self, drawn: DrawnNoise) -> Callable[[], Tensor]:
        from diffusers.utils.torch_utils import randn_tensor

        generators, shape = list(drawn.generators), drawn.start.shape
        return lambda: randn_tensor(shape, generator=generators, device=self._device)

    def _brownian(self, drawn: DrawnNoise, levels: Tensor) -> Brownian:
        """The path over the whole schedule, so that a part of the steps draws the same."""
        del levels
        return brownian(drawn, self._sigmas, self._device)

    def pure_noise(self, noise: Tensor) -> Tensor:
        return noise * self._sigmas[self._position]

    def add_noise(self, clean: Tensor, noise: Tensor) -> Tensor:
        """`clean` itself where the last step is done."""
        return noised(clean, noise, self._sigmas[self._position], self._kind)

    def step(self, predict: Predict, x: Tensor, blend: Blend | None) -> Tensor:
        sigma, sigma_next = self._sigmas[self._position : self._position + 2]
        self._context.span = self._spans[self._position]
        self._context.index = self._position - self._begin
        x = self._sampler.step(self._denoiser(predict), x, sigma, sigma_next, self._context)
        self._position += 1
        return blend(x, self.add_noise) if blend else x

    def _denoiser(self, predict: Predict) -> Denoiser:
        def denoise(x: Tensor, sigma: Tensor) -> Tensor:
            self._calls += 1
            known = self._timesteps[self._position]
            same = sigma == self._sigmas[self._position]
            timestep = known if same else self._timestep_of(sigma).to(self._device)
            prediction = predict(as_read(x, sigma, self._kind), timestep, sigma)
            if self._negative and (unguided := self._negative.prediction) is not None:
                self._context.unguided = denoised(unguided, x, sigma, self._kind)
            return denoised(prediction, x, sigma, self._kind)

        return denoise

    def _timestep_of(self, sigma: Tensor) -> Tensor:
        if self._kind == FLOW:  # a flow-matching model knows every level by its name
            return (sigma * len(self._trained)).float()
        if self._is_edm:
            return edm_timestep_of(sigma)
        return timestep_of(sigma, self._trained)

    def to_sigmas(self, x: Tensor) -> Tensor:
        return x / share(self._sigmas[self._position], self._kind)

    def from_sigmas(self, x: Tensor) -> Tensor:
        return x * share(self._sigmas[self._position], self._kind)

    def state(self) -> dict[str, Any]:
        history = [[value, sigma] for value, sigma in self._context.history]
        return {
            "position": self._position,
            "calls": self._calls,
            "history": history,
            "x_before": self._context.x_before,
            "memory": dict(self._context.memory),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._position, self._calls = int(state["position"]), int(state["calls"])
        self._context.history = [
            (value.to(self._device), sigma.cpu()) for value, sigma in state["history"]
        ]
        if (x_before := state["x_before"]) is not None:
            self._context.x_before = x_before.to(self._device)
        self._context.memory = {
            name: value.to(self._device) if isinstance(value, Tensor) and value.ndim else value
            for name, value in state["memory"].items()
        }
