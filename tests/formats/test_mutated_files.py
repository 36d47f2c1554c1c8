"""Mutated files: whatever is wrong with one, what is raised is an error of ours.

A short form runs each time; the long one, with `make test-all`, tries 50,000 inputs, with those of
`tests/test_mutated_stores.py`.
"""

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from nodeforge.engine.content.files import Files
from nodeforge.engine.planning.plan import default_targets, make_plan
from nodeforge.formats import comfyui, read
from nodeforge.graph.flatten import flatten
from nodeforge.imaging import read_text
from nodeforge.lint import lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue
from support.comfyui import text_to_image
from support.mutation import damaged, mutated, try_many

SHORT, LONG = 120, 3_600

WORKFLOWS = [json.loads(p.read_text()) for p in sorted(shipped("workflows").glob("*.json"))]
PICTURES = [path.read_bytes() for path in sorted((shipped("resources") / "examples").glob("*.png"))]
COMFYUI = [text_to_image().ui(), text_to_image().api()]
CATALOGUE = Catalogue.shipped()


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


@EACH
def test_mutated_files_raise_errors_of_ours_alone(kind: Callable[..., None], tmp_path: Path):
    try_many(partial(kind, Settings(home=tmp_path)), SHORT)


@pytest.mark.slow
@EACH
def test_many_mutated_files_raise_errors_of_ours_alone(kind: Callable[..., None], tmp_path: Path):
    try_many(partial(kind, Settings(home=tmp_path)), LONG)
