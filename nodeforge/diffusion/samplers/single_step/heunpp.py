"""Heun++: slopes of up to three points, weighed by their noise levels."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def heunpp2_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step that looks up to two levels ahead: Carzit's rule in sd-webui-samplers-scheduler.

    The slopes at the levels ahead count with their share of the run's first level, so it is of
    first order, and nearer to Heun's rule where there is much noise. The last step but one looks
    one level ahead, the last none.
    """
    slopes, levels = [(x - denoise(x, sigma)) / sigma], [sigma]
    ahead = x
    for place in (1, 2):
        level = context.level(place)
        if level is None or context.level(place + 1) is None:  # the run's last level
            break
        ahead = ahead + slopes[-1] * (level - levels[-1])
        slopes.append((ahead - denoise(ahead, level)) / level)
        levels.append(level)
    highest = sigma if context.levels is None else context.levels[0]
    weights = [level / (len(slopes) * highest) for level in levels[1:]]
    weights = [1 - sum(weights), *weights]
    slope = sum(weight * slope for weight, slope in zip(weights, slopes, strict=True))
    return x + slope * (sigma_next - sigma)
