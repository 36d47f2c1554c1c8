"""Clips: what moves moves as its caption says, and an evaluation finds it again."""

import numpy as np
import pytest
import torch

from tools.nano.batches import Chance
from tools.nano.clips import (
    FRAMES,
    PATHS,
    PLACES,
    Clip,
    ClipScenery,
    nearest_move,
    path_of,
    random_clip,
)
from tools.nano.compose import draw, turned
from tools.nano.instructions import MOVE_WORDS
from tools.nano.latents import LatentCache, fill
from tools.nano.scenes import Scene, is_held_out
from tools.nano.shapes import new_text_encoder, new_unet, new_vae
from tools.nano.tokens import Words, build_tokenizer
from tools.nano.train_motion import ClipLessons, Moving, draw_clip, motion_pipeline, new_motion_unet
from tools.nano.train_unet import TextToLatent


def clip(concept, move):
    return Clip(Scene((concept,), "3d", PLACES.get(move, "small"), "blue"), move)


def drawn(clip, styles):
    return [draw(scene, styles) for scene in clip.frames()]


@pytest.fixture
def base(concepts):
    torch.manual_seed(0)
    text = new_text_encoder(build_tokenizer(concepts), layers=1)
    return TextToLatent(new_unet((32, 32)), text).eval()


def test_every_move_has_a_path_and_words():
    assert set(PATHS) == set(MOVE_WORDS)


@pytest.mark.parametrize("move", PATHS)
def test_a_clip_is_found_to_move_as_it_does(move, concepts, styles):
    known = {kind: path_of(drawn(clip(concepts[1], kind), styles)) for kind in PATHS}
    assert nearest_move(path_of(drawn(clip(concepts[0], move), styles)), known) == move


@pytest.mark.parametrize(("move", "axis", "sign"), [("left", 0, -1), ("down", 1, 1), ("up", 1, -1)])
def test_a_thing_goes_where_it_is_told_to(move, axis, sign, concepts, styles):
    steps = np.diff(path_of(drawn(clip(concepts[0], move), styles))[:, axis])
    assert (steps * sign > 0).all()


@pytest.mark.parametrize("kept_out", [False, True])
def test_training_and_evaluation_take_different_clips(kept_out, concepts):
    rng = np.random.default_rng(0)
    clips = [random_clip(concepts, "3d", rng, kept_out=kept_out) for _ in range(60)]
    scenes = [clip.scene for clip in clips]
    assert {is_held_out(s.subjects[0].code, s.colour, s.place) for s in scenes} == {kept_out}


def test_a_quarter_turn_is_clockwise(concepts, styles):
    picture = styles["3d"]["ball"]  # with a bar on its left
    assert (
        np.abs(turned(picture, 90)[10:-10].astype(int) - np.rot90(picture, -1)[10:-10]).mean() < 1
    )


def test_a_clip_s_frames_lie_side_by_side_in_the_cache(concepts, styles, tmp_path, monkeypatch):
    monkeypatch.setattr("tools.nano.latents.SHARD", 8)
    torch.manual_seed(0)
    vae, cache = new_vae((8, 8, 16, 16, 16)).eval(), LatentCache(tmp_path, total=16)
    fill(cache, vae, ClipScenery(concepts, ("3d",), styles))
    cache.refresh()
    lessons = ClipLessons(concepts, "3d", cache, Words(build_tokenizer(concepts)))
    clips, tokens = lessons.batch(3, Chance(0, 0))
    assert clips.shape == (3, 16, FRAMES, 16, 16)
    assert tokens.shape == (3, 32)
    assert torch.equal(clips[0].transpose(0, 1), cache[list(range(FRAMES))]) or torch.equal(
        clips[0].transpose(0, 1), cache[list(range(FRAMES, 2 * FRAMES))]
    )


@torch.no_grad()
def test_new_motion_modules_leave_every_frame_as_the_unet_draws_it(base):
    unet = new_motion_unet(base.unet)
    noisy, time, words = torch.randn(1, 16, 3, 8, 8), torch.tensor([5]), torch.randn(1, 32, 192)
    together = unet(noisy, time, words.repeat_interleave(3, 0)).sample
    alone = base.unet(noisy[:, :, 1], time, words).sample
    assert torch.allclose(together[:, :, 1], alone, atol=1e-5)


def test_only_motion_modules_and_the_lora_over_words_are_trained(base):
    base.requires_grad_(False)
    unet = new_motion_unet(base.unet)
    parts = torch.randn(2, 16, 3, 8, 8), torch.zeros(2, 32, dtype=torch.long)
    Moving(unet, base, torch.device("cpu")).loss(Chance(0, 0), parts).backward()
    trained = {name for name, weight in unet.named_parameters() if weight.grad is not None}
    assert trained
    words = {name.partition("attn2.")[2].partition(".")[0] for name in trained if "lora_" in name}
    assert words == {"to_k", "to_v"}
    assert all("motion_modules" in name or "lora_" in name for name in trained)


def test_a_pipeline_draws_the_frames_of_a_clip(base, concepts):
    torch.manual_seed(0)
    vae = new_vae((8, 8, 16, 16, 16)).eval()
    pipeline = motion_pipeline(vae, new_motion_unet(base.unet), base, build_tokenizer(concepts))
    frames = draw_clip(pipeline, "a ball, moving up", 0, steps=1)
    assert len(frames) == FRAMES
    assert frames[0].shape == (256, 256, 3)
