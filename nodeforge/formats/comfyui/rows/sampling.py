"""Sampling: one node there is noise, sampler, schedule, guidance and the denoise loop here."""

from __future__ import annotations

from typing import Any

from nodeforge.formats.comfyui.making import Making, NoCounterpartError
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows.schedules import (
    LONGER,
    add_sampler,
    sampler_name,
    schedule_name,
    steps_run,
)
from nodeforge.formats.comfyui.sampling_names import DRAWING
from nodeforge.formats.comfyui.signals import Port, Signal
from nodeforge.graph.model import Output

_NUMBERS = (
    "Pictures agree but for rounding where both programs compute in single precision; in half "
    "precision, and from card to card, they are alike"
)
_MASK = (
    "Where a mask is grey, the picture changes in that share of the steps here, and is a mix at "
    "every step there; where it is 0, the latent stays bit for bit here"
)


def _sample(making: Making) -> None:
    """KSampler."""
    denoise = making.value("denoise", 1.0)
    if denoise <= 0:
        raise NoCounterpartError("its denoise is 0, so it gives the latent back as it was.")
    rule = sampler_name(making)
    levels = schedule_name(making)
    parts = {name: making.signal(name) for name in ("model", "positive", "negative")}
    steps = steps_run(making, denoise)
    _loop(
        making,
        parts,
        making.signal("latent_image"),
        (making.seed(), making.control),
        lambda: add_sampler(making, rule),
        lambda: Output(making.add("sampling.schedule", name=levels, **steps), "schedule"),
        making.port("cfg", 8.0),
    )


def _sample_part(making: Making) -> None:
    """KSamplerAdvanced: some of the steps."""
    steps = making.port("steps", 20)
    start, stop = making.port("start_at_step", 0), making.port("end_at_step", 10000)
    noisy = making.value("add_noise", "enable") != "disable"
    last = stop.output is None and stop.value >= steps.value
    if not last and making.value("return_with_leftover_noise", "disable") == "disable":
        making.differ(
            "The last of a part of the steps takes all noise away there; here the noise is left. "
            "For the whole picture, let it stop at the end"
        )
    rule = sampler_name(making)
    levels = schedule_name(making)
    if not noisy and making.value("sampler_name", "") in DRAWING:
        making.differ("Without noise of its own, what a sampler draws grows from seed 0 here")
    parts = {name: making.signal(name) for name in ("model", "positive", "negative")}
    _loop(
        making,
        parts,
        making.signal("latent_image"),
        (making.seed("noise_seed"), making.control) if noisy else None,
        lambda: add_sampler(making, rule),
        lambda: Output(making.add("sampling.schedule", name=levels, steps=steps), "schedule"),
        making.port("cfg", 8.0),
        start_at=start if start.value or start.output else None,
        stop_at=None if last else stop,
    )


def _sample_custom(making: Making) -> None:
    """SamplerCustom."""
    noisy = making.value("add_noise", True)
    parts = {name: making.signal(name) for name in ("model", "positive", "negative")}
    seed = (making.seed("noise_seed"), making.control) if noisy else None
    _given(making, parts, seed, making.port("cfg", 8.0))


def _sample_advanced(making: Making) -> None:
    """SamplerCustomAdvanced."""
    noise, guider = making.signal("noise"), making.signal("guider", needed="so nothing guides it")
    assert guider is not None
    if not guider.parts or guider.scale is None:
        raise NoCounterpartError("its guider has no counterpart here.")
    seed = (noise.seed, noise.control) if noise and noise.seed else None
    _given(making, guider.parts, seed, guider.scale)


def _given(
    making: Making, parts: dict[str, Signal | None], seed: tuple[Port, str] | None, scale: Port
) -> None:
    """A loop whose sampler and schedule are nodes of their own."""
    sampler = making.output("sampler")
    sigmas = making.signal("sigmas", needed="so there is no schedule")
    assert sigmas is not None
    if sampler is None or sigmas.output is None:
        raise NoCounterpartError("nothing feeds its sampler or its schedule.")
    schedule = sigmas.output
    _loop(
        making,
        parts,
        making.signal("latent_image"),
        seed,
        lambda: sampler,
        lambda: schedule,
        scale,
        start_at=sigmas.start or None,
        stop_at=sigmas.stop,
    )
    if making.outputs and sigmas.stop is not None and making.world.reads(making.node, 1):
        making.differ("The clean estimate of a part of the steps is no output here")
    making.outputs *= 2


