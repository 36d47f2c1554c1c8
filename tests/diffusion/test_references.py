"""Edit models see reference pictures beside the words, as their pipelines do."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import diffusers
import numpy as np
import pytest
import tiny_transformers
import torch
from PIL import Image as Pillow

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, ReferencesError, reference_size
from nodeforge.models import FAMILIES, recognise
from nodeforge.values import Guidance, Latent, LatentMismatchError, Noise, Sampler, Schedule
from support.pipeline_inputs import SEED, SIZE, as_image, difference, generator, picture

pytestmark = pytest.mark.filterwarnings("ignore:__array_")
PROMPT, NEGATIVE, STEPS = "make it night", "blurry", 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Writes each model once."""
    root = tmp_path_factory.mktemp("edited")

    @cache
    def written(name):
        made = tiny_transformers.PIPELINES[name.removesuffix("_kontext")]()
        if name.endswith("_kontext"):
            made = diffusers.FluxKontextPipeline(**made.components)
        made.save_pretrained(root / name)
        return root / name, made

    return written


def other_picture() -> Pillow.Image:
    return picture().rotate(90).resize((SIZE + 32, SIZE))


def encoded(host, path, text, pictures=()):
    """The words with the pictures, as 'Encode instruction' makes them."""
    described = diffusion.describe(path)
    with host.use(described.vae) as vae:
        latents = [diffusion.encode(vae, as_image(each)) for each in pictures]
    with host.use(described.text_encoder) as encoder:
        said = diffusion.encode_text(encoder, described.text_encoder, text)
    return diffusion.with_references(said, latents)


def task_of(host, path, pictures, guidance, negative="", **more):
    return Denoising(
        diffusion.describe(path).model,
        encoded(host, path, PROMPT, pictures),
        Sampler("flow_euler"),
        Schedule("simple", STEPS),
        guidance,
        encoded(host, path, negative),
        noise=Noise(SEED, SIZE, SIZE),
        **more,
    )


def pixels(host, path, latent) -> np.ndarray:
    with host.use(diffusion.describe(path).vae) as vae:
        return diffusion.decode(vae, latent).pixels.numpy()


def told(**more):
    return {
        "prompt": PROMPT, "num_inference_steps": STEPS, "generator": generator(),
        "output_type": "np", "height": SIZE, "width": SIZE, **more,
    }  # fmt: skip


@pytest.mark.parametrize("true_scale", [None, 3.0])
def test_kontext_edits_as_its_pipeline(host, folder, true_scale):
    path, made = folder("flux1_kontext")
    assert recognise(path).variant == "kontext"
    guidance = Guidance(2.5, true_scale=true_scale)
    task = task_of(host, path, [picture()], guidance, NEGATIVE)
    more = {"true_cfg_scale": true_scale, "negative_prompt": NEGATIVE} if true_scale else {}
    given = told(image=picture(), guidance_scale=2.5, _auto_resize=False, max_area=SIZE**2, **more)
    theirs = made(**given).images
    ours = diffusion.denoise(host, task)
    assert difference(torch.from_numpy(pixels(host, path, ours)), torch.from_numpy(theirs)) == 0.0
    blind = replace(task, positive=task.positive.each(references=()))
    assert difference(diffusion.denoise(host, blind).samples, ours.samples) > 1e-3


@pytest.mark.parametrize(
    "name",
    ["flux2_dev", "flux2_klein", "flux2_klein_base", "flux2_klein_kv", "flux3", "flux3_base"],
)
@pytest.mark.parametrize("count", [1, 2])
def test_klein_edits_as_its_pipeline(host, folder, name, count):
    path, made = folder(name)
    pictures = [picture(), other_picture()][:count]
    task = task_of(host, path, pictures, Guidance(4.0))
    ours = pixels(host, path, diffusion.denoise(host, task))
    scale = {} if name.endswith("_kv") else {"guidance_scale": 4.0}
    theirs = made(**told(image=pictures, **scale)).images
    assert difference(torch.from_numpy(ours), torch.from_numpy(theirs)) == 0.0


def test_every_step_of_an_edit_is_entered_again(host, residency, folder):
    path, _ = folder("flux2_klein_base")
    task = task_of(host, path, [picture()], Guidance(4.0))
    whole = diffusion.denoise(host, task).samples
    again = diffusion.LocalHost(residency)
    diffusion.denoise(again, replace(task, stop_at=1))
    assert torch.equal(diffusion.denoise(again, task).samples, whole)
    assert again.model_calls == host.model_calls
    other = replace(task, positive=encoded(host, path, PROMPT, [other_picture()]))
    assert not torch.equal(diffusion.denoise(again, other).samples, whole)  # another key


def test_the_new_picture_has_the_size_of_the_first_reference(host, folder):
    path, _ = folder("flux2_klein")
    task = task_of(host, path, [other_picture()], Guidance(1.0))
    made = diffusion.denoise(host, replace(task, noise=Noise(SEED)))
    assert (made.width, made.height) == other_picture().size
    wider = diffusion.denoise(host, replace(task, noise=Noise(SEED, SIZE, SIZE)))
    assert (wider.width, wider.height) == (SIZE, SIZE)


@pytest.mark.parametrize(
    ("family", "size", "seen"),
    [
        ("flux1", (512, 512), (1024, 1024)),
        ("flux1", (1920, 1080), (1392, 752)),
        ("flux1", (100, 900), (672, 1568)),
        ("flux2_klein_4b", (500, 333), (496, 320)),
        ("flux2_klein_4b", (2000, 1000), (1440, 720)),
        ("flux2_klein_4b", (5, 900), (16, 896)),
    ],
)
def test_references_are_seen_in_a_size_that_the_model_knows(family, size, seen):
    found = reference_size(*size, family)
    assert (found.width, found.height) == seen
    assert found.stretched == bool(FAMILIES[family].reference_sizes)


def test_the_original_size_is_kept_but_for_a_rim():
    assert reference_size(1999, 1001, "flux1", original=True)[:2] == (1984, 992)


def test_a_model_that_takes_no_references_says_so_before_it_is_loaded(host, folder):
    path, _ = folder("flux1")
    with pytest.raises(ReferencesError, match=r"Flux\.1 \(dev\) takes no reference pictures"):
        diffusion.denoise(host, task_of(host, path, [picture()], Guidance(2.5)))
    with pytest.raises(ReferencesError, match="takes 1 reference picture, these are 2"):
        encoded(host, path, PROMPT, [picture(), picture()])
    path, _ = folder("z_image")
    with pytest.raises(ReferencesError, match="Z-Image takes no reference pictures") as caught:
        encoded(host, path, PROMPT, [picture()])
    assert "edit model" in str(caught.value)


def test_a_reference_of_another_space_is_refused(host, folder):
    path, _ = folder("flux2_klein")
    said = encoded(host, path, PROMPT)
    with pytest.raises(LatentMismatchError, match="space flux,"):
        diffusion.with_references(said, [Latent(torch.zeros(1, 16, 8, 8), "flux", 8)])
