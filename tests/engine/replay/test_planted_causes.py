"""Twenty-three things that make a picture come out otherwise: each is planted, and named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image as Picture
from safetensors.torch import load_file, save_file

from nodeforge.api import NodeType
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.engine.replay.verdict import Alike, compare_pixels, judge
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Mode, Node, Output
from nodeforge.imaging import decode, encode, read_text
from nodeforge.imaging.picture_files.encode import PictureFormat
from nodeforge.settings import Attention, Precision
from nodeforge.spec import Catalogue
from support.studio import DRIFT, Studio

Plant = Callable[[Studio], object]
Edit = Callable[[Document], object]


def value(node: str, port: str, new: Any) -> Edit:
    return lambda document: document.graph.nodes[node].values.update({port: new})


def relink(document: Document) -> None:
    links = document.graph.links
    one, other = Input("denoise", "positive"), Input("denoise", "negative")
    links[one], links[other] = links[other], links[one]


def mute(document: Document) -> None:
    document.graph.nodes["style"].mode = Mode.BYPASS


def scale_weights(file: Path, share: float) -> None:
    tensors = {name: tensor * share for name, tensor in load_file(file).items()}
    save_file(tensors, file)


def change_model(studio: Studio) -> None:
    scale_weights(next((studio.model / "unet").glob("*.safetensors")), 1.1)


def change_vae(studio: Studio) -> None:
    scale_weights(next((studio.model / "vae").glob("*.safetensors")), 1.1)


def change_paper(studio: Studio) -> None:
    Picture.new("RGB", (64, 64), (20, 180, 90)).save(studio.paper)


def other_lora(studio: Studio) -> None:
    tiny_models.write_lora(studio.model, studio.lora.with_name("ink.safetensors"), seed=9)


def raise_version(studio: Studio) -> None:
    def change(types: dict[str, NodeType]) -> None:
        made = types["image.blend"]
        spec = replace(made.spec, version=made.spec.version + 1)
        darker = lambda **given: type(given["base"])(given["base"].pixels * 0.5)  # noqa: E731
        types["image.blend"] = replace(made, spec=spec, function=darker)

    studio.change = change


def compute_in_half(studio: Studio) -> None:
    studio.policy = Policy(precision=Precision.HALF)


def other_attention(studio: Studio) -> None:
    studio.policy = Policy(attention=Attention.MATH)


def machine(name: str) -> Plant:
    """Another version, which computes a little otherwise: `test.drift` does."""

    def plant(studio: Studio) -> None:
        studio.environment[name] = "0.0.1"
        DRIFT.by = 0.2

    return plant


def drift(_: Studio) -> None:
    DRIFT.by = 0.2


def fall_back(_: Studio) -> None:
    DRIFT.by, DRIFT.falls_back = 0.2, True


NOTHING: Plant = lambda _: None  # noqa: E731
KEEP: Edit = lambda _: None  # noqa: E731
EDITED = "the workflow in the picture was edited since"
CAUSES: list[tuple[str, Plant, Edit, str, str]] = [
    ("seed", NOTHING, value("noise", "seed", 2), "Noise (noise)", f"{EDITED}: 'seed'"),
    ("steps", NOTHING, value("schedule", "steps", 5), "Schedule", f"{EDITED}: 'steps'"),
    ("prompt", NOTHING, value("prompt", "text", "an owl"), "prompt", f"{EDITED}: 'text'"),
    ("sampler", NOTHING, value("sampler", "name", "heun"), "Sampler", f"{EDITED}: 'name'"),
    ("opacity", NOTHING, value("blend", "opacity", 0.9), "Blend", f"{EDITED}: 'opacity'"),
    ("link", NOTHING, relink, "Denoise", f"{EDITED}: 'positive' is linked"),
    ("bypassed", NOTHING, mute, "LoRA (style)", f"{EDITED}: this node is gone"),
    ("model", change_model, KEEP, "Load model", "the model 'tiny' has other content"),
    ("VAE", change_vae, KEEP, "Load model", "the model 'tiny' has other content"),
    (
        "LoRA",
        lambda studio: scale_weights(studio.lora, 2.0),
        KEEP,
        "Load LoRA",
        "the LoRA 'style.safetensors' has other content",
    ),
    (
        "another LoRA",
        other_lora,
        value("style", "file", "ink.safetensors"),
        "Load LoRA",
        "the LoRA was 'style.safetensors', now it is 'ink.safetensors'",
    ),
    ("picture", change_paper, KEEP, "Load image", "the image 'paper.png' has other content"),
    (
        "pack",
        lambda studio: studio.write_pack(0.5),
        KEEP,
        "(tint)",
        "the pack 'tint' has other content",
    ),
    ("version", raise_version, KEEP, "Blend", "version 2 now, 1 then"),
    ("bfloat16", compute_in_half, KEEP, "prompt", "precision: float32 then, bfloat16"),
    ("attention", other_attention, KEEP, "(prompt)", "attention: native then, math now"),
    ("torch", machine("torch"), KEEP, "(drift)", "torch: "),
    ("diffusers", machine("diffusers"), KEEP, "(drift)", "diffusers: "),
    ("NodeForge", machine("NodeForge"), KEEP, "(drift)", "NodeForge: "),
    ("processor", machine("processor"), KEEP, "(drift)", "processor: "),
    ("not deterministic", drift, KEEP, "(drift)", "nothing that the lock knows"),
    ("memory", fall_back, KEEP, "(drift)", "memory ran out"),
]


@pytest.mark.parametrize(
    ("plant", "edit", "where", "cause"), [each[1:] for each in CAUSES], ids=[c[0] for c in CAUSES]
)
def test_a_planted_cause_is_named(
    studio: Studio,
    plant: Plant,
    edit: Edit,
    where: str,
    cause: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("nodeforge.diffusion.tensors.policy.has_bfloat16", lambda _: True)
    plant(studio)
    verdict = studio.replay(studio.pictures[1], edit)
    assert (verdict.alike is Alike.IDENTICAL) == (plant is other_attention), verdict
    assert where in verdict.where, verdict
    assert cause in verdict.causes[0], verdict
    assert not {*verdict.causes} & {*verdict.besides}


def test_another_thread_count_is_named(studio: Studio):
    """On nano: the sums of a tiny network are too short to be cut."""
    values = {"model": {"file": "nano"}, "style": {"file": "nano/lora/flat.safetensors"}}
    document = studio.document(**values, noise={"batch": 1})
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        (picture,) = studio.save(document)
        assert studio.replay(picture).alike is Alike.IDENTICAL
        torch.set_num_threads(2)
        verdict = studio.replay(picture)
    finally:
        torch.set_num_threads(before)
    assert verdict.alike is not Alike.DIFFERENT
    assert verdict.where.startswith("Denoise (denoise), step ")
    assert verdict.causes == ("threads: 1 then, 2 now",)


@pytest.mark.parametrize("format", [PictureFormat.PNG, PictureFormat.JPEG])
def test_a_file_that_was_changed_after_it_was_saved_is_told_so(
    furnished: Studio, tmp_path: Path, format: PictureFormat
):
    again = furnished.pictures[0]
    pixels = decode(again).pixels.copy()
    pixels[:8] = 0
    picture = tmp_path / f"changed{format.suffix}"
    picture.write_bytes(encode(pixels, format, read_text(again)))
    verdict = judge(picture, again, Catalogue.shipped())
    assert verdict.alike is Alike.DIFFERENT
    assert verdict.causes[0].endswith("the file was changed after it was saved")


@pytest.mark.parametrize(("by", "alike"), [(4, Alike.TO_THE_EYE), (5, Alike.DIFFERENT)])
def test_equal_to_the_eye_is_up_to_4_of_255_in_few_pixels(
    furnished: Studio, tmp_path: Path, by: int, alike: Alike
):
    again = furnished.pictures[0]
    pixels = (decode(again).pixels * 255).round().astype(np.uint8)
    spot = pixels[:8, :8]
    spot[:] = np.where(spot > 127, spot - by, spot + by)
    picture = tmp_path / "near.png"
    picture.write_bytes(encode(pixels, PictureFormat.PNG, read_text(again)))
    found, apart, psnr = compare_pixels(picture, again)
    assert (found, apart) == (alike, by)
    assert psnr == pytest.approx(10 * np.log10(255**2 / (by**2 * 64 / 4096)), abs=1e-6)


def test_many_small_differences_are_not_equal_to_the_eye(furnished: Studio, tmp_path: Path):
    again = furnished.pictures[0]
    pixels = (decode(again).pixels * 255).round().astype(np.uint8)
    picture = tmp_path / "all.png"
    picture.write_bytes(encode(np.where(pixels > 127, pixels - 2, pixels + 2), PictureFormat.PNG))
    assert compare_pixels(picture, again)[:2] == (Alike.DIFFERENT, 2)


def test_what_differs_without_effect_is_told_beside(studio: Studio):
    studio.environment["numpy"] = "0.0.1"
    verdict = studio.replay(studio.pictures[0])
    assert verdict.alike is Alike.IDENTICAL
    assert not verdict.where
    assert next(iter(verdict.lines())) == "Identical: every pixel is the same."
    assert verdict.besides[0].startswith("numpy: ")


def test_one_picture_of_a_list_is_made_again_alone(studio: Studio):
    document = studio.document(noise={"batch": 1})
    document.graph.nodes["words"] = Node("lists.texts", {"lines": "a fox\nan owl"})
    document.graph.links[Input("prompt", "text")] = Output("words", "text")
    first, second = studio.save(document)
    for picture in (first, second):
        assert studio.replay(picture).alike is Alike.IDENTICAL
    verdict = studio.replay(second, value("noise", "seed", 2))
    assert verdict.where.startswith("Noise (noise)")
