"""The networks at their real shapes or smaller, untrained: what must hold before any training."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from tools.nano.batches import Chance
from tools.nano.edges import canny, to_condition
from tools.nano.latents import LatentCache, Renewal, Scenery, cached, encode_pictures, fill
from tools.nano.presets import Stage
from tools.nano.sampling import training_schedule
from tools.nano.shapes import (
    decode,
    encode,
    new_controlnet,
    new_text_encoder,
    new_unet,
    new_vae,
)
from tools.nano.tokens import Words, build_tokenizer
from tools.nano.train_decoder import Windows
from tools.nano.train_unet import TextToLatent, noised
from tools.nano.train_vae import fold_statistics, to_pixels, to_tensor


@pytest.fixture
def vae():
    torch.manual_seed(0)
    return new_vae((8, 8, 16, 16, 16)).eval()


def test_a_latent_has_sixteen_channels_at_a_sixteenth(vae):
    assert encode(vae, torch.zeros(1, 3, 64, 96)).mean.shape == (1, 16, 4, 6)


@torch.no_grad()
def test_folding_makes_latents_standard_and_leaves_pictures_alone(vae):
    pictures = torch.rand(24, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    before = decode(vae, encode(vae, pictures).mean)
    fold_statistics(vae, pictures)
    latents = encode(vae, pictures).mean
    assert latents.mean((0, 2, 3)).abs().max() < 1e-3
    assert (latents.std((0, 2, 3)) - 1).abs().max() < 1e-3
    assert (decode(vae, latents) - before).abs().max() < 1e-3


def test_pixels_survive_the_way_to_a_tensor_and_back():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    assert np.array_equal(to_pixels(to_tensor(pixels)), pixels)


def test_every_word_of_a_caption_is_one_token(concepts):
    tokenizer = build_tokenizer(concepts)
    text = "an owl on a purple background, small, on the left, flat"
    assert len(tokenizer.tokenize(text)) == len(text.replace(",", " ,").split())


def test_a_word_never_met_is_spelled_and_not_unknown(concepts):
    tokenizer = build_tokenizer(concepts)
    tokens = tokenizer.tokenize("Zürich")
    assert "".join(tokens).endswith("</w>")
    assert tokenizer.unk_token not in tokens


def test_a_saved_tokenizer_reads_back_the_same(concepts, tmp_path):
    tokenizer = build_tokenizer(concepts)
    tokenizer.save_pretrained(tmp_path)
    read = type(tokenizer).from_pretrained(tmp_path)
    text = "a small ball, 3d"
    assert read(text).input_ids == tokenizer(text).input_ids
    assert read.model_max_length == 32


def test_the_wanted_velocity_leads_back_to_the_latent():
    schedule = training_schedule()
    latents = torch.randn(6, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    noisy, timesteps, velocity = noised(schedule, latents, Chance(0, 0))
    signal = schedule.alphas_cumprod[timesteps][:, None, None, None]
    found = signal.sqrt() * noisy - (1 - signal).sqrt() * velocity
    assert torch.allclose(found, latents, atol=1e-4)


def test_text_and_latent_give_a_velocity_of_the_latent_shape(concepts):
    tokenizer = build_tokenizer(concepts)
    model = TextToLatent(new_unet((32, 32)), new_text_encoder(tokenizer, layers=1))
    tokens = Words(tokenizer)(["a ball", ""])
    drawn = model(torch.randn(2, 16, 4, 4), torch.tensor([3, 900]), tokens)
    assert drawn.shape == (2, 16, 4, 4)


def test_cached_latents_are_those_of_the_scene_of_their_index(
    vae, concepts, styles, tmp_path, monkeypatch
):
    monkeypatch.setattr("tools.nano.latents.SHARD", 4)
    scenery = Scenery(concepts, ("3d",), styles)
    cache = LatentCache(tmp_path, total=8)
    assert not fill(cache, vae, scenery, ends=0)
    cache.refresh()
    assert len(cache) == 4  # stopped in the midst
    assert fill(cache, vae, scenery)
    cache.refresh()
    assert len(cache) == 8
    assert cache[[5]].shape == (1, 16, 16, 16)
    assert torch.equal(cache[[5]].half(), encode_pictures(vae, pixels(scenery, range(4, 8)))[[1]])


def test_a_renewal_brings_new_scenes_and_lets_the_oldest_go(
    vae, concepts, styles, tmp_path, monkeypatch
):
    monkeypatch.setattr("tools.nano.latents.SHARD", 2)
    scenery = Scenery(concepts, ("3d",), styles)
    cache = LatentCache(tmp_path, total=4)
    fill(cache, vae, scenery)
    renewal = Renewal(cache, vae, scenery, steps=10)
    renewal.at(9)
    assert set(cache.any_of(50, np.random.default_rng(0))) == {0, 1, 2, 3}
    renewal.at(10)
    assert set(cache.any_of(50, np.random.default_rng(0))) == {2, 3, 4, 5}
    assert torch.equal(cache[[5]].half(), encode_pictures(vae, pixels(scenery, range(4, 6)))[[1]])
    again = cached(tmp_path, total=4)
    assert (again.first, len(again)) == (1, 4)
    assert torch.equal(again.edges([4]), cache.edges([4]))


def test_cached_edges_are_those_of_the_scene_of_their_index(
    vae, concepts, styles, tmp_path, monkeypatch
):
    monkeypatch.setattr("tools.nano.latents.SHARD", 4)
    scenery = Scenery(concepts, ("3d",), styles)
    cache = LatentCache(tmp_path, total=4)
    fill(cache, vae, scenery)
    cache.refresh()
    lines = to_condition(cache.edges([2]))
    assert lines.shape == (1, 3, 256, 256)
    assert np.array_equal(lines[0, 0].numpy() * 255, canny(scenery.draw(2)))


def pixels(scenery, indices):
    return torch.from_numpy(np.stack([scenery.draw(index) for index in indices]))


def test_a_window_of_latents_lies_on_its_pixels(vae, concepts, styles, tmp_path, monkeypatch):
    monkeypatch.setattr("tools.nano.latents.SHARD", 4)
    caches = []
    for style in ("3d", "flat"):
        caches.append((LatentCache(tmp_path / style, total=4), (style,)))
        fill(caches[-1][0], vae, Scenery(concepts, (style,), styles))
        caches[-1][0].refresh()
    windows = Windows(concepts, styles, caches)
    stage = Stage(steps=2, batch=1, rate=0.1)
    latents, pictures = windows.batch(stage, Chance(0, 0))
    assert latents.shape == (4, 16, 8, 8)
    assert pictures.shape == (4, 3, 128, 128)
    latents, pictures = windows.batch(stage, Chance(0, 2))
    assert pictures.shape == (1, 3, 256, 256)  # the last steps take whole pictures
    with torch.autocast("cpu", torch.bfloat16):
        found = encode(vae, pictures).mean
    assert (found - latents).abs().max() < 0.1


def test_edges_reach_the_controlnet_in_their_places():
    """Its frozen layers sort pixels into channels and lose none."""
    embedding = new_controlnet(new_unet((32, 32))).controlnet_cond_embedding
    lines = torch.zeros(1, 3, 64, 64)
    lines[0, :, 9, 14] = 1
    seen = embedding.conv_in(lines)
    for block in embedding.blocks[:4]:
        seen = block(functional.silu(seen))
    assert seen.shape == (1, 16, 16, 16)
    assert (seen > 1).nonzero()[:, 2:].tolist() == [[2, 3]]
