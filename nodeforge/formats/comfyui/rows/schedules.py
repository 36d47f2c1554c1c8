"""Samplers and schedules that are nodes of their own, and what all of them are called here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from nodeforge.formats.comfyui.link_value import InputValue, LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
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
from nodeforge.graph.model import Output

LONGER = "Steps run there of a longer schedule become *strength* here, exactly."


def add_sampler(node: NodeConversion, name: str, **values: Any) -> Output:
    """A sampler of ours that follows ComfyUI's numbers."""
    made = node.add("sampling.sampler", name=name, **values, convention=CONVENTION)
    return Output(made, "sampler")


def sampler_name(node: NodeConversion) -> str:
    """Our name of the sampler that the node chooses; its own where we lack it."""
    name = node.known_value("sampler_name", "euler")
    if name not in SAMPLERS:
        node.report_difference(f"There is no sampler '{name}' here: choose another where it stands")
    if name in DRAWING_ON_CARD:
        node.report_difference(_DRAWN_ON_CARD.format(name))
    return SAMPLERS.get(name, name)


_DRAWN_ON_CARD = (
    "What '{}' draws at each step comes from the graphics card there, where there is one, and "
    "from the CPU here: other numbers"
)


def schedule_name(node: NodeConversion) -> str:
    """Our name of the schedule that the node chooses; its own where we lack it."""
    given = node.known_value("scheduler", "normal")
    if given not in SCHEDULES:
        node.report_difference(
            f"There is no schedule '{given}' here: choose another where it stands"
        )
    return SCHEDULES.get(given, given)


def steps_run(node: NodeConversion, denoise: float) -> dict[str, Any]:
    """Steps and strength of our schedule, for the steps that the node runs."""
    given = node.input_value("steps", 20)
    if denoise > 0.9999:
        return {"steps": given}
    if given.output is not None:
        node.report_difference(
            "'steps' was linked; here it is a value of its own, as the denoise counts"
        )
    if given.value < 1:
        raise NoCounterpartError(f"its 'steps' is {given.value}.")
    steps, strength = shortened(given.value, denoise)
    if given.value / denoise > MOST_STEPS + 1:
        node.report_difference(
            f"{given.value} steps at {denoise:g} need a schedule of too many steps"
        )
    return {"steps": InputValue(steps), "strength": InputValue(strength)}


def _select(node: NodeConversion) -> None:
    name = node.known_value("sampler_name", "euler")
    if name in SHORTENED:
        node.report_difference(
            f"Here '{name}' leaves the last noise level but one of a longer schedule out also "
            "where the schedule is a node of its own"
        )
    node.set_outputs(LinkValue("SAMPLER", add_sampler(node, sampler_name(node))))


def _with_eta(sampler: str) -> Any:
    def make(node: NodeConversion) -> None:
        eta, name = node.known_value("eta", 1.0), sampler
        if node.known_value("s_noise", 1.0) != 1.0:
            node.report_difference("'s_noise' is 1 here, as samplers were made")
        if node.known_value("r", 0.5) != 0.5:
            node.report_difference("'r' is 0.5 here: the midpoint of each step")
        on_card = not sampler.endswith("_sde") or node.known_value("noise_device", "gpu") == "gpu"
        if on_card:
            node.report_difference(_DRAWN_ON_CARD.format(node.source.class_type))
        if node.known_value("solver_type", "midpoint") == "heun":
            name = f"{sampler}_heun"
        sampled = add_sampler(node, name, eta=None if eta == 1.0 else eta)
        node.set_outputs(LinkValue("SAMPLER", sampled))

    return make


def _lms(node: NodeConversion) -> None:
    if node.known_value("order", 4) != 4:
        raise NoCounterpartError("our sampler 'lms' is of order 4.")
    node.set_outputs(LinkValue("SAMPLER", add_sampler(node, "lms")))


def _schedule(node: NodeConversion, name: str, **values: Any) -> None:
    made = node.add("sampling.schedule", name=name, **values)
    node.set_outputs(LinkValue("SIGMAS", Output(made, "schedule")))


def _basic_schedule(node: NodeConversion) -> None:
    denoise = node.known_value("denoise", 1.0)
    if denoise <= 0:
        raise NoCounterpartError("its denoise is 0, so no step is run.")
    _schedule(node, schedule_name(node), **steps_run(node, denoise))


