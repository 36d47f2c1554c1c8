"""What changes how a model runs, and loads nothing."""

from dataclasses import replace
from typing import Annotated

from nodeforge.api import FreeU, Model, Range, StepCache, Tiling, node
from nodeforge.diffusion import shifted, with_low_noise


@node("models.freeu", title="FreeU")
def freeu(
    model: Model,
    backbone_1: Annotated[float, Range(0.0, 4.0, step=0.05)] = 1.2,
    backbone_2: Annotated[float, Range(0.0, 4.0, step=0.05)] = 1.4,
    skip_1: Annotated[float, Range(0.0, 4.0, step=0.05)] = 0.9,
    skip_2: Annotated[float, Range(0.0, 4.0, step=0.05)] = 0.2,
) -> Model:
    """Scale backbone and skip features of the UNet (FreeU, Si et al. 2023).

    For SD 1.5 1.5, 1.6, 0.9 and 0.2 are usual, for SDXL 1.3, 1.4, 0.9 and 0.2; all at 1 is none.

    Args:
        model: The denoiser.
        backbone_1: Scale of the backbone features at the coarsest level; above 1 for clearer
            shapes.
        backbone_2: Scale of the backbone features at the next level.
        skip_1: Scale of the skip features' low frequencies at the coarsest level.
        skip_2: Scale of the skip features' low frequencies at the next level.
    """
    made = FreeU((backbone_1, backbone_2), (skip_1, skip_2))
    return replace(model, freeu=None if made.neutral else made)


@node("models.step_cache", title="Step cache")
def step_cache(
    model: Model,
    threshold: Annotated[float, Range(0.0, 1.0, step=0.01)] = 0.12,
    most_in_a_row: Annotated[int, Range(1, 100)] = 3,
    start: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Model:
    """Save time: steps reuse what a transformer has computed while little changes. Approximate.

    Each step runs the first block. Where it adds about what it added in the last step that was
    computed, what the other blocks added then is added again (First Block Cache, ParaAttention;
    akin to TeaCache, Liu et al. 2024). The picture differs from one without, the more, the higher
    the threshold. It keeps what two blocks add for each prompt and tile. UNets, as SD 1.5 and
    SDXL, have no such blocks. Of two experts, use it after *Join experts*.

    Args:
        model: A denoiser that is a transformer: Flux, Z-Image, Wan, Stable Audio, ...
        threshold: How much what the first block adds may change, as a share; 0.12 is usual, 0.05
            careful, 0 none.
        most_in_a_row: Steps in a row that may reuse what one has computed; of samplers with two
            model calls a step, calls.
        start: Share of the steps before which it does nothing; the first steps decide what
            the picture shows.
        end: Share of the steps after which it does nothing.
    """
    made = StepCache(threshold, most_in_a_row, start, end)
    return replace(model, step_cache=None if made.neutral else made)


@node("models.flow_shift", title="Shift flow")
def flow_shift(model: Model, shift: Annotated[float, Range(0.1, 20.0, step=0.1)] = 3.0) -> Model:
    """Shift a flow-matching model's schedule to noisier levels (Esser et al. 2024).

    Args:
        model: A flow-matching denoiser.
        shift: 1 is none; 3 is usual at 1024 × 1024 pixels, more for larger pictures.
    """
    return shifted(model, shift)


@node("models.join_experts", title="Join experts")
def join_experts(
    high_noise: Model,
    low_noise: Model,
    boundary: Annotated[float, Range(0.01, 0.99, step=0.005)] = 0.875,
) -> Model:
    """Join two denoisers: one draws at high noise, the other takes over, as in Wan 2.2 A14B.

    Only one of them is in use at a time. LoRAs may be applied to each before, or to both after.

    Args:
        high_noise: The denoiser of the first steps.
        low_noise: The denoiser that takes over.
        boundary: The noise level between them, as a share of the timesteps; 0.875 is Wan 2.2's
            from text, 0.9 its from a picture.
    """
    return with_low_noise(high_noise, low_noise, boundary)


@node("models.tile", title="Work in tiles")
def tile(
    model: Model,
    size: Annotated[int, Range(64, 4096, step=64)] = 512,
    overlap: Annotated[int, Range(0, 2048, step=16)] = 128,
) -> Model:
    """Denoise large pictures in overlapping tiles, without seams and with little memory.

    In every step the predictions of overlapping tiles are faded into each other. Each tile sees
    the whole prompt: to refine a picture, use a strength of 0.2 to 0.5.

    Args:
        model: The denoiser.
        size: Side of a tile, pixels; about what the model was trained with.
        overlap: Pixels that neighbouring tiles share.
    """
    return replace(model, tiling=Tiling(size, overlap))
