"""What other programs call samplers and schedules, in our names."""

from __future__ import annotations

from collections.abc import Mapping

from nodeforge.formats.comfyui.sampling_names import SAMPLERS, SCHEDULES
from nodeforge.values.sampling_labels import SAMPLER_LABELS, SCHEDULE_LABELS
from nodeforge.values.setting_names import AUTO

_BY_LABEL = {label.lower(): name for name, label in SAMPLER_LABELS.items()}
_LABELS = _BY_LABEL | {AUTO: AUTO, "plms": "pndm", "euler ancestral": "euler_a"}
_SCHEDULE_BY_LABEL = {label.lower(): name for name, label in SCHEDULE_LABELS.items()}
_SCHEDULE_LABELS = _SCHEDULE_BY_LABEL | {
    AUTO: AUTO,
    "uniform": "normal",
    "ddim": "ddim_uniform",
    "align your steps": "ays",
    "beta57": "beta57",
}
_AUTOMATIC = {
    "dpmpp_2m": "karras",
    "dpmpp_sde": "karras",
    "dpmpp_2s_a": "karras",
    "dpm2": "karras",
    "dpm2_a": "karras",
    "dpmpp_2m_sde": "exponential",
    "dpmpp_2m_sde_heun": "exponential",
    "dpmpp_3m_sde": "exponential",
    "restart": "karras",
}
"""The schedules that A1111 takes where its menu says *Automatic*; normal for other samplers."""
_INVOKEAI: Mapping[str, str] = {
    "ddim": "ddim",
    "ddpm": "ddpm",
    "deis": "deis",
    "lms": "lms",
    "pndm": "pndm",
    "plms": "pndm",
    "heun": "heun",
    "euler": "euler",
    "euler_a": "euler_a",
    "kdpm_2": "dpm2",
    "kdpm_2_a": "dpm2_a",
    "dpm_2": "dpm2",
    "dpm_2_a": "dpm2_a",
    "dpmpp_2m": "dpmpp_2m",
    "dpmpp_2m_sde": "dpmpp_2m_sde",
    "dpmpp_sde": "dpmpp_sde",
    "unipc": "unipc",
    "lcm": "lcm",
    "tcd": "tcd",
}


def of_labels(sampler: str, schedule: str) -> tuple[str, str]:
    """Our names for labels of A1111, Forge and our own; empty where there is none.

    Before 1.9, A1111 wrote both in one: ``DPM++ 2M Karras``.
    """
    label = sampler.lower()
    if not schedule:
        for ending in ("karras", "exponential", "polyexponential"):
            if label.endswith(f" {ending}"):
                label, schedule = label.removesuffix(f" {ending}"), ending
    found = _LABELS.get(label, "")
    if schedule.lower() == "automatic":
        return found, _AUTOMATIC.get(found, "normal")
    if not schedule:
        return found, AUTO if found == AUTO else "normal"
    return found, _SCHEDULE_LABELS.get(schedule.lower(), "")


def of_comfyui(sampler: str, schedule: str) -> tuple[str, str]:
    """Our names for ComfyUI's, which SwarmUI and Fooocus write; empty where there is none."""
    return SAMPLERS.get(sampler, ""), SCHEDULES.get(schedule, "")


def of_invokeai(scheduler: str) -> tuple[str, str]:
    """Our names for InvokeAI's schedulers, where ``_k`` stands for Karras' noise levels."""
    bare = scheduler.removeprefix("k_").removesuffix("_k")
    return _INVOKEAI.get(bare, ""), "karras" if scheduler.endswith("_k") else "normal"


def of_novelai(sampler: str, schedule: str) -> tuple[str, str]:
    """Our names for NovelAI's, which are k-diffusion's with a prefix; ``native`` is the model's."""
    bare = sampler.removeprefix("k_").removesuffix("_v3")
    schedules = {"native": "normal", "": "normal", "polyexponential": "polyexponential"}
    return SAMPLERS.get(bare, ""), schedules.get(schedule) or SCHEDULES.get(schedule, "")