def _flux2_schedule(node: NodeConversion) -> None:
    _schedule(node, "flux2", steps=node.input_value("steps", 20))
    node.report_difference("The width and height that count are those of the latent here")


def _tuned_schedule(node: NodeConversion) -> None:
    kinds = {"SD1": "ays", "SDXL": "ays_sdxl"}
    kind = node.known_value("model_type", "SD1")
    if kind not in kinds:
        raise NoCounterpartError(f"its noise levels for '{kind}' are not here.")
    denoise = node.known_value("denoise", 1.0)
    if denoise <= 0:
        raise NoCounterpartError("its denoise is 0, so no step is run.")
    values = steps_run(node, 1.0)
    if denoise < 1:  # these steps are counted as ours are: the share that is run
        values["strength"] = InputValue(denoise)
    _schedule(node, kinds[kind], **values)


def _turbo_schedule(node: NodeConversion) -> None:
    if (node.known_value("steps", 1), node.known_value("denoise", 1.0)) != (1, 1.0):
        raise NoCounterpartError("turns ten fixed timesteps into steps; only one step is the same.")
    _schedule(node, "sgm_uniform", steps=1)


def _beta_schedule(node: NodeConversion) -> None:
    shape = node.known_value("alpha", 0.6), node.known_value("beta", 0.6)
    known = {(0.6, 0.6): "beta", (0.5, 0.7): "beta57"}
    if shape not in known:
        raise NoCounterpartError("our 'beta' has an alpha and a beta of 0.6, 'beta57' 0.5 and 0.7.")
    _schedule(node, known[shape], steps=node.input_value("steps", 20))


_NUMBER = re.compile(r"[-+]?(?:\d*\.)?\d+(?:[eE][-+]?\d+)?")

_USUAL = (14.614642, 0.0291675)
"""The noise levels of SD 1.5 and SDXL, which ComfyUI proposes."""


def _level_schedule(name: str, rho: float, make_levels: Any) -> Any:
    def make(node: NodeConversion) -> None:
        highest = node.known_value("sigma_max", _USUAL[0])
        lowest = node.known_value("sigma_min", _USUAL[1])
        bend = node.known_value("rho", rho)
        if not (0 < lowest < highest and 0.1 <= bend <= 100):
            raise NoCounterpartError("its noise levels do not fall.")
        steps = node.input_value("steps", 20)
        usual = abs(highest / _USUAL[0] - 1) < 1e-3 and abs(lowest / _USUAL[1] - 1) < 1e-3
        if usual and bend <= 20:
            _schedule(node, name, steps=steps, rho=bend)
            return
        if not 1 <= steps.value <= MOST_STEPS:
            raise NoCounterpartError(f"its 'steps' is {steps.value}.")
        levels = make_levels(steps.value, highest, lowest, bend)
        _given_levels(node, levels)

    return make


def _given_levels(node: NodeConversion, levels: Iterable[float]) -> None:
    text = ", ".join(f"{level:.9g}" for level in levels)
    made = node.add("sampling.custom_schedule", sigmas=text)
    node.set_outputs(LinkValue("SIGMAS", Output(made, "schedule")))


def _written_levels(node: NodeConversion) -> None:
    """ManualSigmas: every number of a text, whatever stands between."""
    found = [float(number) for number in _NUMBER.findall(node.known_value("sigmas", ""))]
    if len(found) < 2 or found[-1] != 0 or any(a <= b for a, b in pairwise(found)):
        raise NoCounterpartError("its noise levels do not fall to 0, one after another.")
    _given_levels(node, found)


def _split(node: NodeConversion) -> None:
    sigmas = node.link_value("sigmas", needed="so there is no schedule")
    assert sigmas is not None
    if sigmas.output is None:
        raise NoCounterpartError("its schedule has no counterpart here.")
    at = sigmas.start + max(node.known_value("step", 0), 0)
    node.set_outputs(replace(sigmas, stop=at), replace(sigmas, start=at))


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
        "Flux2Scheduler",
        "Flux2Scheduler",
        ("steps", "width", "height"),
        _SIGMAS,
        _SCHEDULE,
        _flux2_schedule,
        "Its size is that of the latent.",
    ),
    Row(
        "ManualSigmas",
        "ManualSigmas",
        ("sigmas",),
        _SIGMAS,
        ("sampling.custom_schedule",),
        _written_levels,
        "Levels that fall to 0.",
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
        virtual=True,
    ),
)
