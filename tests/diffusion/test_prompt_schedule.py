"""Prompts that change while steps run: what is read, and which steps run again."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, ScheduledPromptError, schedule_prompt
from nodeforge.diffusion.denoising.prompt_schedule import Text, texts
from nodeforge.values import Conditioning, Guidance, Noise, Sampler, Schedule

STEPS = 10


@pytest.mark.parametrize(
    "plain",
    [
        "", "a fox", "[fox]", "[[fox]] (cat:1.2)", "at 10:30", "[a:b]", "[fox:1.2:x]", "a | b",
        "\\[a|b\\]", "[a", "b:0.5]", "[:]", "[(a:0.5)]", "[a:b:c:0.5]",
    ],
)  # fmt: skip
def test_what_is_no_schedule_stays_as_it_is(plain):
    assert texts(plain) == [Text(plain)]


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("a [cat:dog:0.4] runs", [Text("a cat runs", 0, 0.4), Text("a dog runs", 0.4, 1)]),
        ("[dog:.25]", [Text("", 0, 0.25), Text("dog", 0.25, 1)]),
        ("a[ dog::0.25]", [Text("a dog", 0, 0.25), Text("a", 0.25, 1)]),
        ("[cat:dog:0]", [Text("dog")]),
        ("[cat:dog:1.0]", [Text("cat")]),
        ("[cat:dog:1.]", [Text("cat")]),
        ("[cat:dog:1]", [Text("cat", steps=(0, 1)), Text("dog", steps=(1, None))]),
        ("a [cat:dog:12]", [Text("a cat", steps=(0, 12)), Text("a dog", steps=(12, None))]),
        ("a[ dog::3]", [Text("a dog", steps=(0, 3)), Text("a", steps=(3, None))]),
        (
            "[[a:b:2]:c:7]",
            [Text("a", steps=(0, 2)), Text("b", steps=(2, 7)), Text("c", steps=(7, None))],
        ),
        (
            "[a:[b|c]:2]",
            [
                Text("a", steps=(0, 2)),
                Text("b", turn=(0, 2), steps=(2, None)),
                Text("c", turn=(1, 2), steps=(2, None)),
            ],
        ),
        (
            "[a:b:0.5][c:d:3]",
            [
                Text("ac", 0, 0.5, steps=(0, 3)),
                Text("ad", 0, 0.5, steps=(3, None)),
                Text("bc", 0.5, 1, steps=(0, 3)),
                Text("bd", 0.5, 1, steps=(3, None)),
            ],
        ),
        (
            "[a:[b:c:0.8]:0.4]",
            [Text("a", 0, 0.4), Text("b", 0.4, 0.8), Text("c", 0.8, 1)],
        ),
        ("[a:b:0.5] [a:b:0.5]", [Text("a a", 0, 0.5), Text("b b", 0.5, 1)]),
        ("[(cat:1.2):dog:0.5]", [Text("(cat:1.2)", 0, 0.5), Text("dog", 0.5, 1)]),
        ("([cat:dog:0.5]:1.3)", [Text("(cat:1.3)", 0, 0.5), Text("(dog:1.3)", 0.5, 1)]),
        ("[cat|dog]", [Text("cat", turn=(0, 2)), Text("dog", turn=(1, 2))]),
        (
            "[a|b:c:0.5]",  # turns hold changes: as a|(b:c:0.5) this is no change
            [Text("a", turn=(0, 2)), Text("b:c:0.5", turn=(1, 2))],
        ),
        (
            "[x:[a|b]:0.5]",
            [Text("x", 0, 0.5), Text("a", 0.5, 1, (0, 2)), Text("b", 0.5, 1, (1, 2))],
        ),
    ],
)
def test_what_is_said_when(prompt, wanted):
    assert texts(prompt) == wanted


def test_turns_of_several_lengths_make_all_that_meet():
    assert [each.text for each in texts("[a|b][c|d|e]")] == ["ac", "bd", "ae", "bc", "ad", "be"]


@given(st.text(alphabet="ab[]()|:\\0.57 ", max_size=30))
def test_any_text_is_read_and_covers_all_steps_once(prompt):
    try:
        said = texts(prompt)
    except ScheduledPromptError:
        return
    for step in range(24):
        now = [
            each for each in said
            if each.start <= step / 24 < each.end and step % each.turn[1] == each.turn[0]
            and each.steps[0] <= step < (each.steps[1] or 24)
        ]  # fmt: skip
        assert len(now) == 1


@pytest.mark.parametrize(
    ("prompt", "fact"),
    [
        ("[" * 5000, "more than 50 brackets"),
        ("[a:b:1.5]", "changes at 1.5, which is no share"),
        ("[a:b:1001]", "changes at 1001, which is no step"),
        (f"[a:b:{'9' * 5000}]", "changes at 9999"),
        ("".join(f"[a:b:{n}][c:d:.{n}]" for n in range(10, 50)), "make 1681 ranges"),
        ("[a|b|c|d][a|b|c|d|e]", "make 20 different texts"),
    ],
)
def test_what_cannot_be_kept_is_refused(prompt, fact):
    with pytest.raises(ScheduledPromptError, match=fact):
        texts(prompt)


@pytest.fixture
def run(host, sd):
    """Model calls of a prompt, in one host's memory of steps."""

    def calls(prompt):
        with host.use(sd.text_encoder) as encoder:
            made = schedule_prompt(prompt, lambda text: diffusion.encode_prompt(encoder, text))
        task = Denoising(
            sd.model, made, Sampler("euler"), Schedule("normal", STEPS), Guidance(5.0),
            noise=Noise(3, 32, 32),
        )  # fmt: skip
        before = host.model_calls
        calls.samples = diffusion.denoise(host, task).samples
        return host.model_calls - before

    return calls


