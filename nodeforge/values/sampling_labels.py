"""What people call samplers and schedules: names in files and code to labels in windows."""

from collections.abc import Mapping

SAMPLER_LABELS: Mapping[str, str] = {
    "euler": "Euler",
    "euler_a": "Euler a",
    "heun": "Heun",
    "dpm2": "DPM2",
    "dpm2_a": "DPM2 a",
    "dpm_fast": "DPM fast",
    "dpm_adaptive": "DPM adaptive",
    "dpmpp_2s_a": "DPM++ 2S a",
    "dpmpp_2m": "DPM++ 2M",
    "dpmpp_2m_sde": "DPM++ 2M SDE",
    "dpmpp_3m_sde": "DPM++ 3M SDE",
    "dpmpp_sde": "DPM++ SDE",
    "lms": "LMS",
    "ddim": "DDIM",
    "ddpm": "DDPM",
    "pndm": "PNDM",
    "unipc": "UniPC",
    "unipc_bh1": "UniPC bh1",
    "deis": "DEIS",
    "ipndm": "IPNDM",
    "lcm": "LCM",
    "tcd": "TCD",
    "sa_solver": "SA-Solver",
    "restart": "Restart",
    "heunpp2": "Heun++ 2",
    "ipndm_v": "IPNDM v",
    "dpmpp_2m_sde_heun": "DPM++ 2M SDE Heun",
    "res_multistep": "RES Multistep",
    "res_multistep_ancestral": "RES Multistep ancestral",
    "gradient_estimation": "Gradient Estimation",
    "er_sde": "ER-SDE",
    "seeds_2": "SEEDS-2",
    "seeds_3": "SEEDS-3",
    "sa_solver_pece": "SA-Solver PECE",
    "euler_cfg_pp": "Euler CFG++",
    "euler_ancestral_cfg_pp": "Euler a CFG++",
    "dpmpp_2s_ancestral_cfg_pp": "DPM++ 2S a CFG++",
    "dpmpp_2m_cfg_pp": "DPM++ 2M CFG++",
    "res_multistep_cfg_pp": "RES Multistep CFG++",
    "res_multistep_ancestral_cfg_pp": "RES Multistep ancestral CFG++",
    "gradient_estimation_cfg_pp": "Gradient Estimation CFG++",
    "flow_euler": "Flow Euler",
    "flow_heun": "Flow Heun",
}
"""In the order of the menu."""

SCHEDULE_LABELS: Mapping[str, str] = {
    "normal": "Normal",
    "karras": "Karras",
    "exponential": "Exponential",
    "sgm_uniform": "SGM Uniform",
    "simple": "Simple",
    "ddim_uniform": "DDIM Uniform",
    "beta": "Beta",
    "beta57": "Beta 0.5, 0.7",
    "linear_quadratic": "Linear Quadratic",
    "kl_optimal": "KL Optimal",
    "polyexponential": "Polyexponential",
    "ays": "Align Your Steps",
    "ays_sdxl": "Align Your Steps SDXL",
    "flux2": "Flux.2, by size",
    "custom": "Custom",
}
"""In the order of the menu."""

CONVENTION_LABELS: Mapping[str, str] = {"diffusers": "diffusers", "comfyui": "ComfyUI"}
"""Whose numbers a denoise loop follows."""
