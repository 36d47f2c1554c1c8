"""Mutated files: whatever is wrong with one, what is raised is an error of ours.

A short form runs each time; the long one, with `make test-all`, tries 50,000 files.
"""

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nodeforge.engine.files import Files
from nodeforge.engine.plan import default_targets, make_plan
from nodeforge.errors import NodeForgeError
from nodeforge.formats import comfyui, read
from nodeforge.graph.flatten import flatten
from nodeforge.imaging import read_text
from nodeforge.lint import lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue
from support.comfyui import text_to_image

SHORT, LONG = 120, 12_500
ODD = (
    *("null", "true", "-1", "0", "1e308", "1" + "0" * 30, "5.0", '""', '"\\u0000"', '"../x"'),
    *("[]", "{}", "[[]]", '{"a":{}}', json.dumps("a" * 300), json.dumps("é" * 200)),
)
"""Values in JSON that are seldom the right ones."""

WORKFLOWS = [json.loads(p.read_text()) for p in sorted(shipped("workflows").glob("*.json"))]
PICTURES = [path.read_bytes() for path in sorted((shipped("resources") / "examples").glob("*.png"))]
COMFYUI = [text_to_image().ui(), text_to_image().api()]
CATALOGUE = Catalogue.shipped()


def mutated(raw: Any, chance: random.Random, times: int) -> Any:
    """A copy of JSON values in which some are replaced or renamed, at any depth."""
    made = json.loads(json.dumps(raw))
    for _ in range(times):
        place = made
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key: Any = chance.choice(keys)
            if isinstance(place[key], dict | list) and chance.random() < 0.65:
                place = place[key]
                continue
            if isinstance(place, dict) and chance.random() < 0.2:
                place[chance.choice(["x", f"{key}_", ""])] = place.pop(key)
            else:
                place[key] = json.loads(chance.choice(ODD))
            break
    return made


def damaged(data: bytes, chance: random.Random, times: int, within: int) -> bytes:
    """`data` with some bytes of its first `within` replaced."""
    made = bytearray(data)
    for _ in range(times):
        made[chance.randrange(min(len(made), within))] = chance.randrange(256)
    return bytes(made)


def open_lint_and_plan(settings: Settings, chance: random.Random) -> None:
    raw = mutated(chance.choice(WORKFLOWS), chance, chance.choice((1, 2, 5)))
    document = read(json.dumps(raw))
    list(lint(document, CATALOGUE, ModelFolders(settings)))
    flat = flatten(document.graph, CATALOGUE)
    make_plan(flat, default_targets(flat), Files(settings, document.assets), "numerics")


def import_from_comfyui(settings: Settings, chance: random.Random) -> None:
    raw = mutated(chance.choice(COMFYUI), chance, chance.choice((1, 2, 5)))
    made = comfyui.convert(comfyui.from_json(raw), CATALOGUE)
    list(made.report.lines())
    list(lint(made.document, CATALOGUE, ModelFolders(settings)))


def read_texts_of_a_picture(_: Settings, chance: random.Random) -> None:
    read_text(damaged(chance.choice(PICTURES), chance, chance.choice((1, 5, 50)), 4000))


def read_damaged_json(_: Settings, chance: random.Random) -> None:
    data = json.dumps(chance.choice(WORKFLOWS)).encode()
    read(damaged(data, chance, chance.choice((1, 3)), len(data)))


KINDS = (open_lint_and_plan, import_from_comfyui, read_texts_of_a_picture, read_damaged_json)
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def try_many(kind: Callable[..., None], settings: Settings, count: int) -> None:
    for seed in range(count):
        attempt = partial(kind, settings, random.Random(seed))
        try:
            attempt()
        except NodeForgeError:
            continue
        except Exception as error:
            raise AssertionError(f"{kind.__name__}, seed {seed}") from error


@EACH
def test_mutated_files_raise_errors_of_ours_alone(kind: Callable[..., None], tmp_path: Path):
    try_many(kind, Settings(home=tmp_path), SHORT)


@pytest.mark.slow
@EACH
def test_50_000_mutated_files_raise_errors_of_ours_alone(kind: Callable[..., None], tmp_path: Path):
    try_many(kind, Settings(home=tmp_path), LONG)
