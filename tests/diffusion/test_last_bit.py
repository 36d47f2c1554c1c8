"""What may differ in the last bit: the number of threads, and a picture in a batch or alone.

Both change how torch cuts its sums. The thread count is in no key, so a cached result may be of
another count; what the difference comes to in a picture is bounded here. `docs/reproducing.md`
says what is promised.
"""

import pytest
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, decode, describe
from nodeforge.settings import shipped
from nodeforge.values import Guidance, Noise, Sampler, Schedule

SIZE, STEPS, SEED = 96, 4, 5
SAMPLERS = ["euler", "dpmpp_2m", "euler_a", "dpmpp_sde"]
MOST = 1
"""Of 255, in a picture of 8 bits."""


@pytest.fixture(scope="module")
def nano():
    return describe(shipped("resources") / "models" / "nano")


@pytest.fixture(scope="module")
def residency():
    return diffusion.Residency("cpu")


@pytest.fixture(scope="module")
def prompts(nano, residency):
    with residency.use(nano.text_encoder) as encoder:
        return [diffusion.encode_prompt(encoder, text) for text in ("a red fox", "blurry")]


@pytest.fixture
def picture(nano, residency, prompts):
    def make(sampler, seed=SEED, batch=1, threads=1):
        host = diffusion.LocalHost(residency)
        noise = Noise(seed, SIZE, SIZE, batch)
        task = Denoising(
            nano.model, prompts[0], Sampler(sampler), Schedule("normal", STEPS), Guidance(5.0),
            prompts[1], noise=noise,
        )  # fmt: skip
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            latent = diffusion.denoise(host, task)
            with host.use(nano.vae) as vae:
                return (decode(vae, latent).pixels * 255).round()
        finally:
            torch.set_num_threads(before)

    return make


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_picture_of_a_batch_is_the_one_made_alone_but_for_the_last_bit(picture, sampler):
    """files: measured, bounded, and told in docs/reproducing.md."""
    together = picture(sampler, batch=2)
    for item in range(2):
        alone = picture(sampler, seed=SEED + item)[0]
        assert float((together[item] - alone).abs().max()) <= MOST


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_number_of_threads_changes_no_more_than_the_last_bit(picture, sampler):
    """files: measured, bounded, and told in docs/reproducing.md."""
    one, two = picture(sampler, threads=1), picture(sampler, threads=2)
    assert float((one - two).abs().max()) <= MOST


def test_the_number_of_threads_is_in_no_key(residency):
    """files: results made with any number of threads serve all."""
    before = torch.get_num_threads()
    told = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            told.append(residency.numerics())
    finally:
        torch.set_num_threads(before)
    assert told[0] == told[1]
    assert not any("thread" in name for name in told[0])


def test_the_same_run_twice_is_the_same_to_the_bit(picture):
    assert torch.equal(picture("dpmpp_sde"), picture("dpmpp_sde"))
