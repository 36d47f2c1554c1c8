"""The file of the words that a model knows."""

import json
from pathlib import Path

import numpy as np
from transformers import CLIPTokenizer

from tools.nano.captions import caption
from tools.nano.changes import random_edit
from tools.nano.instructions import instruction
from tools.nano.scenes import random_scene
from tools.nano.vocabulary import FILE, save_vocabulary, vocabulary


def known_words(known):
    rows = [known["colours"], known["styles"], known["words"]]
    things = [name for word, names in known["things"].items() for name in (word, *names)]
    return {word for row in (*rows, things) for text in row for word in text.split()}


def words_of(texts):
    return {word for text in texts for word in text.replace(",", " ").split()}


def test_every_word_of_a_caption_is_known(concepts):
    rng = np.random.default_rng(0)
    told = [caption(random_scene(concepts, "3d", rng), rng) for _ in range(500)]
    assert words_of(told) <= known_words(vocabulary(concepts, ("3d", "flat")))


def test_every_word_of_an_edit_is_known_where_edits_are(concepts):
    rng = np.random.default_rng(0)
    told = words_of(instruction(random_edit(concepts, "3d", rng), rng) for _ in range(500))
    assert told <= known_words(vocabulary(concepts, ("3d",), edits=True))
    assert not told <= known_words(vocabulary(concepts, ("3d",)))


def test_a_model_that_neither_moves_nor_edits_names_no_such_words(concepts):
    known = vocabulary(concepts, ("3d",))
    assert known["moves"] == known["edits"] == []
    assert known["things"]["ball"] == ["sphere"]
    assert "on the left" in known["places"]
    assert "moving to the left" in vocabulary(concepts, ("3d",), moves=True)["moves"]


def test_the_file_is_json_beside_the_model(concepts, tmp_path):
    known = vocabulary(concepts, ("3d",), moves=True, edits=True)
    save_vocabulary(known, tmp_path)
    assert json.loads((tmp_path / FILE).read_text("utf-8")) == known


def test_the_shipped_model_has_a_token_for_every_word_of_its_file():
    model = Path(__file__).parents[3] / "resources" / "models" / "nano"
    known = json.loads((model / FILE).read_text("utf-8"))
    tokenizer = CLIPTokenizer.from_pretrained(model / "tokenizer")
    texts = [*known["things"], *known["colours"], *known["places"]]
    assert len(known["things"]) == 101
    for text in texts:
        assert len(tokenizer.tokenize(text)) == len(text.split()), text
