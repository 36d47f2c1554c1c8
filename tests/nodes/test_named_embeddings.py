"""Embeddings that a prompt names by itself: key, result and failures through a real session."""

from __future__ import annotations

import pytest
import tiny_adapters
import tiny_models
import torch

from nodeforge import diffusion
from nodeforge.engine import events
from nodeforge.engine.cache import MemoryTier, ResultCache
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.session import Session
from nodeforge.settings import Settings
from nodeforge.worker.build import LoadedNetworks
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_packs
from support.counting import graph

FEED = {"prompt.text_encoder": "model.text_encoder"}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    tiny_models.write_folder(home / "models" / "checkpoints" / "tiny")
    (home / "models" / "embeddings" / "my").mkdir(parents=True)
    settings = Settings(home=home)
    cache = ResultCache(MemoryTier(2**24), None, ValueCodec())
    networks = LoadedNetworks(diffusion.Residency("cpu"))
    return Session(settings, load_packs(settings).node_types, cache, networks, torch.no_grad)


@pytest.fixture(autouse=True)
def style(session):
    folder = session.settings.home / "models" / "embeddings"
    return tiny_adapters.write_embedding(folder / "my" / "style.safetensors", 768)


def said(text, **more):
    nodes = {"model": ("models.load", {"file": "tiny"}), "prompt": ("text.encode", {"text": text})}
    return graph(nodes | more, FEED)


def run(session, asked):
    told = []
    found = session.run(asked, RunRequest("run", ["prompt"]), RunState(told.append))
    assert not (failed := [e.error for e in told if isinstance(e, events.Failed)]), failed
    return found["prompt"]["conditioning"].prompts[0].embedding


def failure(session, asked):
    told = []
    session.run(asked, RunRequest("run", ["prompt"]), RunState(told.append))
    (failed,) = (event.error for event in told if isinstance(event, events.Failed))
    return failed


def key(session, asked):
    return session.plan(asked, RunRequest("run", ["prompt"])).nodes["prompt"].key


def test_a_name_in_a_prompt_says_what_the_node_for_it_says(session):
    explicit = said("a (embedding:mine:1.2) cat", load=("text.load_embedding", {"name": "mine"}))
    explicit.nodes["load"].values["file"] = "my/style"
    explicit.links |= graph(
        {}, {"load.text_encoder": "model.text_encoder", "prompt.text_encoder": "load.text_encoder"}
    ).links
    by_name = run(session, said("a (embedding:my/style:1.2) cat"))
    assert torch.equal(by_name, run(session, explicit))
    assert not torch.equal(by_name, run(session, said("a (my style:1.2) cat")))


def test_the_key_follows_the_file_and_the_name(session, style):
    asked = said("a embedding:my/style cat")
    before, first = key(session, asked), run(session, asked)
    assert key(session, asked) == before
    tiny_adapters.write_embedding(style, 768, seed=12)
    assert key(session, asked) != before
    assert not torch.equal(run(session, asked), first)


def test_a_name_in_a_text_node_is_known_before_the_run(session, style):
    asked = said("", words=("values.text", {"value": "a embedding:my/style cat"}))
    asked.links |= graph({}, {"prompt.text": "words.value"}).links
    before = key(session, asked)
    assert torch.equal(run(session, asked), run(session, said("a embedding:my/style cat")))
    tiny_adapters.write_embedding(style, 768, seed=13)
    assert key(session, asked) != before


def test_a_name_that_is_not_there_is_said_with_the_near_ones(session):
    failed = failure(session, said("a embedding:my/stile."))
    assert failed.fact == "there is no embedding 'my/stile' in the model folders."
    assert "Did you mean 'my/style.safetensors'?" in failed.way_out
    assert "Encode prompt (prompt)" in failed.place


@pytest.mark.parametrize("name", ["/etc/passwd", "../checkpoints/tiny", "~/secret"])
def test_a_name_does_not_lead_out_of_the_folders(session, name):
    assert failure(session, said(f"embedding:{name}")).kind == "ForbiddenModelError"


def test_an_embedding_of_another_family_is_refused(session, style):
    tiny_adapters.write_embedding(style, 1024)
    failed = failure(session, said("embedding:my/style"))
    assert failed.kind == "FamilyMismatchError"


@pytest.mark.parametrize(
    "text",
    [
        "a cat, embedding:my\\style",
        "a cat, embedding:my\\style.safetensors",
        "(a cat, embedding:my\\style:1.0)",
        "a cat, [x:embedding:my\\style:0]",
    ],
)
def test_a_backslash_in_a_name_is_a_separator(session, text):
    """files B9: as ComfyUI writes it on Windows."""
    plain = text.replace("my\\style", "my/style")
    assert torch.equal(run(session, said(text)), run(session, said(plain)))
    assert key(session, said(text)) != key(session, said("a cat"))


def test_a_backslash_before_a_bracket_is_the_prompts_own(session):
    """files B9."""
    plain, escaped = said("embedding:my/style (a)"), said("embedding:my/style \\(a\\)")
    assert not torch.equal(run(session, plain), run(session, escaped))
