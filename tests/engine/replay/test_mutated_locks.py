"""Mutated locks are judged, or refused by an error of ours."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from nodeforge.engine.replay.replaying import (
    missing_packs,
    picture_again,
    read_picture,
    replay_request,
)
from nodeforge.engine.replay.verdict import judge
from nodeforge.formats.pictures import texts_of_file
from nodeforge.imaging import encode
from nodeforge.imaging.picture_files.encode import PictureFormat
from nodeforge.spec import Catalogue
from nodeforge.values.picture_lock import LOCK, deflated
from support.mutation import Attempt, damaged, mutated, try_many
from support.studio import Studio

SHORT, LONG = 80, 5_000


def locks(studio: Studio, folder: Path) -> Attempt:
    """Everything that a replay does beside the run, on a picture whose lock is mutated."""
    picture, again = folder / "p.png", studio.pictures[0]
    texts, catalogue = texts_of_file(again), Catalogue.shipped()
    pixels = np.full((64, 64, 3), 9, np.uint8)

    def attempt(chance: random.Random) -> None:
        lock = json.dumps(mutated(json.loads(texts[LOCK]), chance, chance.choice((1, 2, 5))))
        if chance.random() < 0.5:
            lock = deflated({LOCK: lock})[LOCK]
            lock = damaged(lock.encode(), chance, chance.choice((0, 1, 5))).decode("latin-1")
        picture.write_bytes(encode(pixels, PictureFormat.PNG, {**texts, LOCK: lock}))
        told = [*judge(picture, again, catalogue).lines()]
        assert all(told)
        document, found = read_picture(picture)
        assert all(map(str, missing_packs(found, studio.settings)))
        replay_request(document, found, catalogue, studio.settings, run="r", outputs=folder)
        picture_again(found, [again])

    return attempt


def test_mutated_locks_raise_errors_of_ours_alone(furnished: Studio, tmp_path: Path):
    try_many(locks(furnished, tmp_path), SHORT)


@pytest.mark.slow
def test_many_mutated_locks_raise_errors_of_ours_alone(furnished: Studio, tmp_path: Path):
    try_many(locks(furnished, tmp_path), LONG)