def _loop(
    making: Making,
    parts: dict[str, Signal | None],
    latent: Signal | None,
    seed: tuple[Port, str] | None,
    sampler: Any,
    schedule: Any,
    scale: Port,
    **steps: Any,
) -> None:
    model, positive = parts.get("model"), parts.get("positive")
    mask = (latent and latent.mask) or (positive and positive.mask)
    seen = positive.seen if positive else None
    name = making.add("sampling.denoise", model=model, mask=mask, **steps)
    node = making.made[name]
    noise = _noise(making, latent, seed) if seed else None
    empty = latent is not None and latent.output is None
    inputs = {
        "positive": _looking(making, model, positive),
        "noise": noise,
        "latent": None if empty and noise else making.out(latent),
        "masked_image": seen,
        "sampler": sampler(),
        "schedule": schedule(),
        "guidance": _guidance(making, model, scale),
        "negative": _negative(making, positive, parts.get("negative")),
    }
    for port, given in inputs.items():
        making.put(name, node, port, given)
    making.always_differs(_NUMBERS)
    if mask:
        making.differ(_MASK)
    made = Signal("LATENT", Output(name, "latent"), mask=latent.mask if latent else None)
    making.give(made)


def _noise(making: Making, latent: Signal | None, seed: tuple[Port, str]) -> Output:
    size = latent.empty if latent is not None and latent.output is None else None
    sides: dict[str, Any] = {}
    if size is not None:
        sides = {"width": size.width, "height": size.height, "batch": size.batch}
        sides["item"] = size.item
    name = making.add("sampling.noise", seed=seed[0], **sides)
    if seed[0].output is None:
        making.control = seed[1]
        making.follow_seed(f"{name}.seed")
    return Output(name, "noise")


def _guidance(making: Making, model: Signal | None, scale: Port) -> Output:
    rescale = model.rescale if model else 0.0
    name = making.add("sampling.guidance", scale=scale, rescale=rescale or None)
    for wrap in model.wraps if model else ():
        name = making.add(wrap.type, guidance=Output(name, "guidance"), **wrap.values)
    return Output(name, "guidance")


def _looking(making: Making, model: Signal | None, positive: Signal | None) -> Output | None:
    """The prompt, with the pictures that IP-Adapters on the model let it say."""
    output = making.out(positive)
    for look in model.looks if model else ():
        name = making.add("control.apply_ip_adapter", conditioning=output, **dict(look.inputs))
        output = Output(name, "conditioning")
    return output


def _negative(making: Making, positive: Signal | None, negative: Signal | None) -> Output | None:
    """The negative prompt, with the ControlNets of the positive one that act on it, too."""
    output = making.out(negative)
    for each in positive.steering if positive and output else ():
        if negative is not None and each in negative.steering:
            continue
        name = making.add(
            "control.apply",
            conditioning=output,
            controlnet=each.controlnet,
            image=each.image,
            strength=each.strength,
        )
        output = Output(name, "conditioning")
    return output


def _random_noise(making: Making) -> None:
    making.give(Signal("NOISE", seed=making.seed("noise_seed"), control=making.control))


def _no_noise(making: Making) -> None:
    making.give(Signal("NOISE"))


def _guide(making: Making) -> None:
    parts = {name: making.signal(name) for name in ("model", "positive", "negative")}
    making.give(Signal("GUIDER", parts=parts, scale=making.port("cfg", 8.0)))


def _guide_by_one(making: Making) -> None:
    parts = {"model": making.signal("model"), "positive": making.signal("conditioning")}
    making.give(Signal("GUIDER", parts=parts, scale=Port(1.0)))


_LATENT = ("LATENT",)
_LOOP = ("sampling.denoise", "sampling.noise", "sampling.guidance")
_ALL = (*_LOOP, "sampling.sampler", "sampling.schedule")

ROWS = (
    Row(
        "KSampler",
        "KSampler",
        ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
        _LATENT,
        _ALL,
        _sample,
        LONGER,
    ),
    Row(
        "KSamplerAdvanced",
        "KSampler (Advanced)",
        (
            "add_noise",
            "noise_seed",
            "steps",
            "cfg",
            "sampler_name",
            "scheduler",
            "start_at_step",
            "end_at_step",
            "return_with_leftover_noise",
        ),
        _LATENT,
        _ALL,
        _sample_part,
    ),
    Row(
        "SamplerCustom",
        "SamplerCustom",
        ("add_noise", "noise_seed", "cfg"),
        _LATENT * 2,
        _LOOP,
        _sample_custom,
    ),
    Row("SamplerCustomAdvanced", "SamplerCustomAdvanced", (), _LATENT * 2, _LOOP, _sample_advanced),
    Row(
        "RandomNoise",
        "RandomNoise",
        ("noise_seed",),
        ("NOISE",),
        (),
        _random_noise,
        "The noise of the loop.",
        dissolves=True,
    ),
    Row(
        "DisableNoise",
        "DisableNoise",
        (),
        ("NOISE",),
        (),
        _no_noise,
        "A loop without noise of its own.",
        dissolves=True,
    ),
    Row(
        "CFGGuider",
        "CFGGuider",
        ("cfg",),
        ("GUIDER",),
        (),
        _guide,
        "The guidance of the loop.",
        dissolves=True,
    ),
    Row(
        "BasicGuider",
        "BasicGuider",
        (),
        ("GUIDER",),
        (),
        _guide_by_one,
        "A guidance of 1.",
        dissolves=True,
    ),
)