def test_each_text_is_encoded_once():
    encoded = []

    def encode(text):
        encoded.append(text)
        return Conditioning((), torch.zeros(1, 1, 1), "sd15")

    schedule_prompt("[[a|b]:[b|a]:0.5]", encode)
    assert encoded == ["a", "b"]


def test_a_changed_ending_runs_only_from_where_it_begins(run):
    assert run("a [cat:dog:0.6]") == STEPS
    assert run("a [cat:bird:0.6]") == 4
    assert run("a [cat:dog:0.8]") == 4
    assert run("a cat") == 4 - 2
    assert run("a [cat:dog:0.6]") == 0
    assert run("a [cat:dog:0]") == STEPS


def test_a_change_after_a_number_of_steps_runs_only_from_there(run):
    assert run("a [cat:dog:6]") == STEPS
    assert run("a [cat:bird:6]") == 4
    assert run("a [cat:dog:0.6]") == 0  # of ten steps, the same
    assert run("a [cat:dog:8]") == 4
    assert run("a [cat:dog:20]") == 4 - 2  # after the last: never
    assert run("a cat") == 0
    assert run("a [cat:dog:1]") == STEPS - 1
    assert run("a [cat:dog:1.0]") == 0


def test_a_number_of_steps_is_the_same_however_many_are_run(host, sd):
    def calls(prompt, steps):
        with host.use(sd.text_encoder) as encoder:
            made = schedule_prompt(prompt, lambda text: diffusion.encode_prompt(encoder, text))
        task = Denoising(
            sd.model, made, Sampler("euler"), Schedule("normal", steps), Guidance(5.0),
            noise=Noise(3, 32, 32),
        )  # fmt: skip
        before = host.model_calls
        diffusion.denoise(host, task)
        return host.model_calls - before

    assert [calls("[cat:dog:2]", steps) for steps in (4, 8)] == [4, 8]
    assert [calls("[cat:dog:0.5]", steps) for steps in (4, 8)] == [0, 6]
    assert [calls("[cat:dog:0.25]", steps) for steps in (4, 8)] == [3, 0]


def test_turns_act_a_step_each(run):
    assert run("[cat|dog]") == STEPS
    assert run("[cat|bird]") == STEPS - 1
    assert run("[cat|dog]") == 0
    alternating = run.samples
    run("cat")
    assert not torch.equal(run.samples, alternating)
