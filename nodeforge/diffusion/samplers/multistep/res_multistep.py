"""RES multistep: second order from the estimate of the step before, in log sigma."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext, ancestral_split


def _step(
    denoise: Denoiser,
    x: Tensor,
    sigma: Tensor,
    sigma_next: Tensor,
    context: StepContext,
    *,
    cfg_pp: bool,
) -> Tensor:
    """One multistep step: Zhang et al. 2023 (Refined Exponential Solver), section 4.2.

    With an eta, it goes down to less noise, and up again by fresh noise; the step before counts
    from where it went down to. With `cfg_pp`, the estimates that are carried on are the negative
    prompt's: Chung et al. 2024 (CFG++).
    """
    clean = denoise(x, sigma)
    carried = context.unguided if cfg_pp and context.unguided is not None else clean
    down, up = ancestral_split(sigma, sigma_next, context.eta)
    if down == 0 or not context.history:
        x = clean + (x - carried) / sigma * down
    else:
        earlier, down_before = context.history[0]
        h = (sigma / down).log()
        width = (down_before / context.memory["sigma"]).log() / h  # below 0: it lies behind
        phi_1 = -(-h).expm1() / h
        phi_2 = (1 - phi_1) / h
        near, far = (phi_1 - phi_2 / width).nan_to_num(nan=0.0), (phi_2 / width).nan_to_num(nan=0.0)
        x = (-h).exp() * (x + (clean - carried)) + h * (near * carried + far * earlier)
    context.remember(carried, down, 1)
    context.memory["sigma"] = sigma
    return x + context.normal() * up if sigma_next > 0 and context.eta else x


res_multistep_step = partial(_step, cfg_pp=False)
res_multistep_cfg_pp_step = partial(_step, cfg_pp=True)
