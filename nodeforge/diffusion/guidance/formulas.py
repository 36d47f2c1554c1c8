"""How a step's predictions become one: classifier-free guidance and what may be added to it.

In this order: CFG-Zero*, the guidance itself or its projection, what weakened networks say,
thresholding, its length, rescaling. What is not asked for leaves plain guidance's bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.linalg import vector_norm

from nodeforge.diffusion.tensors.packing import pack, unpack
from nodeforge.diffusion.tensors.prediction import Clean
from nodeforge.values import Guidance, Projection, Thresholding
from nodeforge.values.guidance import KeptNorm

_LEAST = 1e-12
"""Length of what is not divided by: nothing."""


@dataclass
class GuidanceState:
    """What guidance remembers from call to call; part of the checkpoints.

    Args:
        direction: Adaptive projected guidance's running direction of the clean estimate.
    """

    direction: Tensor | None = None

    def state(self) -> dict[str, Tensor]:
        return {} if self.direction is None else {"direction": self.direction}

    def restore(self, state: Mapping[str, Any], device: torch.device) -> None:
        direction = state.get("direction")
        self.direction = None if direction is None else direction.to(device)


@dataclass(frozen=True)
class Predictions:
    """What a network predicts in one step, each (batch, channels, height, width).

    Args:
        wanted: For the positive prompt.
        unwanted: For the negative prompt; None where no guidance acts.
        perturbed: For the positive prompt, by each of the guidance's perturbations.
        unreferenced: For the negative prompt, without the picture to edit; None where no image
            guidance acts.
    """

    wanted: Tensor
    unwanted: Tensor | None = None
    perturbed: Sequence[Tensor] = ()
    unreferenced: Tensor | None = None


def apply_guidance(
    guidance: Guidance,
    predictions: Predictions,
    clean: Clean,
    memory: GuidanceState,
    from_positive: bool = False,
) -> Tensor:
    """One prediction from those of a step.

    Args:
        guidance: What acts.
        predictions: The network's.
        clean: What predictions say of the clean latent.
        memory: Is changed where the guidance has momentum.
        from_positive: Count from the positive prompt's prediction, which decides the last bit.
    """
    wanted, unwanted = predictions.wanted, predictions.unwanted
    made = wanted
    if unwanted is not None:
        if guidance.zero_star is not None:
            unwanted = fitted(unwanted, wanted)
        made = _against(guidance, wanted, unwanted, clean, memory, from_positive)
        if predictions.unreferenced is not None:
            made = _with_picture(guidance, made, wanted, unwanted, predictions.unreferenced)
    for each, prediction in zip(guidance.perturbations, predictions.perturbed, strict=True):
        made = made + each.scale * (wanted - prediction)
    how = guidance.thresholding
    if unwanted is not None and how is not None and how.mimic < scale_of(guidance):
        made = _in_range(how, made, wanted, unwanted, clean)
    if unwanted is not None and guidance.norm is not None:
        made = _of_kept_length(guidance.norm, made, wanted, clean)
    return rescaled(made, wanted, guidance.rescale) if guidance.rescale else made


def scale_of(guidance: Guidance) -> float:
    """The scale of guidance in the loop, where none is left to the model."""
    assert guidance.scale is not None, "the loop has resolved it"
    return guidance.scale


def _against(
    guidance: Guidance,
    wanted: Tensor,
    unwanted: Tensor,
    clean: Clean,
    memory: GuidanceState,
    from_positive: bool,
) -> Tensor:
    projection, scale = guidance.projection, scale_of(guidance)
    if projection is None or projection.neutral:
        if from_positive:
            return wanted + (scale - 1) * (wanted - unwanted)
        return unwanted + scale * (wanted - unwanted)
    along, slope = (wanted, 1.0) if projection.along_time else (clean(wanted), clean.slope)
    direction = slope * (wanted - unwanted)
    if projection.momentum and memory.direction is not None:
        direction = direction + projection.momentum * memory.direction
    memory.direction = direction if projection.momentum else None
    update = projected(direction, along, projection)
    return wanted + (scale - 1) * update / slope


def _with_picture(
    guidance: Guidance, made: Tensor, wanted: Tensor, unwanted: Tensor, unreferenced: Tensor
) -> Tensor:
    """`made` with image guidance: Brooks et al. 2023, equation 3."""
    assert guidance.image_scale is not None, "the loop has resolved it"
    if guidance.projection is None or guidance.projection.neutral:  # the pipeline's last bit
        return (
            unreferenced
            + scale_of(guidance) * (wanted - unwanted)
            + guidance.image_scale * (unwanted - unreferenced)
        )
    return made + (guidance.image_scale - 1) * (unwanted - unreferenced)


def projected(direction: Tensor, clean: Tensor, projection: Projection) -> Tensor:
    """`direction` shortened, and without most of what points along `clean`.

    With `Projection.along_time` that is the prediction, and each channel has a length of its own.

    Sadat, Hilliges and Weber 2024, "Eliminating Oversaturation and Artifacts of High Guidance
    Scales in Diffusion Models", algorithm 1.
    """
    axes = (-1,) if projection.along_time else tuple(range(1, direction.ndim))
    if projection.threshold > 0:
        length = vector_norm(direction, dim=axes, keepdim=True)
        direction = direction * (projection.threshold / length).clamp(max=1)
    # in double precision, as the paper's code: what is left is a small difference
    able = "cpu" if direction.device.type == "mps" else direction.device
    whole, along = direction.to(able).double(), clean.to(able).double()
    along = along / vector_norm(along, dim=axes, keepdim=True).clamp(min=1e-12)
    parallel = (whole * along).sum(dim=axes, keepdim=True) * along
    return (whole - parallel).to(direction) + projection.eta * parallel.to(direction)


def fitted(unwanted: Tensor, wanted: Tensor) -> Tensor:
    """`unwanted` times what brings it nearest to `wanted`.

    Fan et al. 2025, "CFG-Zero*: Improved Classifier-Free Guidance for Flow Matching Models",
    equation 8.
    """
    axes = tuple(range(1, wanted.ndim))
    product = (wanted * unwanted).sum(dim=axes, keepdim=True)
    return unwanted * (product / (unwanted.square().sum(dim=axes, keepdim=True) + 1e-8))


def _in_range(
    how: Thresholding, made: Tensor, wanted: Tensor, unwanted: Tensor, clean: Clean
) -> Tensor:
    estimate = clean(made)
    gentle = clean(unwanted + how.mimic * (wanted - unwanted))
    return made + (thresholded(estimate, gentle, how.percentile) - estimate) / clean.slope


def thresholded(clean: Tensor, gentle: Tensor, percentile: float) -> Tensor:
    """`clean` cut off at a percentile and brought into the range of `gentle`, by channel.

    Saharia et al. 2022, "Photorealistic Text-to-Image Diffusion Models with Deep Language
    Understanding", section 2.3. Its bound of 1, which pixels have and latents have not, is here
    the farthest that `gentle`, made at a lower guidance scale, is from its channel's mean.
    Where nothing lies beyond, the bits stay.
    """
    mean = clean.mean(dim=(2, 3), keepdim=True)
    away = clean - mean
    bound = _farthest(gentle)
    # by sorting: torch.quantile refuses latents of large pictures
    ordered = away.abs().flatten(2).sort(dim=-1).values
    place = min(round(percentile * (ordered.shape[-1] - 1)), ordered.shape[-1] - 1)
    cut = torch.maximum(ordered[..., place][..., None, None], bound)
    pulled = mean + torch.clamp(away, -cut, cut) * (bound / cut.clamp(min=1e-12))
    return torch.where(away.abs().amax(dim=(2, 3), keepdim=True) <= bound, clean, pulled)


def _farthest(values: Tensor) -> Tensor:
    return (values - values.mean(dim=(2, 3), keepdim=True)).abs().amax(dim=(2, 3), keepdim=True)


def _of_kept_length(norm: KeptNorm, made: Tensor, wanted: Tensor, clean: Clean) -> Tensor:
    if norm is KeptNorm.TOKENS:
        return as_long_tokens(made, wanted)
    if norm is KeptNorm.CELLS:
        estimate = clean(made)
        return made + (not_longer_cells(estimate, clean(wanted)) - estimate) / clean.slope
    return made


def as_long_tokens(made: Tensor, wanted: Tensor) -> Tensor:
    """`made` with each token as long as it is in `wanted`, as diffusers' QwenImagePipeline has it.

    A token is two by two cells of a picture, or of each frame; one cell where sides are odd, or of
    a sound.
    """
    height, width = made.shape[-2:]
    if made.ndim == 5:
        pictures = [each.transpose(1, 2).flatten(0, 1) for each in (made, wanted)]
        kept = as_long_tokens(*pictures)
        return kept.unflatten(0, (len(made), -1)).transpose(1, 2)
    if made.ndim != 4 or height % 2 or width % 2:
        length, target = (vector_norm(each, dim=1, keepdim=True) for each in (made, wanted))
        return made * (target / length.clamp(min=_LEAST))
    tokens = pack(made)
    length = vector_norm(tokens, dim=-1, keepdim=True)
    target = vector_norm(pack(wanted), dim=-1, keepdim=True)
    return unpack(tokens * (target / length.clamp(min=_LEAST)), height, width)


def not_longer_cells(made: Tensor, wanted: Tensor) -> Tensor:
    """`made` with each cell at most as long as it is in `wanted`, as ComfyUI's CFGNorm has it."""
    length, most = (vector_norm(each, dim=1, keepdim=True) for each in (made, wanted))
    return made * (most / length.clamp(min=_LEAST)).clamp(max=1)


def rescaled(made: Tensor, wanted: Tensor, share: float) -> Tensor:
    """`made` with its spread pulled towards `wanted`'s: Lin et al. 2023, section 3.4."""
    axes = list(range(1, made.ndim))
    spread, target = made.std(dim=axes, keepdim=True), wanted.std(dim=axes, keepdim=True)
    return share * (made * (target / spread)) + (1 - share) * made
