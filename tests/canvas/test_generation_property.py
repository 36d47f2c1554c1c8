"""Figure 1: after a generation is accepted, every byte is as it was where the mask is 0."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
import tiny_models
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from nodeforge.canvas import Layer, LayerKind, Tiles, composite
from nodeforge.canvas.document.blending import premultiplied
from nodeforge.canvas.generation.box import auto_box, snapped
from nodeforge.canvas.generation.intents import METHODS, Intent
from nodeforge.canvas.generation.request import Generation, Selection, Source, request
from nodeforge.canvas.generation.special_models import SPECIAL
from nodeforge.diffusion import Residency, describe
from nodeforge.engine.cache import MemoryTier, ResultCache
from nodeforge.engine.content.assets import keep_bytes
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.session import Session
from nodeforge.formats import load
from nodeforge.graph.assets import ASSET
from nodeforge.imaging import Box, Bytes, Fill, grow, to_bytes, to_float
from nodeforge.settings import Settings, shipped
from nodeforge.values import Image, Schedule
from nodeforge.worker.build import LoadedNetworks
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_packs

KINDS = ["soft", "tiny", "border", "hole", "noise", "none"]


class Case(NamedTuple):
    """A canvas, where it is to change, and how."""

    picture: Bytes
    mask: Bytes
    box: Box
    intent: Intent
    strength: float
    seed: int


PREPARED = [intent for intent in Intent if intent not in SPECIAL]
"""Those that fill the masked area before it is painted."""


@st.composite
def cases(
    draw: Any, smallest: int = 16, largest: int = 300, intents: Sequence[Intent] = PREPARED
) -> Case:
    width, height = (draw(st.integers(smallest, largest)) for _ in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    picture = rng.integers(0, 256, (height, width, 4), np.uint8)
    if draw(st.booleans()):
        picture[..., 3] = 255
    else:
        picture[:, : width // 3, 3] = 0
    mask = mask_of(draw(st.sampled_from(KINDS)), width, height, rng)
    intent = draw(st.sampled_from(intents))
    strength = draw(st.sampled_from([0.3, 0.7, 1.0]))
    if draw(st.booleans()):
        box = auto_box(mask, (width, height), strength, 256, 16)
    else:
        sides = (draw(st.integers(16, most)) for most in (width, height))
        corner = (draw(st.integers(0, most - 1)) for most in (width, height))
        box = snapped(Box(*corner, *sides), 16, (width, height))
    return Case(picture, mask, box, intent, strength, draw(st.integers(0, 99)))


def mask_of(kind: str, width: int, height: int, rng: np.random.Generator) -> Bytes:
    mask = np.zeros((height, width), np.uint8)
    x, y = int(rng.integers(width)), int(rng.integers(height))
    radius = int(rng.integers(2, max(3, min(width, height) // 2)))
    match kind:
        case "soft":
            cv2.circle(mask, (x, y), radius, 255, -1)
            mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), radius / 3), np.uint8)
        case "tiny":
            mask[y, x] = rng.integers(1, 256)
        case "border":
            mask[:, : max(1, width // 3)] = 255
            mask[-1:] = 200
        case "hole":
            cv2.circle(mask, (x, y), radius, 255, max(1, radius // 3))
        case "noise":
            mask = rng.choice(np.array([0, 1, 128, 255], np.uint8), (height, width))
    return mask


def cut(pixels: Bytes, box: Box) -> Bytes:
    return pixels[box.top : box.top + box.height, box.left : box.left + box.width]


def asked(case: Case, **values: Any) -> Generation:
    """The run for a case; cases in which nothing may change are drawn again."""
    height, width = case.mask.shape
    there, shown = cut(case.mask, case.box), cut(case.picture, case.box)
    expands = case.intent is Intent.EXPAND and bool((shown[..., 3] < 255).any())
    masked = there.any() and case.intent is not Intent.EXPAND
    assume(masked or expands or METHODS[case.intent].whole)
    workflow = load(shipped("workflows") / f"{METHODS[case.intent].workflow}.json")
    source = Source(shown, case.box, (width, height))
    values["noise.seed"] = case.seed
    if case.intent is not Intent.EDIT:
        values["schedule.strength"] = case.strength
    return request(workflow, source, [Selection(there)], case.intent, values, 16)


def check_accepted(case: Case, generation: Generation, patch: Bytes) -> None:
    """Lay the patch on the canvas as accepting does, and look at every byte."""
    assert patch.shape == (case.box.height, case.box.width, 4)
    height, width = case.mask.shape
    below = Layer("picture", "Picture", LayerKind.PICTURE, Tiles.of(premultiplied(case.picture)))
    pixels = premultiplied(np.ascontiguousarray(patch))
    tiles = Tiles.of(pixels, case.box.left, case.box.top)
    above = Layer("new", "New", LayerKind.PAINT, tiles)
    whole = Box(0, 0, width, height)
    before, after = composite([below], whole), composite([below, above], whole)
    kept = np.ones(case.mask.shape, bool)
    cut(kept, case.box)[...] = generation.mask == 0
    assert np.array_equal(after[kept], before[kept])
    given = to_float(cut(case.mask, case.box))
    untouched = grow(given, METHODS[case.intent].grow) == 0
    if case.intent is not Intent.EXPAND and cut(case.mask, case.box).any():
        assert (generation.mask[untouched] == 0).all()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def session(home: Settings) -> Session:
    cache = ResultCache(MemoryTier(2**27), None, ValueCodec())
    networks = LoadedNetworks(Residency("cpu"))
    return Session(home, load_packs(home).node_types, cache, networks, torch.no_grad)


@pytest.fixture(scope="module")
def functions(session: Session) -> dict[str, Callable[..., Any]]:
    types = load_packs(session.settings).node_types
    return {
        name: types[f"canvas.{name}"].function for name in ("image", "mask", "prepare", "result")
    }


def with_any_picture(case: Case, functions: dict[str, Callable[..., Any]], folder: Path) -> None:
    """The canvas's nodes around a model that draws noise."""
    generation = asked(case)
    node = generation.document.node
    for name, data in generation.files.items():
        (folder / name).write_bytes(data)
    image, mask = (
        functions[kind](folder / node(kind).values["file"].removeprefix(ASSET))
        for kind in ("image", "mask")
    )
    model = describe(shipped("resources") / "models" / "nano").model
    how = Schedule("normal", 20, case.strength)
    seen = functions["prepare"](model, image.image, mask, how, Fill(node("prepare").values["fill"]))
    assert seen.image.width % 16 == seen.image.height % 16 == 0
    torch.manual_seed(case.seed)
    drawn = Image(torch.rand_like(seen.image.pixels))
    result = functions["result"](drawn, image.image, mask)
    check_accepted(case, generation, to_bytes(result.patch.pixels[0].numpy()))


