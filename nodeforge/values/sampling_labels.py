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
    "linear_quadratic": "Linear Quadratic",
    "polyexponential": "Polyexponential",
    "ays": "Align Your Steps",
    "ays_sdxl": "Align Your Steps SDXL",
    "custom": "Custom",
}
"""In the order of the menu."""
