"""Sampling: one node there is noise, sampler, schedule, guidance and the denoise loop here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nodeforge.formats.comfyui.link_value import InputValue, LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows.motion import frames_for_motion
from nodeforge.formats.comfyui.rows.schedules import (
    LONGER,
    add_sampler,
    sampler_name,
    schedule_name,
    steps_run,
)
from nodeforge.formats.comfyui.rows.sound_latents import seconds_of
from nodeforge.formats.comfyui.sampling_names import CONVENTION, DRAWING
from nodeforge.graph.model import Input, Output
from nodeforge.models import FAMILIES, GuidanceKind

_NUMBERS = (
    "Pictures agree but for rounding where both programs compute in single precision; in half "
    "precision, and from card to card, they are alike"
)
_MASK = (
    "Where a mask is grey, the picture changes in that share of the steps here, and is a mix at "
    "every step there; where it is 0, the latent stays bit for bit here"
)


Parts = dict[str, LinkValue | None]
"""Model, positive and negative conditioning by these names."""


def linked_parts(node: NodeConversion) -> Parts:
    """The parts that are linked to the node itself."""
    return {name: node.link_value(name) for name in ("model", "positive", "negative")}


def _sample(node: NodeConversion) -> None:
    """KSampler."""
    sample_all(node, linked_parts(node), node.seed())


def sample_all(node: NodeConversion, parts: Parts, seed: InputValue) -> None:
    """A loop over all steps, by the widgets that KSampler has."""
    denoise = node.known_value("denoise", 1.0)
    if denoise <= 0:
        raise NoCounterpartError("its denoise is 0, so it gives the latent back as it was.")
    rule = sampler_name(node)
    levels = schedule_name(node)
    steps = steps_run(node, denoise)
    _loop(
        node,
        parts,
        node.link_value("latent_image"),
        (seed, node.control),
        lambda: add_sampler(node, rule),
        lambda: Output(node.add("sampling.schedule", name=levels, **steps), "schedule"),
        node.input_value("cfg", 8.0),
    )


def _sample_part(node: NodeConversion) -> None:
    """KSamplerAdvanced."""
    noisy = node.known_value("add_noise", "enable") != "disable"
    keeps_noise = node.known_value("return_with_leftover_noise", "disable") != "disable"
    sample_part(node, linked_parts(node), noisy=noisy, keeps_noise=keeps_noise)


def sample_part(node: NodeConversion, parts: Parts, *, noisy: bool, keeps_noise: bool) -> None:
    """A loop over some of the steps, by the widgets that KSamplerAdvanced has.

    Args:
        noisy: Noise is added first.
        keeps_noise: What noise is left after the last of its steps stays.
    """
    steps = node.input_value("steps", 20)
    start, stop = (
        node.input_value("start_at_step", 0),
        node.input_value("end_at_step", 10000),
    )
    at_the_end = stop.output is not None and stop.output == steps.output
    last = at_the_end or (stop.output is None and stop.value >= steps.value)
    if not last and not keeps_noise:
        node.report_difference(
            "The last of a part of the steps takes all noise away there; here the noise is left. "
            "For the whole picture, let it stop at the end"
        )
    rule = sampler_name(node)
    levels = schedule_name(node)
    if not noisy and node.known_value("sampler_name", "") in DRAWING:
        node.report_difference(
            "Without noise of its own, what a sampler draws grows from seed 0 here"
        )
    _loop(
        node,
        parts,
        node.link_value("latent_image"),
        (node.seed("noise_seed"), node.control) if noisy else None,
        lambda: add_sampler(node, rule),
        lambda: Output(node.add("sampling.schedule", name=levels, steps=steps), "schedule"),
        node.input_value("cfg", 8.0),
        start_at=start if start.value or start.output else None,
        stop_at=None if last else stop,
    )


def _sample_custom(node: NodeConversion) -> None:
    """SamplerCustom."""
    noisy = node.known_value("add_noise", True)
    parts = linked_parts(node)
    seed = (node.seed("noise_seed"), node.control) if noisy else None
    _given(node, parts, seed, node.input_value("cfg", 8.0))


def _sample_advanced(node: NodeConversion) -> None:
    """SamplerCustomAdvanced."""
    noise, guider = (
        node.link_value("noise"),
        node.link_value("guider", needed="so nothing guides it"),
    )
    assert guider is not None
    if not guider.parts or guider.scale is None:
        raise NoCounterpartError("its guider has no counterpart here.")
    seed = (noise.seed, noise.control) if noise and noise.seed else None
    _given(node, guider.parts, seed, guider.scale, guider.image_scale)


def _given(
    node: NodeConversion,
    parts: Parts,
    seed: tuple[InputValue, str] | None,
    scale: InputValue,
    image_scale: InputValue | None = None,
) -> None:
    """A loop whose sampler and schedule are nodes of their own."""
    sampler = node.output("sampler")
    sigmas = node.link_value("sigmas", needed="so there is no schedule")
    assert sigmas is not None
    if sampler is None or sigmas.output is None:
        raise NoCounterpartError("nothing feeds its sampler or its schedule.")
    schedule = sigmas.output
    _loop(
        node,
        parts,
        node.link_value("latent_image"),
        seed,
        lambda: sampler,
        lambda: schedule,
        scale,
        image_scale,
        start_at=sigmas.start or None,
        stop_at=sigmas.stop,
    )
    if node.outputs and sigmas.stop is not None and node.workflow.is_linked(node.source, 1):
        node.report_difference("The clean estimate of a part of the steps is no output here")
    node.outputs *= 2


def _loop(
    node: NodeConversion,
    parts: Parts,
    latent: LinkValue | None,
    seed: tuple[InputValue, str] | None,
    sampler: Any,
    schedule: Any,
    scale: InputValue,
    image_scale: InputValue | None = None,
    **steps: Any,
) -> None:
    model, positive = parts.get("model"), parts.get("positive")
    mask = (latent and latent.mask) or (positive and positive.mask)
    masked_image = positive.masked_image if positive else None
    if masked_image is None and latent is not None and latent.mask:
        masked_image = latent.masked_image
    if model is not None and model.motion:
        latent = frames_for_motion(node, model, latent)
    name = node.add("sampling.denoise", model=model, mask=mask, **steps)
    target = node.nodes[name]
    noise = _noise(node, latent, positive, seed) if seed else None
    empty = latent is not None and latent.output is None
    inputs = {
        "positive": _with_image_prompts(node, model, positive),
        "noise": noise,
        "latent": None if empty and noise else node.resolve(latent),
        "masked_image": masked_image,
        "sampler": sampler(),
        "schedule": schedule(),
        "guidance": _guidance(node, model, positive, scale, image_scale),
        "negative": _negative(node, positive, parts.get("negative")),
    }
    for port, given in inputs.items():
        node.set_input(name, target, port, given)
    node.report_general_difference(_NUMBERS)
    if mask and not (model and model.differential):
        node.report_difference(_MASK)
    made = LinkValue("LATENT", Output(name, "latent"), mask=latent.mask if latent else None)
    if latent is not None and latent.sound and (latent.empty is None or latent.seconds is not None):
        _walk_sigmas(node, node.links[Input(name, "sampler")])
    if latent is not None:
        made = replace(made, video=latent.video, sound=latent.sound, seconds=latent.seconds)
        made = replace(made, layers=latent.layers)
    node.set_outputs(made)


def _walk_sigmas(node: NodeConversion, sampler: Output) -> None:
    """Let a sampler walk a sound's noise levels, which are in diffusers' convention alone."""
    made = node.nodes.get(sampler.node) or node.workflow.document.graph.nodes[sampler.node]
    if made.values.pop("convention", "") == CONVENTION:
        node.report_difference("Sounds are drawn by diffusers' numbers here, not by ComfyUI's")


def _noise(
    node: NodeConversion,
    latent: LinkValue | None,
    positive: LinkValue | None,
    seed: tuple[InputValue, str],
) -> Output:
    size = latent.empty if latent is not None and latent.output is None else None
    sides: dict[str, Any] = {}
    kind = "sampling.video_noise" if latent is not None and latent.video else "sampling.noise"
    if latent is not None and latent.sound:
        kind = "sampling.audio_noise"
        sides = {"seconds": seconds_of(latent, positive), "batch": size and size.batch}
    elif size is not None and size.layers is not None:
        kind = "sampling.layers_noise"
        sides = {"width": size.width, "height": size.height, "layers": size.layers}
    elif size is not None and size.frames is not None:
        sides = {"width": size.width, "height": size.height, "frames": size.frames}
    elif size is not None:
        sides = {"width": size.width, "height": size.height, "batch": size.batch}
        sides["item"] = size.item
    name = node.add(kind, seed=seed[0], **sides)
    if seed[0].output is None:
        node.control = seed[1]
        node.set_seed_control(f"{name}.seed")
    return Output(name, "noise")


def _embedded(positive: LinkValue | None) -> InputValue | None:
    """The scale that a model of the prompt's family reads; ComfyUI's usual if no node says it."""
    if positive is None:
        return None
    family = FAMILIES.get(positive.family)
    reads = family is not None and family.guidance is GuidanceKind.EMBEDDED
    return positive.embedded or (InputValue(_USUAL_EMBEDDED) if reads else None)


def _guidance(
    node: NodeConversion,
    model: LinkValue | None,
    positive: LinkValue | None,
    scale: InputValue,
    image_scale: InputValue | None,
) -> Output:
    """The guidance node; what a prompt says that the model reads goes before the CFG scale."""
    rescale = model.rescale if model else 0.0
    given = {"scale": scale, "true_scale": None}
    if (embedded := _embedded(positive)) is not None:
        off = scale.output is None and scale.value == 1.0
        given = {"scale": embedded, "true_scale": None if off else scale}
    name = node.add("sampling.guidance", **given, rescale=rescale or None)
    if image_scale or (positive and positive.edits):  # none there where no node asks for it
        scale = image_scale or InputValue(1.0)
        name = node.add("sampling.image_guidance", guidance=Output(name, "guidance"), scale=scale)
    for wrapper in model.guidance_wrappers if model else ():
        name = node.add(wrapper.type, guidance=Output(name, "guidance"), **wrapper.values)
    return Output(name, "guidance")


def _with_image_prompts(
    node: NodeConversion, model: LinkValue | None, positive: LinkValue | None
) -> Output | None:
    """The prompt, with the pictures that IP-Adapters on the model let it say."""
    output = node.resolve(positive)
    for image_prompt in model.image_prompts if model else ():
        name = node.add(
            "control.apply_ip_adapter", conditioning=output, **dict(image_prompt.inputs)
        )
        output = Output(name, "conditioning")
    return output


def _negative(
    node: NodeConversion, positive: LinkValue | None, negative: LinkValue | None
) -> Output | None:
    """The negative prompt, with the ControlNets of the positive one that act on it, too."""
    output = node.resolve(negative)
    for each in positive.negative_controls if positive and output else ():
        if negative is not None and each in negative.negative_controls:
            continue
        name = node.add(
            "control.apply",
            conditioning=output,
            controlnet=each.controlnet,
            image=each.image,
            strength=each.strength,
        )
        output = Output(name, "conditioning")
    return output


def _random_noise(node: NodeConversion) -> None:
    node.set_outputs(LinkValue("NOISE", seed=node.seed("noise_seed"), control=node.control))


def _no_noise(node: NodeConversion) -> None:
    node.set_outputs(LinkValue("NOISE"))


def _guide(node: NodeConversion) -> None:
    parts = linked_parts(node)
    node.set_outputs(LinkValue("GUIDER", parts=parts, scale=node.input_value("cfg", 8.0)))


def _guide_by_two(node: NodeConversion) -> None:
    """DualCFGGuider: the instruction against the picture, the picture against none."""
    parts = {
        "model": node.link_value("model"),
        "positive": node.link_value("cond1"),
        "negative": node.link_value("cond2"),
    }
    if node.known_value("style", "regular") != "regular":
        node.report_difference("The two guidances act beside each other here, not nested")
    node.set_outputs(
        LinkValue(
            "GUIDER",
            parts=parts,
            scale=node.input_value("cfg_conds", 8.0),
            image_scale=node.input_value("cfg_cond2_negative", 8.0),
        )
    )


def _guide_by_one(node: NodeConversion) -> None:
    parts = {
        "model": node.link_value("model"),
        "positive": node.link_value("conditioning"),
    }
    node.set_outputs(LinkValue("GUIDER", parts=parts, scale=InputValue(1.0)))


_USUAL_EMBEDDED = 3.5
_LATENT = ("LATENT",)
_NOISES = (
    *("sampling.noise", "sampling.video_noise", "sampling.layers_noise"),
    "sampling.audio_noise",
)
_LOOP = ("sampling.denoise", *_NOISES, "sampling.guidance")
ALL = (*_LOOP, "sampling.sampler", "sampling.schedule")

ROWS = (
    Row(
        "KSampler",
        "KSampler",
        ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
        _LATENT,
        ALL,
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
        ALL,
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
        virtual=True,
    ),
    Row(
        "DisableNoise",
        "DisableNoise",
        (),
        ("NOISE",),
        (),
        _no_noise,
        "A loop without noise of its own.",
        virtual=True,
    ),
    Row(
        "CFGGuider",
        "CFGGuider",
        ("cfg",),
        ("GUIDER",),
        (),
        _guide,
        "The guidance of the loop.",
        virtual=True,
    ),
    Row(
        "DualCFGGuider",
        "DualCFGGuider",
        ("cfg_conds", "cfg_cond2_negative", "style"),
        ("GUIDER",),
        (),
        _guide_by_two,
        "The guidance of the loop, with *Image guidance*; its negative shows no picture.",
        virtual=True,
    ),
    Row(
        "BasicGuider",
        "BasicGuider",
        (),
        ("GUIDER",),
        (),
        _guide_by_one,
        "A guidance of 1.",
        virtual=True,
    ),
)
