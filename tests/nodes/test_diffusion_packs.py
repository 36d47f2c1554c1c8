"""The packs models, text, sampling and latent, used as the worker uses them."""

from __future__ import annotations

import pytest
import tiny_models
import torch

from nodeforge import diffusion
from nodeforge.errors import NodeForgeError
from nodeforge.settings import shipped
from nodeforge.values import Image, Mask, Schedule
from nodeforge.worker.packs import load_pack


class Run(diffusion.LocalHost):
    """A node's run: what `RunContext` has beside a host."""

    def __init__(self, residency):
        super().__init__(residency)
        self.fallbacks = []

    def fell_back(self, fact):
        self.fallbacks.append(fact)


@pytest.fixture(scope="module")
def types():
    found = {}
    for pack in ("models", "text", "sampling", "latent"):
        found |= load_pack(shipped("nodes") / pack)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.write_folder(tmp_path_factory.mktemp("model"), family="nano")


@pytest.fixture
def run(types, folder):
    """Runs a node by type id; recipes are resolved on one residency."""
    context = Run(diffusion.Residency("cpu"))

    def call(type_id, *values, **named):
        kind = types[type_id]
        first = (context,) if kind.wants_run else ()
        return kind.function(*first, *values, **named)

    call.context = context
    return call


@pytest.fixture
def parts(run, folder):
    """What most workflows begin with."""
    model, text_encoder, vae = run("models.load", folder)
    return {
        "model": model,
        "vae": vae,
        "encoder": text_encoder,
        "positive": run("text.encode", text_encoder, "a red (cat:1.2)"),
        "sampler": run("sampling.sampler", "euler"),
        "schedule": run("sampling.schedule", "karras", 4),
        "guidance": run("sampling.guidance", 5.0),
        "noise": run("sampling.noise", 1, 64, 48),
    }


def denoised(run, parts, **more):
    names = ("model", "positive", "sampler", "schedule", "guidance")
    given = {"noise": parts["noise"], **more}
    return run("sampling.denoise", *(given.pop(name, parts[name]) for name in names), **given)


def test_text_to_image(run, parts):
    image = run("latent.decode", parts["vae"], denoised(run, parts))
    assert image.pixels.shape == (1, 48, 64, 3)
    assert run.context.model_calls == 4


def test_image_to_image_and_inpainting(run, parts):
    image = Image(torch.rand(1, 48, 64, 3))
    latent = run("latent.encode", parts["vae"], image)
    values = torch.zeros(1, 48, 64)
    values[..., :32] = 1
    half = run("sampling.schedule", "normal", 4, 0.5)
    out = denoised(run, parts, latent=latent, mask=Mask(values), schedule=half)
    assert torch.equal(out.samples[..., 2:], latent.samples[..., 2:])
    assert not torch.equal(out.samples[..., :2], latent.samples[..., :2])


def test_a_picture_that_the_scale_does_not_divide_is_cropped_where_that_is_asked_for(run, parts):
    """comfyui 1.11."""
    image = Image(torch.rand(1, 55, 65, 3))
    with pytest.raises(NodeForgeError):
        run("latent.encode", parts["vae"], image)
    made = run("latent.encode", parts["vae"], image, crop=True)
    middle = run("latent.encode", parts["vae"], Image(image.pixels[:, 3:51, :64]))
    assert torch.equal(made.samples, middle.samples)


def test_two_passes_with_an_upscaled_latent(run, parts):
    larger = run("latent.upscale", denoised(run, parts), 128, 96)
    half = run("sampling.schedule", "normal", 4, 0.5)
    assert denoised(run, parts, latent=larger, schedule=half).width == 128


def test_an_inpainting_model(run, parts, tmp_path):
    folder = tiny_models.write_folder(tmp_path, inpainting=True)
    model, encoder, vae = run("models.load", folder)
    image, mask = Image(torch.rand(1, 48, 64, 3)), Mask(torch.ones(1, 48, 64))
    seen = run("latent.encode", vae, run("latent.masked_picture", image, mask))
    positive = run("text.encode", encoder, "a cat")
    out = denoised(run, parts, model=model, positive=positive, mask=mask, masked_image=seen)
    assert out.samples.shape == (1, 4, 6, 8)


def test_the_vae_of_another_file(run, parts, folder):
    vae = run("models.load_vae", folder / "vae")
    latent = run("latent.empty", vae, 64, 48, 2)
    assert latent.samples.shape == (2, 16, 3, 4)
    assert run("latent.decode", vae, latent, tiled=True).batch == 2


def test_the_family_of_a_vae_alone_fits_its_model(run, parts, folder):
    alone = run("models.load_vae", folder / "vae")
    assert alone.space == parts["vae"].space


