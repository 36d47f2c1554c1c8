"""Consistency distillation: what holds before any training."""

import copy

import pytest
import torch

from tools.nano.batches import Chance
from tools.nano.runs import half_precision
from tools.nano.sampling import draw_prompts, new_pipeline, training_schedule
from tools.nano.shapes import new_text_encoder, new_unet, new_vae
from tools.nano.tokens import Words, build_tokenizer
from tools.nano.train_lora import with_adapter
from tools.nano.train_turbo import Distillation, boundary, ends, turbo_pipeline


@pytest.fixture
def tokenizer(concepts):
    return build_tokenizer(concepts)


@pytest.fixture
def distillation(tokenizer):
    torch.manual_seed(0)
    text = new_text_encoder(tokenizer, layers=1).requires_grad_(False).eval()
    unet = new_unet((32, 32))
    teacher = copy.deepcopy(unet).requires_grad_(False)
    nothing = Words(tokenizer)([""])
    return Distillation(teacher, with_adapter(unet), text, nothing, torch.device("cpu"))


def test_the_ends_of_a_velocity_are_picture_and_noise():
    schedule, generator = training_schedule(), torch.Generator().manual_seed(0)
    latents, noise = torch.randn(2, 3, 16, 4, 4, generator=generator)
    timesteps = torch.tensor([19, 499, 999])
    noisy = schedule.add_noise(latents, noise, timesteps)
    velocity = schedule.get_velocity(latents, noise, timesteps)
    clean, rest = ends(noisy, velocity, schedule.alphas_cumprod[timesteps])
    assert torch.allclose(clean, latents, atol=1e-4)
    assert torch.allclose(rest, noise, atol=1e-4)


def test_at_the_first_timestep_the_answer_is_the_picture_itself():
    skip, out = boundary(torch.tensor([0, 999]))
    assert (skip[0].item(), out[0].item()) == (1, 0)
    assert skip[1] < 1e-4
    assert out[1] == pytest.approx(1, abs=1e-4)


def test_without_guidance_the_teacher_steps_as_ddim_does(distillation):
    """Steps of an ideal teacher lie on the line between picture and noise."""
    distillation.omega = 1.0
    x, words = torch.randn(1, 16, 4, 4), torch.randn(1, 32, 192)
    high, low = torch.tensor([599]), torch.tensor([579])
    found = distillation.teach(x, high, low, words)
    with torch.no_grad(), half_precision(x.device):
        velocity = distillation.teacher(x, high, words).sample.float()
    clean, noise = ends(x, velocity, distillation.alphas[high])
    alpha = distillation.alphas[low]
    assert torch.allclose(found, alpha.sqrt() * clean + (1 - alpha).sqrt() * noise, atol=1e-5)


def test_only_the_adapter_is_trained(distillation):
    tokens = torch.zeros(2, 32, dtype=torch.long)
    parts = torch.randn(2, 16, 4, 4), tokens
    distillation.loss(Chance(0, 0), parts).backward()
    student = distillation.student
    trained = {name for name, weight in student.named_parameters() if weight.grad is not None}
    assert trained
    assert all("lora" in name for name in trained)


def test_four_calls_draw_a_picture(tokenizer):
    torch.manual_seed(0)
    text = new_text_encoder(tokenizer, layers=1).eval()
    unet, vae = new_unet((32, 32)).eval(), new_vae((8, 8, 16, 16, 16)).eval()
    pipeline = turbo_pipeline(new_pipeline(vae, unet, text, tokenizer))
    (picture,) = draw_prompts(pipeline, ["a ball"], [0], steps=4, guidance=1.0, height=64, width=64)
    assert picture.shape == (64, 64, 3)
