"""Encoding prompts: length, weights, clip skip."""

from __future__ import annotations

import pytest
import torch

from nodeforge import diffusion
from nodeforge.diffusion import PromptError
from nodeforge.diffusion.tensors.conditioning import (
    ConditioningMismatchError,
    RangeError,
    is_active,
    lengthened,
)
from nodeforge.errors import Cancelled
from nodeforge.values import Mask


@pytest.fixture
def encoder(residency, sd):
    with residency.use(sd.text_encoder) as loaded:
        yield loaded


def embedding(encoder, text, clip_skip=0):
    return diffusion.encode_prompt(encoder, text, clip_skip).prompts[0].embedding


def test_a_weight_of_one_keeps_the_bits(encoder):
    assert torch.equal(embedding(encoder, "(a cat:1.0)"), embedding(encoder, "a cat"))


def test_a_weight_moves_the_word_away_from_the_empty_prompt(encoder):
    plain, heavy = embedding(encoder, "a cat"), embedding(encoder, "a (cat:1.5)")
    empty = embedding(encoder, "")
    changed = (plain != heavy).any(-1)[0].nonzero().flatten().tolist()
    assert changed == [2, 3, 4]  # a letter a token in the tiny tokenizer
    assert torch.allclose(heavy[0, 3], empty[0, 3] + 1.5 * (plain[0, 3] - empty[0, 3]), atol=1e-5)


def test_a_long_prompt_has_a_chunk_for_every_75_tokens(encoder):
    long = embedding(encoder, "a " * 76)
    assert long.shape[1] == 2 * 77
    assert torch.equal(long[:, :77], embedding(encoder, "a " * 75))


def test_a_prompt_of_10000_words_is_refused_with_a_bound(encoder):
    with pytest.raises(PromptError, match="at most 2400 can be used"):
        diffusion.encode_prompt(encoder, "word " * 10_000)


def test_the_longest_prompt_works_and_can_be_cancelled(encoder):
    assert embedding(encoder, "a" * 2400).shape[1] == 32 * 77
    calls = iter([None, None])

    def check():
        if next(calls, "end") == "end":
            raise Cancelled

    with pytest.raises(Cancelled):
        diffusion.encode_prompt(encoder, "a" * 2400, check=check)


def test_clip_skip_leaves_out_layers_and_keeps_the_last_norm(encoder):
    tokens = (
        encoder.encoders[0].tokenizer("a cat", padding="max_length", return_tensors="pt").input_ids
    )
    with torch.no_grad():
        states = encoder.encoders[0].network(tokens, output_hidden_states=True).hidden_states
        wanted = encoder.encoders[0].network.final_layer_norm(states[-2])
        last = encoder.encoders[0].network.final_layer_norm(states[-1])
    assert torch.equal(embedding(encoder, "a cat", 1), wanted)
    assert torch.equal(embedding(encoder, "a cat", 0), last)


def test_a_clip_skip_beyond_the_layers_is_refused(encoder):
    with pytest.raises(PromptError, match="the text encoder has 3 layers"):
        diffusion.encode_prompt(encoder, "a cat", 3)


def test_the_shorter_prompt_is_lengthened_by_the_empty_chunk(host, sd, encoder):
    long = diffusion.encode_prompt(encoder, "a" * 100)
    short = diffusion.encode_prompt(encoder, "b")
    padded = diffusion.concatenate(short, diffusion.encode_prompt(encoder, ""))
    tensor = lengthened(short.prompts[0].embedding, short.empty, long.prompts[0].embedding.shape[1])
    assert torch.equal(tensor, padded.prompts[0].embedding)


def test_average_concatenate_zero_and_combine(prompts):
    first, second = prompts
    half = diffusion.average(first, second, 0.5).prompts[0].embedding
    middle = (first.prompts[0].embedding + second.prompts[0].embedding) / 2
    assert torch.allclose(half, middle, atol=1e-6)
    assert diffusion.concatenate(first, second).prompts[0].embedding.shape[1] == 2 * 77
    assert not diffusion.zero(first).prompts[0].embedding.any()
    assert len(diffusion.combine(first, second).prompts) == 2


def test_combined_prompts_cannot_be_averaged(prompts):
    both = diffusion.combine(*prompts)
    with pytest.raises(ConditioningMismatchError, match="holds 2 prompts"):
        diffusion.average(both, prompts[0], 0.5)


@pytest.mark.parametrize(("start", "end"), [(0.5, 0.5), (0.7, 0.2), (-0.1, 1.0), (0.0, 1.1)])
def test_a_range_without_a_step_is_refused(prompts, start, end):
    with pytest.raises(RangeError):
        diffusion.set_range(prompts[0], start, end)


def test_a_range_within_a_range_is_what_lies_in_both(prompts):
    first = diffusion.set_range(prompts[0], 0.0, 0.5)
    both = diffusion.combine(first, diffusion.set_range(prompts[1], 0.5, 1.0))
    cut = diffusion.set_range(both, 0.25, 0.75).prompts
    assert [(prompt.start, prompt.end) for prompt in cut] == [(0.25, 0.5), (0.5, 0.75)]
    assert len(diffusion.set_range(both, 0.0, 0.25).prompts) == 1
    with pytest.raises(RangeError, match="none of the prompts"):
        diffusion.set_range(first, 0.75, 1.0)


def test_ranges_that_meet_share_no_step():
    first = [step for step in range(20) if is_active(0.0, 0.75, step, 20)]
    second = [step for step in range(20) if is_active(0.75, 1.0, step, 20)]
    assert first + second == list(range(20))
    assert second[0] == 15


def test_an_area_leaves_the_rest_to_the_other_prompt(prompts):
    left = Mask(torch.zeros(1, 32, 32).index_fill(2, torch.arange(16), 1.0))
    placed = diffusion.set_area(prompts[0], left, 2.0)
    assert placed.prompts[0].weight == 2.0
    assert placed.prompts[0].area is left
