"""Samplers as ComfyUI runs them: its levels, timesteps and noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.samplers.brownian import Brownian, brownian
from nodeforge.diffusion.samplers.cfg_pp.dpmpp_2m import dpmpp_2m_cfg_pp_step
from nodeforge.diffusion.samplers.cfg_pp.dpmpp_2s import dpmpp_2s_cfg_pp_step
from nodeforge.diffusion.samplers.cfg_pp.euler import euler_cfg_pp_step
from nodeforge.diffusion.samplers.multistep.deis_third import deis_third_step
from nodeforge.diffusion.samplers.multistep.gradient_estimation import (
    gradient_estimation_cfg_pp_step,
    gradient_estimation_step,
)
from nodeforge.diffusion.samplers.multistep.ipndm import ipndm_step
from nodeforge.diffusion.samplers.multistep.ipndm_v import ipndm_v_step
from nodeforge.diffusion.samplers.multistep.lms import lms_step
from nodeforge.diffusion.samplers.multistep.res_multistep import (
    res_multistep_cfg_pp_step,
    res_multistep_step,
)
from nodeforge.diffusion.samplers.multistep.unipc_third import (
    unipc_third_bh1_step,
    unipc_third_step,
)
from nodeforge.diffusion.samplers.sigma_stepper import OWN, SigmaSampler, SigmaStepper
from nodeforge.diffusion.samplers.single_step.dpm_log import (
    dpm_adaptive_log_step,
    dpm_fast_log_step,
    log_fast_spans,
    log_levels,
)
from nodeforge.diffusion.samplers.single_step.heunpp import heunpp2_step
from nodeforge.diffusion.samplers.step_context import Denoiser, SamplerStep, StepContext
from nodeforge.diffusion.samplers.stochastic.dpmpp_2m_sde import dpmpp_2m_sde_heun_step
from nodeforge.diffusion.samplers.stochastic.dpmpp_3m_sde import dpmpp_3m_sde_half_step
from nodeforge.diffusion.samplers.stochastic.dpmpp_sde import dpmpp_sde_log_step
from nodeforge.diffusion.samplers.stochastic.er_sde import er_sde_step
from nodeforge.diffusion.samplers.stochastic.sa_solver import sa_solver_pece_step, sa_solver_step
from nodeforge.diffusion.samplers.stochastic.seeds import seeds_2_step, seeds_3_step
from nodeforge.diffusion.schedules.comfyui import (
    comfyui_sigmas,
    first_of,
    nearest_timestep,
    sigma_at,
    trained_levels,
)
from nodeforge.diffusion.tensors.noise import DrawnNoise
from nodeforge.diffusion.tensors.prediction import FLOW, noised
from nodeforge.values import Sampler, Schedule

_STOCHASTIC = (0.2, 0.8)
"""Shares of the timesteps between which SA-Solver adds noise."""


def _ending_clean(step: SamplerStep) -> SamplerStep:
    """`step`, but for the one that ends without noise: it takes the clean estimate."""

    def ended(
        denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
    ) -> Tensor:
        if sigma_next == 0:
            return denoise(x, sigma)
        return step(denoise, x, sigma, sigma_next, context)

    return ended


def _changed(name: str, **changes: Any) -> SigmaSampler:
    return replace(OWN[name], **changes)


_NOT_THERE = {"restart", "flow_euler", "flow_heun"}
"""Samplers of ours that ComfyUI does not have."""

COMFYUI: Mapping[str, SigmaSampler] = {
    **{name: sampler for name, sampler in OWN.items() if name not in _NOT_THERE},
    "dpm2": _changed("dpm2", skips_last=True),
    "dpm2_a": _changed("dpm2_a", skips_last=True),
    "dpmpp_2m_sde": _changed("dpmpp_2m_sde", brownian=True, whole=True),
    "dpmpp_3m_sde": _changed(
        "dpmpp_3m_sde", step=dpmpp_3m_sde_half_step, brownian=True, whole=True
    ),
    "dpmpp_sde": _changed("dpmpp_sde", step=dpmpp_sde_log_step, whole=True),
    "lms": _changed("lms", step=_ending_clean(lms_step)),
    "ipndm": _changed("ipndm", step=_ending_clean(ipndm_step)),
    "deis": _changed("deis", step=deis_third_step),
    "unipc": SigmaSampler(unipc_third_step, skips_last=True, whole=True),
    "unipc_bh1": SigmaSampler(unipc_third_bh1_step, skips_last=True, whole=True),
    "dpm_fast": SigmaSampler(dpm_fast_log_step, whole=True, log_steps=log_fast_spans),
    "dpm_adaptive": SigmaSampler(dpm_adaptive_log_step, whole=True, log_steps=lambda _: [1]),
    "heunpp2": SigmaSampler(heunpp2_step, whole=True),
    "ipndm_v": SigmaSampler(ipndm_v_step),
    "dpmpp_2m_sde_heun": SigmaSampler(dpmpp_2m_sde_heun_step, eta=1.0, brownian=True, whole=True),
    "res_multistep": SigmaSampler(res_multistep_step),
    "res_multistep_ancestral": SigmaSampler(res_multistep_step, eta=1.0),
    "gradient_estimation": SigmaSampler(gradient_estimation_step),
    "er_sde": SigmaSampler(er_sde_step),
    "seeds_2": SigmaSampler(seeds_2_step, eta=1.0),
    "seeds_3": SigmaSampler(seeds_3_step, eta=1.0),
    "euler_cfg_pp": SigmaSampler(euler_cfg_pp_step, cfg_pp=True),
    "euler_ancestral_cfg_pp": SigmaSampler(euler_cfg_pp_step, eta=1.0, cfg_pp=True),
    "dpmpp_2s_ancestral_cfg_pp": SigmaSampler(dpmpp_2s_cfg_pp_step, eta=1.0, cfg_pp=True),
    "dpmpp_2m_cfg_pp": SigmaSampler(dpmpp_2m_cfg_pp_step, cfg_pp=True),
    "res_multistep_cfg_pp": SigmaSampler(res_multistep_cfg_pp_step, cfg_pp=True),
    "res_multistep_ancestral_cfg_pp": SigmaSampler(res_multistep_cfg_pp_step, eta=1.0, cfg_pp=True),
    "gradient_estimation_cfg_pp": SigmaSampler(gradient_estimation_cfg_pp_step, cfg_pp=True),
    "sa_solver": SigmaSampler(sa_solver_step, whole=True),
    "sa_solver_pece": SigmaSampler(sa_solver_pece_step, whole=True),
}


FLOW_SAMPLERS = frozenset(
    {
        *("euler", "heun", "heunpp2", "dpm2", "lms", "dpmpp_2m", "ipndm", "ipndm_v", "deis"),
        *("res_multistep", "gradient_estimation"),
    }
)
"""Those that follow the probability-flow ODE, dx/dsigma = (x - clean) / sigma, which holds for the
straight paths of flow-matching models as well."""


class ComfyStepper(SigmaStepper):
    """A `Stepper` with ComfyUI's convention: `comfyui_sigmas`, whole timesteps, one generator.

    Text to image begins at sqrt(1 + sigma^2) times the noise where the first level is the model's
    highest. What steps draw comes for the whole batch from one generator, which begins anew at
    the run's seed; a Brownian path spans the levels of the run.
    """

    def __init__(
        self,
        sampler: Sampler,
        schedule: Schedule,
        config: Mapping[str, Any],
        device: torch.device,
    ) -> None:
        super().__init__(sampler, schedule, config, device)
        ends = [torch.tensor((1 - s) * (len(self._trained) - 1)) for s in _STOCHASTIC]
        high, low = (float(sigma_at(time, self._trained)) for time in ends)
        self._stochastic = high, low
        self._ends_clean = False

    @staticmethod
    def _chosen(name: str) -> SigmaSampler:
        return COMFYUI[name]

    @staticmethod
    def _trained_sigmas(config: Mapping[str, Any]) -> Tensor:
        return trained_levels(config)

    def _levels_of(self, schedule: Schedule) -> Tensor:
        skips = self._sampler.skips_last and schedule.name != "custom"
        return comfyui_sigmas(schedule, self._trained, skips_last=skips)

    @staticmethod
    def _first_of(schedule: Schedule, sigmas: Tensor, up: bool) -> int:
        return first_of(schedule, sigmas)

    def _timestep_of(self, sigma: Tensor) -> Tensor:
        if self._kind == FLOW:
            return super()._timestep_of(sigma)
        return nearest_timestep(sigma, self._trained)

    def cut(self, start: int, stop: int) -> tuple[int, int]:
        if self._sampler.log_steps is None:
            return super().cut(start, stop)
        spans = self._sampler.log_steps(stop - start)
        self._ends_clean = bool(self._sigmas[stop] == 0)
        self._sigmas = log_levels(self._sigmas[start : stop + 1], spans)
        self._timesteps = self._timestep_of(self._sigmas[:-1]).to(self._device)
        self._spans, self._first = spans, 0
        return super().cut(0, len(spans))

    def prepare(self, position: int, drawn: DrawnNoise) -> None:
        super().prepare(position, drawn)
        self._context.stochastic = self._stochastic

    def _normal(self, drawn: DrawnNoise) -> Callable[[], Tensor]:
        (generator,) = drawn.generators
        return lambda: drawn.kept(drawn.draw(generator)).to(self._device)

    def _brownian(self, drawn: DrawnNoise, levels: Tensor) -> Brownian:
        tree = brownian(drawn, levels, torch.device("cpu"))
        return lambda sigma, sigma_next: drawn.kept(tree(sigma, sigma_next)).to(self._device)

    def pure_noise(self, noise: Tensor) -> Tensor:
        return self.add_noise(torch.zeros_like(noise), noise)

    def add_noise(self, clean: Tensor, noise: Tensor) -> Tensor:
        sigma = self._sigmas[self._position]
        if self._ends_clean and self._position == self.steps:
            return clean  # the last of the noise stays in what was made, not in what is kept
        if self._kind == FLOW:
            return noised(clean, noise, sigma, self._kind)
        highest = float(self._trained[-1].float())
        begins = float(sigma) > highest or math.isclose(float(sigma), highest, rel_tol=1e-5)
        return clean + noise * (torch.sqrt(1 + sigma**2) if begins else sigma)
