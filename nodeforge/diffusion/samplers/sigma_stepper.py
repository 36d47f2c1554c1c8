"""Samplers and schedules that diffusers lacks, in units of sigma."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.samplers.brownian import brownian
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
from nodeforge.diffusion.samplers.stepper import Blend, Predict
from nodeforge.diffusion.samplers.stochastic.ancestral import ancestral_step
from nodeforge.diffusion.samplers.stochastic.dpmpp_2m_sde import dpmpp_2m_sde_step
from nodeforge.diffusion.samplers.stochastic.dpmpp_3m_sde import dpmpp_3m_sde_step
from nodeforge.diffusion.samplers.stochastic.dpmpp_sde import dpmpp_sde_step
from nodeforge.diffusion.samplers.stochastic.lcm import lcm_step
from nodeforge.diffusion.samplers.stochastic.restart import restart_step
from nodeforge.diffusion.schedules.schedule import (
    check_flow,
    first_step,
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
    """

    step: SamplerStep
    eta: float | None = None
    spans: Callable[[int], list[int]] = lambda points: [1] * points
    flow: bool = False


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
        first = first_step(schedule)
        self._sampler = OWN[sampler.name]
        self._kind = str(config.get("prediction_type", "epsilon"))
        if self._kind == FLOW:
            check_flow(schedule)
        self._trained = trained_sigmas(config)
        sigmas = sigmas_of(schedule, self._trained)
        self._spans = [1] * first + self._sampler.spans(len(sigmas) - 1 - first)
        self._sigmas = sigmas[[0, *accumulate(self._spans)]]
        self._timesteps = self._timestep_of(self._sigmas[:-1]).to(device)
        self._device = device
        self._eta = self._sampler.eta if sampler.eta is None else sampler.eta
        self._position = self._calls = 0
        self._context = StepContext(0.0, self._refuse, lambda _, __: self._refuse())

    @staticmethod
    def _refuse() -> Tensor:
        raise AssertionError("the stepper was not prepared")

    @property
    def steps(self) -> int:
        return len(self._spans)

    @property
    def position(self) -> int:
        return self._position

    @property
    def calls(self) -> int:
        return self._calls

    def prepare(self, position: int, drawn: DrawnNoise) -> None:
        from diffusers.utils.torch_utils import randn_tensor

        self._position, self._calls = position, 0
        generators, shape = list(drawn.generators), drawn.start.shape
        self._context = StepContext(
            eta=self._eta or 0.0,
            normal=lambda: randn_tensor(shape, generator=generators, device=self._device),
            brownian=brownian(drawn, self._sigmas, self._device),
        )

    def pure_noise(self, noise: Tensor) -> Tensor:
        return noise * self._sigmas[self._position]

    def add_noise(self, clean: Tensor, noise: Tensor) -> Tensor:
        """`clean` itself where the last step is done."""
        return noised(clean, noise, self._sigmas[self._position], self._kind)

    def step(self, predict: Predict, x: Tensor, blend: Blend | None) -> Tensor:
        sigma, sigma_next = self._sigmas[self._position : self._position + 2]
        self._context.span = self._spans[self._position]
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
            return denoised(prediction, x, sigma, self._kind)

        return denoise

    def _timestep_of(self, sigma: Tensor) -> Tensor:
        if self._kind == FLOW:  # a flow-matching model knows every level by its name
            return (sigma * len(self._trained)).float()
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
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._position, self._calls = int(state["position"]), int(state["calls"])
        self._context.history = [
            (value.to(self._device), sigma.cpu()) for value, sigma in state["history"]
        ]
        if (x_before := state["x_before"]) is not None:
            self._context.x_before = x_before.to(self._device)
