"""ComfyUI's names of samplers and schedules in ours, and the share of the steps that is run."""

from __future__ import annotations

import math
from collections.abc import Mapping

SAMPLERS: Mapping[str, str] = {
    "euler": "euler",
    "euler_cfg_pp": "euler_cfg_pp",
    "euler_ancestral": "euler_a",
    "euler_ancestral_cfg_pp": "euler_ancestral_cfg_pp",
    "heun": "heun",
    "heunpp2": "heunpp2",
    "dpm_2": "dpm2",
    "dpm_2_ancestral": "dpm2_a",
    "lms": "lms",
    "dpm_fast": "dpm_fast",
    "dpm_adaptive": "dpm_adaptive",
    "dpmpp_2s_ancestral": "dpmpp_2s_a",
    "dpmpp_2s_ancestral_cfg_pp": "dpmpp_2s_ancestral_cfg_pp",
    "dpmpp_sde": "dpmpp_sde",
    "dpmpp_sde_gpu": "dpmpp_sde",
    "dpmpp_2m": "dpmpp_2m",
    "dpmpp_2m_cfg_pp": "dpmpp_2m_cfg_pp",
    "dpmpp_2m_sde": "dpmpp_2m_sde",
    "dpmpp_2m_sde_gpu": "dpmpp_2m_sde",
    "dpmpp_2m_sde_heun": "dpmpp_2m_sde_heun",
    "dpmpp_2m_sde_heun_gpu": "dpmpp_2m_sde_heun",
    "dpmpp_3m_sde": "dpmpp_3m_sde",
    "dpmpp_3m_sde_gpu": "dpmpp_3m_sde",
    "ddim": "ddim",
    "ddpm": "ddpm",
    "uni_pc": "unipc_bh1",
    "uni_pc_bh2": "unipc",
    "deis": "deis",
    "ipndm": "ipndm",
    "ipndm_v": "ipndm_v",
    "lcm": "lcm",
    "res_multistep": "res_multistep",
    "res_multistep_cfg_pp": "res_multistep_cfg_pp",
    "res_multistep_ancestral": "res_multistep_ancestral",
    "res_multistep_ancestral_cfg_pp": "res_multistep_ancestral_cfg_pp",
    "gradient_estimation": "gradient_estimation",
    "gradient_estimation_cfg_pp": "gradient_estimation_cfg_pp",
    "er_sde": "er_sde",
    "seeds_2": "seeds_2",
    "seeds_3": "seeds_3",
    "sa_solver": "sa_solver",
    "sa_solver_pece": "sa_solver_pece",
}

SCHEDULES: Mapping[str, str] = {
    name: name
    for name in (
        "normal",
        "karras",
        "exponential",
        "sgm_uniform",
        "simple",
        "ddim_uniform",
        "beta",
        "beta57",
        "linear_quadratic",
        "kl_optimal",
    )
}

CONVENTION = "comfyui"
"""Of the samplers that an import makes."""

_ON_CPU = ("dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde")
_DRAWING = ("ddpm", "lcm", "er_sde", "seeds_2", "seeds_3", "sa_solver", "sa_solver_pece")

DRAWING = frozenset(
    name
    for name in SAMPLERS
    if "ancestral" in name or name.endswith("_gpu") or name in (*_DRAWING, *_ON_CPU)
)
"""Samplers that draw noise at every step."""

DRAWING_ON_CARD = DRAWING - {*_ON_CPU}
"""Those that draw where ComfyUI computes: on a graphics card, other numbers than on the CPU."""

SHORTENED = frozenset({"dpm_2", "dpm_2_ancestral", "uni_pc", "uni_pc_bh2"})
"""Samplers for which KSampler takes the last noise level but one out of a longer schedule."""

MOST_STEPS = 1000


def shortened(steps: int, denoise: float) -> tuple[int, float]:
    """Steps and strength with which we run what ComfyUI runs.

    There, `steps` are run in any case, of a schedule so much longer; here, the strength is the
    share of the steps that is run: 20 steps at 0.5 become 40 at 0.5. The strength has as few
    digits as give the same number of steps; of more than `MOST_STEPS`, fewer are run.

    Args:
        steps: At least 1.
        denoise: Above 0.
    """
    if denoise > 0.9999:
        return steps, 1.0
    whole = int(steps / denoise)
    if whole > MOST_STEPS:
        whole, steps = MOST_STEPS, max(1, int(MOST_STEPS * denoise))
    for digits in range(2, 15):
        strength = math.ceil(steps / whole * 10**digits) / 10**digits
        if strength <= 1 and int(whole * strength) == steps:
            return whole, strength
    return whole, math.nextafter(steps / whole, 1.0)


def bent_sigmas(steps: int, highest: float, lowest: float, rho: float) -> list[float]:
    """Noise levels even in their rho-th root, with 0 in the end: Karras et al. 2022, equation 5."""
    low, high = lowest ** (1 / rho), highest ** (1 / rho)
    ramp = [index / max(steps - 1, 1) for index in range(steps)]
    return [*((high + share * (low - high)) ** rho for share in ramp), 0.0]


def log_sigmas(steps: int, highest: float, lowest: float, rho: float) -> list[float]:
    """Noise levels at a power of the way in their logarithm, with 0 in the end."""
    low, high = math.log(lowest), math.log(highest)
    ramp = [1 - index / max(steps - 1, 1) for index in range(steps)]
    return [*(math.exp(low + share**rho * (high - low)) for share in ramp), 0.0]
