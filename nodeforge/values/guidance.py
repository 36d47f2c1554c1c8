"""How the prompt is weighed: guidance, and what may be added to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from nodeforge.values.uncounted_fields import counted_if_not


@dataclass(frozen=True)
class ZeroStar:
    """CFG-Zero*: the negative prompt's prediction is scaled to fit (Fan et al. 2025).

    Args:
        steps: First steps run that predict nothing at all.
    """

    steps: int = 0


@dataclass(frozen=True)
class Projection:
    """Adaptive projected guidance: what points along the picture is taken back (Sadat 2024).

    Args:
        eta: Share kept of what points along the prompt's own clean picture; 1 is all of it.
        momentum: Share of the earlier steps' direction that is added; negative pushes away.
        threshold: Largest length of the direction; 0 is no bound.
        along_time: Along the prediction itself, each channel of a sound by its own, as ACE-Step's
            authors have it; otherwise along the whole clean picture.
    """

    eta: float = 0.0
    momentum: float = -0.5
    threshold: float = 0.0
    along_time: bool = field(default=False, metadata=counted_if_not(False))

    @property
    def neutral(self) -> bool:
        """Whether it changes nothing."""
        return self.eta == 1 and self.momentum == 0 and self.threshold == 0


@dataclass(frozen=True)
class Thresholding:
    """Dynamic thresholding: extreme values are pulled in (Saharia et al. 2022).

    Args:
        mimic: The guidance scale whose range of values is kept; one as high as the guidance's
            own changes nothing.
        percentile: Share of the values, 0..1, that are not cut off.
    """

    mimic: float = 7.0
    percentile: float = 0.995


class KeptNorm(StrEnum):
    """What of guidance is brought back to the length that the prompt's own prediction has."""

    OFF = "off"
    """Nothing."""
    TOKENS = "tokens"
    """The prediction, two by two cells, as Qwen-Image's pipeline does."""
    CELLS = "cells"
    """The clean picture, cell by cell, where guidance made it longer, as ComfyUI's CFGNorm does."""


class PerturbationKind(StrEnum):
    """What a weakened network lacks."""

    ATTENTION = "attention"
    """Self-attention is the identity: every place sees itself alone."""
    LAYER = "layer"
    """Whole transformer layers are left out."""


@dataclass(frozen=True)
class Perturbation:
    """Guidance away from what a weakened network predicts for the prompt.

    Args:
        kind: How it is weakened: perturbed-attention guidance (Ahn et al. 2024) and skip-layer
            guidance (Stability AI 2024, after Hyung et al. 2024).
        scale: Weight of the prompt's prediction against it; 0 is none.
        places: Where: ``mid``, ``down.1``, ``up.0.2``; block, then attention.
        start: Share of the steps run from which it acts.
        end: Share of the steps run up to which it acts.
    """

    kind: PerturbationKind
    scale: float
    layers: tuple[str, ...] = ("mid",)
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class Guidance:
    """How strongly the prompt is weighed against the negative prompt.

    Args:
        scale: 1 is none. A model that reads the scale is handed it. None is the model's usual.
        rescale: 0..1, pulls the result's spread back to the prompt's own (Lin et al. 2023).
        start: Share of the steps run from which guidance acts.
        end: Share of the steps run up to which it acts.
        others: What acts where this does not; of several that would, the first.
        zero_star: CFG-Zero*.
        projection: Adaptive projected guidance.
        thresholding: Dynamic thresholding.
        perturbations: What is weighed against beside the negative prompt.
        true_scale: Of classifier-free guidance beside a scale that the model reads; None and 1
            are none.
        image_scale: How strongly the picture to edit is weighed against none (Brooks et al.
            2023), by models that read it beside the latent; 1 is none, None the model's usual.
        norm: What is brought back to the prompt's own length; None is the model's usual.
        low_noise_scale: The scale from where a model's low-noise expert draws; None is `scale`.
    """

    scale: float | None
    rescale: float = 0.0
    start: float = 0.0
    end: float = 1.0
    others: tuple[Guidance, ...] = ()
    zero_star: ZeroStar | None = None
    projection: Projection | None = None
    thresholding: Thresholding | None = None
    perturbations: tuple[Perturbation, ...] = ()
    true_scale: float | None = None
    image_scale: float | None = None
    norm: KeptNorm | None = field(default=None, metadata=counted_if_not(None))
    low_noise_scale: float | None = field(default=None, metadata=counted_if_not(None))

    def each(self, change: Callable[[Guidance], Guidance]) -> Guidance:
        """This guidance and all others with `change` made to them."""
        return replace(change(self), others=tuple(map(change, self.others)))


@dataclass(frozen=True)
class FreeU:
    """Backbone features of a UNet amplified, its skips' low frequencies damped (Si et al. 2023).

    Args:
        backbone: Factors of the first and the second stage of its way up; 1 is none.
        skip: The same of the skips.
    """

    backbone: tuple[float, float] = (1.2, 1.4)
    skip: tuple[float, float] = (0.9, 0.2)

    @property
    def neutral(self) -> bool:
        """Whether it changes nothing."""
        return self.backbone == self.skip == (1.0, 1.0)