def test_text_nodes(run, parts):
    first, second = parts["positive"], run("text.encode", parts["encoder"], "a dog", 1)
    run("text.average", first, second, 0.3)
    run("text.zero", first)
    ranged = run("text.range", run("text.concatenate", first, second), 0.0, 0.5)
    left = run("text.area", second, Mask(torch.ones(1, 48, 64)), 1.5)
    both = run("text.combine", ranged, left)
    assert denoised(run, parts, positive=both).samples.isfinite().all()


def test_a_prompt_that_changes_at_a_step_is_two_ranges_combined(run, parts):
    """What *Continue from here* wires is what it wired before, bit for bit."""
    steps, encoder = parts["schedule"].steps, parts["encoder"]
    changed = run("text.change_at_step", parts["positive"], encoder, "a dog", 1)
    before = run("text.range", parts["positive"], 0.0, 1 / steps)
    after = run("text.range", run("text.encode", encoder, "a dog"), 1 / steps, 1.0)
    both = run("text.combine", before, after)
    one, other = (denoised(run, parts, positive=each).samples for each in (changed, both))
    assert torch.equal(one, other)
    assert not torch.equal(one, denoised(run, parts).samples)


def test_the_later_text_keeps_what_steers_the_prompt(run, parts):
    half = Mask(torch.ones(1, 48, 64))
    inside = run("text.area", parts["positive"], half, 0.5)
    first, later = run("text.change_at_step", inside, parts["encoder"], "a dog", 2).prompts
    assert torch.equal(later.area.values, first.area.values)
    assert (first.weight, first.steps) == (later.weight, (0, 2)) == (0.5, (0, 2))
    assert later.steps == (2, None)
    region = run("text.region", parts["positive"], parts["positive"], half)
    *_, later = run("text.change_at_step", region, parts["encoder"], "a dog", 2).prompts
    assert later.area is None
    scheduled = run("text.encode", parts["encoder"], "a [cat:fox:3]")
    changed = run("text.change_at_step", scheduled, parts["encoder"], "a [dog:owl:3]", 2)
    assert [each.steps for each in changed.prompts] == [(0, 2), (2, 3), (3, None)]


def test_a_region_has_its_own_prompt_and_the_rest_the_other(run, parts):
    mask = torch.zeros(1, 48, 64)
    mask[..., :32] = 1
    inside = run("text.encode", parts["encoder"], "a dog")
    around, within = run("text.region", parts["positive"], inside, Mask(mask), 0.0).prompts
    assert torch.equal(within.area.values * within.weight, mask)
    assert torch.equal(around.area.values * around.weight, 1 - mask)
    around, within = run("text.region", parts["positive"], inside, Mask(mask), 0.25).prompts
    both = around.area.values * around.weight + within.area.values * within.weight
    assert torch.allclose(both, torch.ones_like(mask))
    assert float(around.area.values.min()) == pytest.approx(0.25)


def test_a_custom_schedule(run):
    made = run("sampling.custom_schedule", "14.6, 2 0.5;0")
    assert made == Schedule("custom", 3, sigmas=(14.6, 2.0, 0.5, 0.0))


@pytest.mark.parametrize("text", ["", "1", "1, 2, 0", "3, 1", "3, one, 0", "inf, 0", "nan, 0"])
def test_sigmas_that_are_none_are_refused(run, text):
    with pytest.raises(NodeForgeError):
        run("sampling.custom_schedule", text)


def test_latents_are_blended_and_repeated(run, parts):
    latent = denoised(run, parts)
    assert run("latent.repeat", latent, 3).batch == 3
    assert torch.equal(run("latent.blend", latent, latent, 0.5).samples, latent.samples)


def test_the_same_node_gives_the_same_result_twice(run, parts):
    run.context.steps.kept.clear()
    first = denoised(run, parts)
    run.context.steps.kept.clear()
    assert torch.equal(denoised(run, parts).samples, first.samples)


def test_a_lora_changes_model_and_text_encoder(run, parts, folder, tmp_path):
    file = tiny_models.write_lora(folder, tmp_path / "style.safetensors")
    model, encoder = run("models.load_lora", parts["model"], file, parts["encoder"], 0.5, 2.0)
    model, alone = run("models.load_lora", model, file)
    assert [lora.weight for lora in model.loras] == [0.5, 1.0]
    assert [lora.weight for lora in encoder.loras] == [2.0]
    assert alone is None
    positive = run("text.encode", encoder, "a red (cat:1.2)")
    assert not torch.equal(
        denoised(run, parts, positive=positive).samples, denoised(run, parts).samples
    )
    assert not torch.equal(denoised(run, parts, model=model).samples, denoised(run, parts).samples)


def test_a_lora_of_another_family_is_refused(run, parts, tmp_path):
    folder = tiny_models.write_folder(tmp_path / "other")
    file = tiny_models.write_lora(folder, tmp_path / "style.safetensors")
    with pytest.raises(NodeForgeError, match=r"made for SD 1\.5; the model is nano"):
        run("models.load_lora", parts["model"], file)
