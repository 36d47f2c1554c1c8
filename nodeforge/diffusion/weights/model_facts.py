"""What sampling needs of a model, from its configuration and header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.tensors.prediction import FLOW
from nodeforge.diffusion.weights.configs import config_root, part_config, scale_of, unet_config
from nodeforge.models import FAMILIES, predicts, read_config
from nodeforge.values import Model, Weights


@dataclass(frozen=True)
class ModelFacts:
    """What sampling must know of a model, read without loading it.

    Args:
        family: Its family.
        latents: The family whose latents it reads and makes.
        in_channels: Channels that the denoiser reads: 9 for inpainting models.
        latent_channels: Channels of its latents.
        scale: Pixels of the picture for one cell of the latent.
        guidance_width: Of the guidance scale as its denoiser is told it; 0 where it is not.
        scheduler: The scheduler's configuration: betas, prediction type, ...
        pipeline: The pipeline's: what a missing negative prompt stands for, ...
    """

    family: str
    latents: str
    in_channels: int
    latent_channels: int
    scale: int
    scheduler: Mapping[str, Any]
    pipeline: Mapping[str, Any]
    guidance_width: int = 0

    @property
    def reads_mask(self) -> bool:
        """Whether it is an inpainting model, which reads the mask and the masked picture."""
        return self.in_channels == 2 * self.latent_channels + 1


def facts(model: Model) -> ModelFacts:
    """What sampling must know of `model`. Reads configuration and headers only.

    Raises:
        LoadingError: a part of the model is missing.
    """
    weights = model.weights
    unet = unet_config(weights)
    scheduler = part_config(weights, "scheduler")
    if prediction := model.prediction or predicts(scheduler):
        scheduler["prediction_type"] = prediction
    if model.shift is not None:
        scheduler["shift"] = model.shift
    if model.zero_snr is not None:
        scheduler["rescale_betas_zero_snr"] = model.zero_snr
    if model.zero_snr:  # only then is the level of nothing but noise among the steps
        scheduler["timestep_spacing"] = "trailing"
    return ModelFacts(
        family=weights.family,
        latents=FAMILIES[weights.family].latent_family,
        in_channels=unet["in_channels"],
        latent_channels=unet.get("out_channels", 4),
        scale=scale_of(part_config(weights, "vae")),
        scheduler=scheduler,
        pipeline=read_config(config_root(weights) / "model_index.json"),
        guidance_width=unet.get("time_cond_proj_dim") or 0,
    )


def shifted(model: Model, shift: float) -> Model:
    """A flow-matching model that spends more of its steps on the noisier levels.

    Args:
        model: The denoiser.
        shift: Above 0; 1 is none (Esser et al. 2024, equation 23).

    Raises:
        LoadingError: it predicts something else than flow.
    """
    kind = facts(model).scheduler.get("prediction_type", "epsilon")
    if kind != FLOW:
        raise LoadingError(
            "only flow-matching models have noise levels that can be shifted; this one predicts "
            f"{kind}.",
            place="port 'model'",
            way_out="Take the node away; or, if the model does predict flow, say so in "
            "'prediction' where it is loaded.",
        )
    return replace(model, shift=shift)


def latent_layout(weights: Weights) -> tuple[int, int]:
    """Channels of a latent, and pixels of the picture for one cell of it."""
    vae = part_config(weights, "vae")
    return vae.get("latent_channels", 4), scale_of(vae)


def native_size(weights: Weights) -> tuple[int, int]:
    """Side of the square pictures its family was trained on, and what a side must be a multiple
    of: pixels."""
    family = FAMILIES[weights.family]
    return family.native_size, family.size_multiple
