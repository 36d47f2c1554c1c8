"""ControlNets: the pipeline to the last bit, windows in the step keys, what does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from diffusers import (
    ControlNetModel,
    EulerDiscreteScheduler,
    StableDiffusionControlNetPipeline,
)
from PIL import Image as Pillow

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, FamilyMismatchError, HintError, LoadingError
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.weights.layouts import from_ldm, matched
from nodeforge.diffusion.weights.weights_file import StoredTensor
from nodeforge.values import (
    ControlNet,
    Guidance,
    Image,
    Latent,
    Mask,
    Noise,
    Sampler,
    Schedule,
    Weights,
)

SIZE = 64
SEED = 5
STEPS = 4


@pytest.fixture(scope="module")
def folders(sd_folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("controlnets")
    return [tiny_models.write_controlnet(sd_folder, root / str(seed), seed=seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def nets(folders):
    return [diffusion.describe_controlnet(folder) for folder in folders]


def drawing(seed, size=SIZE):
    rng = np.random.default_rng(seed)
    return Pillow.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8))


def hint(seed=0, size=SIZE):
    return Image(torch.from_numpy(np.asarray(drawing(seed, size), np.float32) / 255)[None])


@pytest.fixture
def task(sd, prompts):
    return Denoising(
        sd.model, prompts[0], Sampler("euler"), Schedule("normal", STEPS), Guidance(7.5),
        prompts[1], noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip


def steered(task, *controls):
    positive = task.positive
    for net, picture, *more in controls:
        positive = diffusion.add_control(positive, net, picture, *more)
    return replace(task, positive=positive)


def theirs(sd_folder, folders, pictures, **more):
    nets = [ControlNetModel.from_pretrained(folder) for folder in folders]
    for parameter in (p for net in nets for p in net.parameters()):
        # in aligned memory: mapped from a file, the last bit of small products differs
        parameter.data = parameter.data.clone()
    one = len(nets) == 1
    made = StableDiffusionControlNetPipeline.from_pretrained(
        sd_folder, controlnet=nets[0] if one else nets, safety_checker=None,
        requires_safety_checker=False,
    )  # fmt: skip
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    asked = {
        "image": pictures[0] if one else pictures,
        "guidance_scale": 7.5,
        "height": SIZE,
        "width": SIZE,
    } | more
    return made(
        "a red cat", negative_prompt="blurry", num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(SEED), output_type="latent", **asked,
    ).images  # fmt: skip


def difference(ours, other):
    return float((ours - other).abs().max())


@pytest.mark.parametrize("scale", [7.5, 1.0])
def test_one_controlnet_equals_the_pipeline(host, task, sd_folder, folders, nets, scale):
    task = steered(replace(task, guidance=Guidance(scale)), (nets[0], hint(), 0.8))
    asked = {"controlnet_conditioning_scale": 0.8, "guidance_scale": scale}
    other = theirs(sd_folder, folders[:1], [drawing(0)], **asked)
    assert difference(diffusion.denoise(host, task).samples, other) == 0.0


def test_two_controlnets_with_windows_equal_the_pipeline(host, task, sd_folder, folders, nets):
    ours = steered(task, (nets[0], hint(0), 0.8, 0.0, 0.5), (nets[1], hint(1), 1.5, 0.25, 1.0))
    other = theirs(
        sd_folder, folders, [drawing(0), drawing(1)], controlnet_conditioning_scale=[0.8, 1.5],
        control_guidance_start=[0.0, 0.25], control_guidance_end=[0.5, 1.0],
    )  # fmt: skip
    assert difference(diffusion.denoise(host, ours).samples, other) == 0.0


def test_a_hint_is_brought_to_the_pictures_size(host, task, nets):
    for size in (40, 200):
        latent = diffusion.denoise(host, steered(task, (nets[0], hint(size=size), 1.0)))
        assert latent.width == SIZE


def test_strength_0_is_the_model_alone(host, task, nets):
    alone = diffusion.denoise(host, task).samples
    host.steps.kept.clear()
    assert torch.equal(
        diffusion.denoise(host, steered(task, (nets[0], hint(), 0.0))).samples, alone
    )


def test_prompts_that_are_steered_otherwise_go_through_the_network_apart(host, task, nets):
    left, right = (torch.zeros(1, SIZE, SIZE) for _ in range(2))
    left[..., : SIZE // 2], right[..., SIZE // 2 :] = 1, 1
    steered_half = diffusion.set_area(
        steered(task, (nets[0], hint(), 1.0)).positive, Mask(left), 1.0
    )
    plain_half = diffusion.set_area(task.positive, Mask(right), 1.0)
    both = replace(task, positive=diffusion.combine(steered_half, plain_half))
    before = host.model_calls
    assert diffusion.denoise(host, both).samples.isfinite().all()
    assert host.model_calls - before == 2 * STEPS


def test_a_negative_prompt_may_have_controls_of_its_own(host, task, nets):
    shared = steered(task, (nets[0], hint(), 1.0))
    assert task.negative is not None
    own = replace(shared, negative=diffusion.add_control(task.negative, nets[1], hint(1), 1.0))
    first, second = (diffusion.denoise(host, t).samples for t in (shared, own))
    assert not torch.equal(first, second)


def test_an_inpainting_model_is_steered_too(host, nets, inpainting_folder):
    model, encoder, _ = diffusion.describe(inpainting_folder)
    with host.use(encoder) as loaded:
        positive = diffusion.encode_prompt(loaded, "a cat")
    latent = Latent(torch.zeros(1, 4, 8, 8), "sd", 8)
    task = Denoising(
        model, positive, Sampler("euler"), Schedule("normal", 2), Guidance(3.0),
        noise=Noise(1, SIZE, SIZE), mask=Mask(torch.ones(1, SIZE, SIZE)), masked_image=latent,
    )  # fmt: skip
    alone = diffusion.denoise(host, task).samples
    assert not torch.equal(
        diffusion.denoise(host, steered(task, (nets[0], hint(), 1.0))).samples, alone
    )


def calls(host, task):
    before = host.model_calls
    diffusion.denoise(host, task)
    return host.model_calls - before


def test_a_changed_end_runs_only_the_steps_after_it(host, task, nets):
    picture = hint()
    assert calls(host, steered(task, (nets[0], picture, 1.0, 0.0, 0.5))) == STEPS
    assert calls(host, steered(task, (nets[0], picture, 1.0, 0.0, 1.0))) == STEPS - 2
    assert calls(host, steered(task, (nets[0], picture, 1.0, 0.0, 0.75))) == 1
    assert calls(host, steered(task, (nets[0], hint(), 1.0, 0.0, 0.75))) == 0  # the same content


@pytest.mark.parametrize(
    "change",
    [
        lambda nets: (nets[0], hint(0), 0.9),
        lambda nets: (nets[0], hint(1), 1.0),
        lambda nets: (nets[1], hint(0), 1.0),
    ],
    ids=["strength", "hint", "network"],
)
def test_what_steers_counts_from_the_first_step(host, task, nets, change):
    diffusion.denoise(host, steered(task, (nets[0], hint(0), 1.0)))
    assert calls(host, steered(task, change(nets))) == STEPS


def test_a_controlnet_of_another_family_is_refused_with_both_named(host, task, tmp_path):
    folder = tiny_models.write_folder(tmp_path / "nano", family="nano")
    other = diffusion.describe_controlnet(
        tiny_models.write_controlnet(folder, tmp_path / "control")
    )
    with pytest.raises(FamilyMismatchError, match=r"is for nano, the model is SD 1\.5"):
        steered(task, (other, hint(), 1.0))


def test_what_is_no_controlnet_is_refused(sd_folder):
    with pytest.raises(LoadingError, match="this is a VAE, not a ControlNet"):
        diffusion.describe_controlnet(sd_folder / "vae")


def test_hints_that_do_not_fit_the_batch_are_refused(host, task, nets):
    two = Image(torch.rand(2, SIZE, SIZE, 3))
    batch = replace(task, noise=Noise(SEED, SIZE, SIZE, batch=3))
    with pytest.raises(HintError, match="2 pictures for 3"):
        diffusion.denoise(host, steered(batch, (nets[0], two, 1.0)))


def test_a_hint_for_each_of_the_batch(host, task, nets):
    two = Image(torch.cat([hint(0).pixels, hint(1).pixels]))
    batch = replace(task, noise=Noise(SEED, SIZE, SIZE, batch=2))
    together = diffusion.denoise(host, steered(batch, (nets[0], two, 1.0))).samples
    alone = replace(task, noise=Noise(SEED + 1, SIZE, SIZE))
    second = diffusion.denoise(host, steered(alone, (nets[0], hint(1), 1.0))).samples
    assert difference(together[1:], second) < 1e-4


def test_a_single_file_in_ldm_layout_has_the_same_names():
    network = build(ControlNet(Weights("x.safetensors", "x", "sd15", "controlnet")))
    names = {name: tuple(t.shape) for name, t in network.state_dict().items()}
    ldm = {
        tiny_models.controlnet_name(name): StoredTensor(Path(name), "F32", shape, 0)
        for name, shape in names.items()
    }
    found = from_ldm("controlnet", ldm, network.config)
    assert len(ldm) == len(names)
    assert {n: stored.path.name for n, stored in matched(names, found).items()} == {
        n: n for n in names
    }