def with_nano(case: Case, session: Session) -> None:
    """The whole workflow."""
    generation = asked(case, **{"schedule.steps": 4, "prompt.text": "a cat on a red background"})
    run(case, generation, session)


def with_editor(case: Case, session: Session, editor: Path) -> None:
    """The whole workflow of an edit, with a small random InstructPix2Pix."""
    values = {"schedule.steps": 1, "instruction.text": "make it night"}
    generation = asked(case, **values, **{"edit_model.file": str(editor)})
    run(case, generation, session, [str(editor)])


def run(case: Case, generation: Generation, session: Session, granted: Sequence[str] = ()) -> None:
    for data in generation.files.values():
        keep_bytes(data, ".png", session.settings)
    told: list[Any] = []
    asking = RunRequest(
        "run",
        targets=list(generation.results),
        assets=generation.document.assets,
        granted=list(granted),
    )
    results = session.run(generation.document.graph, asking, RunState(told.append))
    (name,) = generation.results
    assert name in results, told[-1]
    check_accepted(case, generation, to_bytes(results[name]["patch"].pixels[0].numpy()))


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_folder(tmp_path_factory.mktemp("editor"), edits=True)


MANY = {
    "deadline": None,
    "suppress_health_check": [*HealthCheck],
}


@settings(max_examples=50, **MANY)
@given(case=cases())
def test_bytes_stay_where_the_mask_is_0(case, functions, tmp_path):
    with_any_picture(case, functions, tmp_path)


@pytest.mark.slow
@settings(max_examples=500, **MANY)
@given(case=cases(largest=700))
def test_bytes_stay_in_500_cases(case, functions, tmp_path):
    with_any_picture(case, functions, tmp_path)


@settings(max_examples=3, **MANY)
@given(case=cases(smallest=64))
def test_bytes_stay_around_what_nano_draws(case, session):
    with_nano(case, session)


@settings(max_examples=50, **MANY)
@given(case=cases(largest=96, intents=[Intent.EDIT]))
def test_bytes_stay_where_an_edit_may_not_change(case, session, editor):
    with_editor(case, session, editor)


@pytest.mark.slow
@settings(max_examples=500, **MANY)
@given(case=cases(largest=300, intents=[Intent.EDIT]))
def test_bytes_stay_in_500_edits(case, session, editor):
    with_editor(case, session, editor)


@pytest.mark.slow
@settings(max_examples=40, **MANY)
@given(case=cases(smallest=32, largest=500))
def test_bytes_stay_around_what_nano_draws_in_40_cases(case, session):
    with_nano(case, session)
