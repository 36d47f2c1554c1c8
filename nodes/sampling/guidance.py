"""What may be added to guidance. All of it adds up, in any order of the nodes."""

from dataclasses import replace
from typing import Annotated

from nodeforge.api import (
    Choice,
    Guidance,
    KeptNorm,
    Perturbation,
    PerturbationKind,
    Projection,
    Range,
    Thresholding,
    Upgrade,
    ZeroStar,
    node,
)
from nodeforge.diffusion import parse_layer_names

LAYERS = Upgrade(rename={"places": "layers"})


@node("sampling.zero_star", title="CFG-Zero*")
def zero_star(guidance: Guidance, zero_steps: Annotated[int, Range(0, 100)] = 0) -> Guidance:
    """Scale the negative prompt's prediction to fit the prompt's (CFG-Zero*, Fan et al. 2025).

    Args:
        guidance: The guidance it is added to.
        zero_steps: First steps with a prediction of zero; 1 is usual for flow-matching
            models, others keep noise with it.
    """
    return guidance.each(lambda each: replace(each, zero_star=ZeroStar(zero_steps)))


@node("sampling.projected_guidance", title="Adaptive projected guidance (APG)")
def projected_guidance(
    guidance: Guidance,
    eta: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    momentum: Annotated[float, Range(-1.0, 1.0, step=0.05)] = -0.5,
    threshold: Annotated[float, Range(0.0, 1000.0, step=0.5)] = 7.5,
) -> Guidance:
    """Allow high scales without oversaturation (APG, Sadat et al. 2024).

    Args:
        guidance: What it is added to; scales of 10 to 15 are usual then.
        eta: Share kept of what only makes colours stronger; 1 is plain guidance.
        momentum: Share of the earlier steps' direction that is added; below 0 pushes away.
        threshold: Largest length of the direction; 0 is no bound. Larger pictures need more.
    """
    made = Projection(eta, momentum, threshold)
    return guidance.each(lambda each: replace(each, projection=made))


_LENGTHS = {"tokens": "As long tokens", "cells": "No longer cells", "off": "Off"}


@node("sampling.guidance_norm", title="Guidance norm")
def guidance_norm(
    guidance: Guidance,
    keep: Annotated[str, Choice(*_LENGTHS, labels=_LENGTHS)] = "tokens",
) -> Guidance:
    """Bring guidance back to the length that the prompt's own prediction has, place by place.

    Colours stay calm at higher scales. Qwen-Image does it by itself.

    Args:
        guidance: The guidance it is added to.
        keep: Tokens as long as the prompt's own, two by two cells, as Qwen-Image's pipeline has
            it; cells of the clean picture no longer than its own, as CFGNorm of ComfyUI; or off,
            plain guidance also for models that do it by themselves.
    """
    return guidance.each(lambda each: replace(each, norm=KeptNorm(keep)))


@node("sampling.low_noise_guidance", title="Low-noise guidance")
def low_noise_guidance(
    guidance: Guidance, scale: Annotated[float, Range(1.0, 20.0, step=0.1)] = 3.0
) -> Guidance:
    """Set the guidance scale for the expert that draws at low noise, as Wan 2.2 has one.

    Args:
        guidance: The guidance for high noise.
        scale: The scale for low noise; Wan 2.2 uses 3, and 4 at high noise.
    """
    return guidance.each(lambda each: replace(each, low_noise_scale=scale))


@node("sampling.image_guidance", title="Image guidance")
def image_guidance(
    guidance: Guidance,
    scale: Annotated[float | None, Range(1.0, 10.0, step=0.1, auto=True)] = None,
) -> Guidance:
    """Choose how much of the picture to edit is kept (Brooks et al. 2023).

    For models that read the picture beside the latent, as InstructPix2Pix does: the instruction
    weighs against the picture. Each step then has three predictions to make.

    Args:
        guidance: The guidance of the instruction.
        scale: Weight of the picture; more keeps more of it, 1 is none. 1.2 to 2 are usual. Empty
            is the model's usual.
    """
    return guidance.each(lambda each: replace(each, image_scale=scale))


@node(
    "sampling.perturbed_attention",
    version=2,
    upgrade={1: LAYERS},
    title="Perturbed-attention guidance (PAG)",
)
def perturbed_attention(
    guidance: Guidance,
    scale: Annotated[float, Range(0.0, 20.0, step=0.25)] = 3.0,
    layers: str = "mid",
    start: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Guidance:
    """Guide away from a prediction with perturbed self-attention (PAG, Ahn et al. 2024).

    Shapes become clearer, with and without a prompt; each step takes half as long again.

    Args:
        guidance: The guidance it is added to.
        scale: Weight; 0 turns it off.
        layers: Whose attention is perturbed: mid, up.0, down.1.0; several with commas.
        start: Share of the steps after which it begins.
        end: Share of the steps after which it ends.
    """
    made = Perturbation(PerturbationKind.ATTENTION, scale, parse_layer_names(layers), start, end)
    return _with(guidance, made)


@node(
    "sampling.skip_layers",
    version=2,
    upgrade={1: LAYERS},
    title="Skip-layer guidance (SLG)",
)
def skip_layers(
    guidance: Guidance,
    scale: Annotated[float, Range(0.0, 20.0, step=0.25)] = 2.5,
    layers: str = "mid",
    start: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.3,
) -> Guidance:
    """Guide away from the prediction without some of the layers (SLG).

    Args:
        guidance: The guidance it is added to.
        scale: Weight; 0 turns it off.
        layers: Which attention layers are left out: mid, up.0, down.1.0; several with commas.
        start: Share of the steps after which it begins.
        end: Share of the steps after which it ends.
    """
    made = Perturbation(PerturbationKind.LAYER, scale, parse_layer_names(layers), start, end)
    return _with(guidance, made)


@node("sampling.dynamic_thresholding", title="Dynamic thresholding")
def dynamic_thresholding(
    guidance: Guidance,
    mimic: Annotated[float, Range(1.0, 100.0, step=0.5)] = 7.0,
    percentile: Annotated[float, Range(0.5, 1.0, step=0.005)] = 0.995,
) -> Guidance:
    """Keep a high scale's colours in the range of a lower one's (Saharia et al. 2022).

    Args:
        guidance: The guidance it is added to.
        mimic: The scale whose range of colours is kept.
        percentile: Share of the values that is never cut off.
    """
    made = Thresholding(mimic, percentile)
    return guidance.each(lambda each: replace(each, thresholding=made))


def _with(guidance: Guidance, made: Perturbation) -> Guidance:
    return guidance.each(lambda each: replace(each, perturbations=(*each.perturbations, made)))
