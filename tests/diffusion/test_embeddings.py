"""Textual inversions: the pipeline's bits, names in prompts, nothing left in the encoder."""

from __future__ import annotations

import pytest
import tiny_adapters
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import load_file, save_file

from nodeforge import diffusion
from nodeforge.diffusion import (
    FamilyMismatchError,
    LoadingError,
    UnknownEmbeddingError,
    encode_text,
    with_embedding,
)
from nodeforge.diffusion.denoising.prompt_schedule import Text, texts
from nodeforge.diffusion.text.textual_inversion import parts_of_text
from nodeforge.errors import RequestError
from nodeforge.models import PickleRefusedError


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embeddings")
    return tiny_adapters.write_embedding(folder / "style.safetensors", 768)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embeddings")
    return tiny_adapters.write_embedding(folder / "both.safetensors", 768, 1280)


def knowing(recipe, file, name="style"):
    return with_embedding(recipe, diffusion.describe_embedding(file, recipe.family), name)


def encoded(host, recipe, text, clip_skip=0):
    with host.use(recipe) as encoder:
        return encode_text(encoder, recipe, text, clip_skip)


TEXTS = ["a {} cat", "{}", "{}, a (red:1.0) cat", "a cat {}"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_prompt_equals_the_pipelines(host, sd, sd_folder, file, text):
    made = StableDiffusionPipeline.from_pretrained(
        sd_folder, safety_checker=None, requires_safety_checker=False
    )
    made.load_textual_inversion(load_file(file)["emb_params"], token="<style>")
    with torch.no_grad():
        words = text.format("<style>").replace("(red:1.0)", "red")
        theirs = made.encode_prompt(words, "cpu", 1, False)[0]
    ours = encoded(host, knowing(sd.text_encoder, file), text.format("embedding:style"))
    assert torch.equal(ours.prompts[0].embedding, theirs)


def test_both_encoders_of_sdxl_get_theirs(host, sdxl, sdxl_folder, both):
    made = StableDiffusionXLPipeline.from_pretrained(sdxl_folder)
    state = load_file(both)
    for part, end in (("clip_l", ""), ("clip_g", "_2")):
        made.load_textual_inversion(
            state[part], token="<both>",
            text_encoder=getattr(made, f"text_encoder{end}"),
            tokenizer=getattr(made, f"tokenizer{end}"),
        )  # fmt: skip
    with torch.no_grad():
        theirs = made.encode_prompt("a <both> cat", device="cpu", do_classifier_free_guidance=False)
    ours = encoded(host, knowing(sdxl.text_encoder, both, "both"), "a embedding:both cat")
    assert torch.equal(ours.prompts[0].embedding, theirs[0])
    assert torch.equal(ours.prompts[0].pooled, theirs[2])


def test_the_encoder_is_as_before(host, sd, file):
    before = encoded(host, sd.text_encoder, "a red cat").prompts[0].embedding
    recipe = knowing(sd.text_encoder, file)
    with_it = encoded(host, recipe, "a embedding:style cat").prompts[0].embedding
    assert not torch.equal(with_it, before)
    assert torch.equal(encoded(host, sd.text_encoder, "a red cat").prompts[0].embedding, before)
    with host.use(sd.text_encoder) as encoder:
        assert not any(module._forward_hooks for module in encoder.encoders[0].network.modules())


def test_weights_skips_and_schedules_go_with_it(host, sd, file):
    recipe = knowing(sd.text_encoder, file)
    plain, strong = (
        encoded(host, recipe, text).prompts[0].embedding
        for text in ("embedding:style cat", "(embedding:style:1.3) cat")
    )
    assert not torch.equal(plain, strong)
    assert torch.equal(plain[:, 3:], strong[:, 3:])  # its two words alone count more
    assert encoded(host, recipe, "embedding:style", 1).prompts[0].embedding.isfinite().all()
    scheduled = encoded(host, recipe, "a [cat:embedding:style:0.5]").prompts
    assert [(each.start, each.end) for each in scheduled] == [(0.0, 0.5), (0.5, 1.0)]


def test_a_schedule_does_not_cut_a_name_in_two():
    assert texts("[embedding:a:embedding:b:0.4]") == [
        Text("embedding:a", 0, 0.4),
        Text("embedding:b", 0.4, 1),
    ]
    assert texts("[embedding:a:0.4]")[1] == Text("embedding:a", 0.4, 1)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("no name", [("no name", "")]),
        ("embedding:a-b_1.5, x", [("", "a-b_1.5"), (", x", "")]),
        ("end embedding:v2.", [("end ", "v2"), (".", "")]),
        ("embedding:v2embedding", None),
    ],
)
def test_names_are_told_from_the_words_around_them(text, parts):
    known = {"a-b_1.5": 0, "v2": 0}
    if parts is None:
        with pytest.raises(UnknownEmbeddingError, match="which is not there") as caught:
            list(parts_of_text(text, known))
        assert "a-b_1.5, v2" in caught.value.way_out
    else:
        assert list(parts_of_text(text, known)) == parts


@pytest.mark.parametrize("name", ["", "two words", "a,b", "a:0.5)", "end."])
def test_what_cannot_be_a_name_is_refused(sd, file, name):
    with pytest.raises(RequestError):
        knowing(sd.text_encoder, file, name)


def test_one_of_the_same_name_takes_the_others_place(sd, file):
    twice = knowing(knowing(sd.text_encoder, file), file)
    assert [each.name for each in twice.embeddings] == ["style"]


def test_what_does_not_fit_is_refused(host, sd, sdxl, file, tmp_path):
    wide = tmp_path / "wide.safetensors"
    save_file({"emb_params": torch.zeros(1, 1024)}, wide)
    with pytest.raises(FamilyMismatchError):
        diffusion.describe_embedding(wide, "sd15")
    with pytest.raises(FamilyMismatchError, match=r"made for SD 1\.5; the model is SDXL"):
        knowing(sdxl.text_encoder, file)
    half = tiny_adapters.write_embedding(tmp_path / "half.safetensors", 1280)
    with pytest.raises(LoadingError, match="has 1280 numbers for a word"):
        encoded(host, knowing(sdxl.text_encoder, half), "embedding:style")
    pickle = tmp_path / "style.pt"
    torch.save({"string_to_param": {"*": torch.zeros(1, 768)}}, pickle)
    with pytest.raises(PickleRefusedError):
        diffusion.describe_embedding(pickle, "sd15")


def test_only_the_vectors_of_an_embedding_are_read(host, sd, sdxl, tmp_path):
    """files B7: what OneTrainer writes for the end of an encoder is not taken for them."""
    torch.manual_seed(0)
    table = {"clip_l": torch.randn(2, 768), "clip_g": torch.randn(2, 1280)}
    save_file(table, tmp_path / "plain.safetensors")
    more = {f"{name}_out": torch.randn_like(tensor) for name, tensor in table.items()}
    save_file(table | more | {"step": torch.zeros(1)}, tmp_path / "more.safetensors")
    plain, other = (
        encoded(host, knowing(sdxl.text_encoder, tmp_path / name), "embedding:style")
        for name in ("plain.safetensors", "more.safetensors")
    )
    assert torch.equal(plain.prompts[0].embedding, other.prompts[0].embedding)


def test_what_is_no_embedding_is_said_in_plain_words(tmp_path):
    """files B7: not 'a unknown, not a embedding'."""
    save_file({"x": torch.zeros(3000, 768)}, tmp_path / "a.safetensors")
    with pytest.raises(LoadingError, match="no kind of model that is known here, not an embedding"):
        diffusion.describe_embedding(tmp_path / "a.safetensors", "sd15")
