"""Samplers and schedules that are nodes of their own, and what all of them are called here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nodeforge.formats.comfyui.making import Making, NoCounterpartError
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.sampling_names import (
    CONVENTION,
    DRAWING_ON_CARD,
    MOST_STEPS,
    SAMPLERS,
    SCHEDULES,
    SHORTENED,
    bent_sigmas,
    log_sigmas,
    shortened,
)
from nodeforge.formats.comfyui.signals import Port, Signal
from nodeforge.graph.model import Output

LONGER = "Steps run there of a longer schedule become *strength* here, exactly."


def add_sampler(making: Making, name: str, **values: Any) -> Output:
    """A sampler of ours that follows ComfyUI's numbers."""
    made = making.add("sampling.sampler", name=name, **values, convention=CONVENTION)
    return Output(made, "sampler")


def sampler_name(making: Making) -> str:
    """Our name of the sampler that the node chooses; its own where we lack it."""
    name = making.value("sampler_name", "euler")
    if name not in SAMPLERS:
        making.differ(f"There is no sampler '{name}' here: choose another where it stands")
    if name in DRAWING_ON_CARD:
        making.differ(_DRAWN_ON_CARD.format(name))
    return SAMPLERS.get(name, name)


_DRAWN_ON_CARD = (
    "What '{}' draws at each step comes from the graphics card there, where there is one, and "
    "from the CPU here: other numbers"
)


def schedule_name(making: Making) -> str:
    """Our name of the schedule that the node chooses; its own where we lack it."""
    given = making.value("scheduler", "normal")
    if given not in SCHEDULES:
        making.differ(f"There is no schedule '{given}' here: choose another where it stands")
    return SCHEDULES.get(given, given)


def steps_run(making: Making, denoise: float) -> dict[str, Any]:
    """Steps and strength of our schedule, for the steps that the node runs."""
    given = making.port("steps", 20)
    if denoise > 0.9999:
        return {"steps": given}
    if given.output is not None:
        making.differ("'steps' was linked; here it is a value of its own, as the denoise counts")
    if given.value < 1:
        raise NoCounterpartError(f"its 'steps' is {given.value}.")
    steps, strength = shortened(given.value, denoise)
    if given.value / denoise > MOST_STEPS + 1:
        making.differ(f"{given.value} steps at {denoise:g} need a schedule of too many steps")
    return {"steps": Port(steps), "strength": Port(strength)}


def _select(making: Making) -> None:
    name = making.value("sampler_name", "euler")
    if name in SHORTENED:
        making.differ(
            f"Here '{name}' leaves the last noise level but one of a longer schedule out also "
            "where the schedule is a node of its own"
        )
    making.give(Signal("SAMPLER", add_sampler(making, sampler_name(making))))


def _with_eta(sampler: str) -> Any:
    def make(making: Making) -> None:
        eta, name = making.value("eta", 1.0), sampler
        if making.value("s_noise", 1.0) != 1.0:
            making.differ("'s_noise' is 1 here, as samplers were made")
        if making.value("r", 0.5) != 0.5:
            making.differ("'r' is 0.5 here: the midpoint of each step")
        on_card = not sampler.endswith("_sde") or making.value("noise_device", "gpu") == "gpu"
        if on_card:
            making.differ(_DRAWN_ON_CARD.format(making.node.kind))
        if making.value("solver_type", "midpoint") == "heun":
            name = f"{sampler}_heun"
        sampled = add_sampler(making, name, eta=None if eta == 1.0 else eta)
        making.give(Signal("SAMPLER", sampled))

    return make


def _lms(making: Making) -> None:
    if making.value("order", 4) != 4:
        raise NoCounterpartError("our sampler 'lms' is of order 4.")
    making.give(Signal("SAMPLER", add_sampler(making, "lms")))


def _schedule(making: Making, name: str, **values: Any) -> None:
    made = making.add("sampling.schedule", name=name, **values)
    making.give(Signal("SIGMAS", Output(made, "schedule")))


def _basic_schedule(making: Making) -> None:
    denoise = making.value("denoise", 1.0)
    if denoise <= 0:
        raise NoCounterpartError("its denoise is 0, so no step is run.")
    _schedule(making, schedule_name(making), **steps_run(making, denoise))


def _tuned_schedule(making: Making) -> None:
    kinds = {"SD1": "ays", "SDXL": "ays_sdxl"}
    kind = making.value("model_type", "SD1")
    if kind not in kinds:
        raise NoCounterpartError(f"its noise levels for '{kind}' are not here.")
    denoise = making.value("denoise", 1.0)
    if denoise <= 0:
        raise NoCounterpartError("its denoise is 0, so no step is run.")
    values = steps_run(making, 1.0)
    if denoise < 1:  # these steps are counted as ours are: the share that is run
        values["strength"] = Port(denoise)
    _schedule(making, kinds[kind], **values)


def _turbo_schedule(making: Making) -> None:
    if (making.value("steps", 1), making.value("denoise", 1.0)) != (1, 1.0):
        raise NoCounterpartError("turns ten fixed timesteps into steps; only one step is the same.")
    _schedule(making, "sgm_uniform", steps=1)


