"""The network that edits: where it starts, what it is shown, and that it draws."""

import numpy as np
import pytest
import torch

from tools.nano.batches import Chance
from tools.nano.compose import draw
from tools.nano.latents import LatentCache, encode_pictures, fill
from tools.nano.shapes import new_text_encoder, new_unet, new_vae
from tools.nano.tokens import Words, build_tokenizer
from tools.nano.train_edit import (
    Editing,
    EditLessons,
    EditScenery,
    edit_at,
    edited,
    editing_pipeline,
    editing_unet,
)


@pytest.fixture
def vae():
    torch.manual_seed(0)
    return new_vae((8, 8, 16, 16, 16)).eval()


@pytest.fixture
def lessons(vae, concepts, styles, tmp_path, monkeypatch):
    monkeypatch.setattr("tools.nano.latents.SHARD", 4)
    cache = LatentCache(tmp_path, total=8)
    fill(cache, vae, EditScenery(concepts, ("3d",), styles))
    cache.refresh()
    return EditLessons(concepts, "3d", cache, Words(build_tokenizer(concepts)))


@torch.no_grad()
def test_a_new_editor_draws_as_the_model_does_whatever_the_source():
    torch.manual_seed(0)
    unet = new_unet((32, 32))
    noisy, time, words = torch.randn(1, 16, 4, 4), torch.tensor([5]), torch.randn(1, 32, 192)
    drawn = editing_unet(unet)(torch.cat([noisy, torch.randn(1, 16, 4, 4)], 1), time, words)
    assert torch.allclose(drawn.sample, unet(noisy, time, words).sample, atol=1e-6)


def test_pairs_are_those_of_the_edit_of_their_index(lessons, vae, concepts, styles):
    edit = edit_at(concepts, "3d", 3)
    pictures = torch.from_numpy(np.stack([draw(edit.before, styles), draw(edit.after, styles)]))
    known = lessons.cache[[6, 7]]
    assert (known - encode_pictures(vae, pictures).float()).abs().max() < 0.01


def test_some_lessons_lack_the_words_and_some_the_source(lessons):
    after, before, tokens = lessons.batch(200, Chance(0, 0))
    assert after.shape == before.shape == (200, 16, 16, 16)
    wordless, sourceless = tokens[:, 1] == tokens[0, -1], before.flatten(1).abs().sum(1) == 0
    for share in (wordless, sourceless):
        assert 0.02 < share.float().mean() < 0.2
    assert 0 < (wordless & sourceless).sum() < wordless.sum()


def test_what_it_learns_from_reaches_the_source_s_channels(lessons, concepts):
    torch.manual_seed(0)
    text = new_text_encoder(build_tokenizer(concepts), layers=1).requires_grad_(False)
    unet = editing_unet(new_unet((32, 32)))
    loss = Editing(unet, text, torch.device("cpu")).loss(
        Chance(0, 0), lessons.batch(2, Chance(0, 0))
    )
    loss.backward()
    assert unet.conv_in.weight.grad[:, 16:].abs().sum() > 0


def test_a_pipeline_edits_a_picture(vae, concepts, styles):
    tokenizer = build_tokenizer(concepts)
    text = new_text_encoder(tokenizer, layers=1).eval()
    unet = editing_unet(new_unet((32, 32))).eval()
    edit = edit_at(concepts, "3d", 0)
    pipeline = editing_pipeline(vae, unet, text, tokenizer)
    (picture,) = edited(pipeline, [draw(edit.before, styles)], ["remove the ball"], steps=1)
    assert picture.shape == (256, 256, 3)
