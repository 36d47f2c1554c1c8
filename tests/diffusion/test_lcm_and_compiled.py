"""LCM's step where the answer is known; compiled blocks do not go on without guidance's hooks."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, Residency
from nodeforge.diffusion.samplers.step_context import StepContext
from nodeforge.diffusion.samplers.stochastic.lcm import lcm_step
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.values import Guidance, Noise, Perturbation, PerturbationKind, Sampler, Schedule

# diffusers' schedulers hand numpy arrays to torch the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array_")

SIGMAS = torch.tensor([14.6, 3.0, 0.5, 0.0], dtype=torch.float64)


def walked(denoise, x):
    random = torch.Generator().manual_seed(1)
    context = StepContext(
        0.0, lambda: torch.randn(x.shape, generator=random, dtype=x.dtype), lambda *_: x
    )
    levels = []
    for sigma, sigma_next in pairwise(SIGMAS):
        x = lcm_step(denoise, x, sigma, sigma_next, context)
        levels.append(float(x.std()))
    return x, levels


def test_lcm_goes_from_the_clean_estimate_up_to_the_next_level_and_ends_clean():
    """A model that knows its only picture ends with it; noise on the way is the schedule's."""
    start = 14.6 * torch.randn(20000, generator=torch.Generator().manual_seed(0)).double()
    end, levels = walked(lambda x, sigma: torch.full_like(x, 0.7), start)
    assert torch.equal(end, torch.full_like(end, 0.7))
    assert levels == pytest.approx([3.0, 0.5, 0.0], rel=0.03)


def test_lcm_keeps_gaussian_data_where_the_model_maps_to_the_end_of_the_path():
    def consistent(x, sigma):
        return 0.7 + (x - 0.7) * (0.5**2 / (0.5**2 + sigma**2)) ** 0.5

    start = 0.7 + (0.5**2 + 14.6**2) ** 0.5 * torch.randn(
        20000, generator=torch.Generator().manual_seed(0)
    )
    end, _ = walked(consistent, start.double())
    assert float(end.mean()) == pytest.approx(0.7, abs=0.02)
    assert float(end.std()) == pytest.approx(0.5, rel=0.03)


@pytest.mark.slow
def test_compiled_blocks_are_weakened_too(sd, prompts):
    """The plain run comes first, so that code compiled without hooks would be taken again."""

    def drawn(policy, *perturbations):
        host = hosts[policy]
        host.steps.kept.clear()
        guidance = Guidance(5.0, perturbations=perturbations)
        return diffusion.denoise(
            host,
            Denoising(
                sd.model, prompts[0], Sampler("euler"), Schedule("normal", 2), guidance,
                prompts[1], noise=Noise(5, 32, 32),
            ),
        ).samples  # fmt: skip

    plain, compiled = Policy(), Policy(compiled=True)
    hosts = {each: diffusion.LocalHost(Residency("cpu", each)) for each in (plain, compiled)}
    attention, layer = (
        Perturbation(PerturbationKind.ATTENTION, 3.0),
        Perturbation(PerturbationKind.LAYER, 2.5),
    )
    for how in ((), (attention,), (layer,), ()):
        assert torch.allclose(drawn(compiled, *how), drawn(plain, *how), atol=1e-3)
    assert not torch.allclose(drawn(plain, attention), drawn(plain), atol=1e-2)