def _beta_schedule(making: Making) -> None:
    shape = making.value("alpha", 0.6), making.value("beta", 0.6)
    known = {(0.6, 0.6): "beta", (0.5, 0.7): "beta57"}
    if shape not in known:
        raise NoCounterpartError("our 'beta' has an alpha and a beta of 0.6, 'beta57' 0.5 and 0.7.")
    _schedule(making, known[shape], steps=making.port("steps", 20))


_USUAL = (14.614642, 0.0291675)
"""The noise levels of SD 1.5 and SDXL, which ComfyUI proposes."""


def _level_schedule(name: str, rho: float, make_levels: Any) -> Any:
    def make(making: Making) -> None:
        highest = making.value("sigma_max", _USUAL[0])
        lowest = making.value("sigma_min", _USUAL[1])
        bend = making.value("rho", rho)
        if not (0 < lowest < highest and 0.1 <= bend <= 100):
            raise NoCounterpartError("its noise levels do not fall.")
        steps = making.port("steps", 20)
        usual = abs(highest / _USUAL[0] - 1) < 1e-3 and abs(lowest / _USUAL[1] - 1) < 1e-3
        if usual and bend <= 20:
            _schedule(making, name, steps=steps, rho=bend)
            return
        if not 1 <= steps.value <= MOST_STEPS:
            raise NoCounterpartError(f"its 'steps' is {steps.value}.")
        levels = make_levels(steps.value, highest, lowest, bend)
        text = ", ".join(f"{level:.9g}" for level in levels)
        made = making.add("sampling.custom_schedule", sigmas=text)
        making.give(Signal("SIGMAS", Output(made, "schedule")))

    return make


def _split(making: Making) -> None:
    sigmas = making.signal("sigmas", needed="so there is no schedule")
    assert sigmas is not None
    if sigmas.output is None:
        raise NoCounterpartError("its schedule has no counterpart here.")
    at = sigmas.start + max(making.value("step", 0), 0)
    making.give(replace(sigmas, stop=at), replace(sigmas, start=at))


_SIGMAS, _SAMPLER = ("SIGMAS",), ("SAMPLER",)
_SCHEDULE, _LEVELS = ("sampling.schedule",), ("sampling.schedule", "sampling.custom_schedule")
_ETAS = {
    "SamplerEulerAncestral": ("euler_a", ("eta", "s_noise")),
    "SamplerDPMPP_2S_Ancestral": ("dpmpp_2s_a", ("eta", "s_noise")),
    "SamplerDPMPP_2M_SDE": ("dpmpp_2m_sde", ("solver_type", "eta", "s_noise", "noise_device")),
    "SamplerDPMPP_3M_SDE": ("dpmpp_3m_sde", ("eta", "s_noise", "noise_device")),
    "SamplerDPMPP_SDE": ("dpmpp_sde", ("eta", "s_noise", "r", "noise_device")),
    "SamplerEulerAncestralCFGPP": ("euler_ancestral_cfg_pp", ("eta", "s_noise")),
}

ROWS = (
    Row(
        "KSamplerSelect",
        "KSamplerSelect",
        ("sampler_name",),
        _SAMPLER,
        ("sampling.sampler",),
        _select,
    ),
    *(
        Row(kind, kind, names, _SAMPLER, ("sampling.sampler",), _with_eta(sampler), "With its eta.")
        for kind, (sampler, names) in _ETAS.items()
    ),
    Row(
        "SamplerLMS", "SamplerLMS", ("order",), _SAMPLER, ("sampling.sampler",), _lms, "Of order 4."
    ),
    Row(
        "BasicScheduler",
        "BasicScheduler",
        ("scheduler", "steps", "denoise"),
        _SIGMAS,
        _SCHEDULE,
        _basic_schedule,
        LONGER,
    ),
    Row(
        "KarrasScheduler",
        "KarrasScheduler",
        ("steps", "sigma_max", "sigma_min", "rho"),
        _SIGMAS,
        _LEVELS,
        _level_schedule("karras", 7.0, bent_sigmas),
    ),
    Row(
        "ExponentialScheduler",
        "ExponentialScheduler",
        ("steps", "sigma_max", "sigma_min"),
        _SIGMAS,
        _LEVELS,
        _level_schedule("polyexponential", 1.0, log_sigmas),
    ),
    Row(
        "PolyexponentialScheduler",
        "PolyexponentialScheduler",
        ("steps", "sigma_max", "sigma_min", "rho"),
        _SIGMAS,
        _LEVELS,
        _level_schedule("polyexponential", 1.0, log_sigmas),
    ),
    Row(
        "AlignYourStepsScheduler",
        "AlignYourStepsScheduler",
        ("model_type", "steps", "denoise"),
        _SIGMAS,
        _SCHEDULE,
        _tuned_schedule,
    ),
    Row(
        "SDTurboScheduler",
        "SDTurboScheduler",
        ("steps", "denoise"),
        _SIGMAS,
        _SCHEDULE,
        _turbo_schedule,
        "For one step.",
    ),
    Row(
        "BetaSamplingScheduler",
        "BetaSamplingScheduler",
        ("steps", "alpha", "beta"),
        _SIGMAS,
        _SCHEDULE,
        _beta_schedule,
        "With 0.6 and 0.6, or 0.5 and 0.7.",
    ),
    Row(
        "SplitSigmas",
        "SplitSigmas",
        ("step",),
        _SIGMAS * 2,
        (),
        _split,
        "*start at* and *stop at* of the loops.",
        dissolves=True,
    ),
)
