"""Three small drawn things stand for the packages' pictures: no test downloads anything."""

import numpy as np
import pytest

from tools.nano.concepts import Concept
from tools.nano.pictures import SIZE, Pictures, encode, save_pictures


def disc(colour, radius):
    """A disc on nothing, with a dark bar on its left: it differs from its mirror image."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    picture[x**2 + y**2 < radius**2] = (*colour, 255)
    picture[(np.abs(y) < 20) & (x > -radius) & (x < -radius / 3)] = (20, 20, 20, 255)
    return picture


@pytest.fixture
def concepts():
    return [
        Concept("ball", ("ball", "sphere")),
        Concept("owl", ("owl",)),
        Concept("moon", ("moon", "crescent moon"), may_flip=False),
    ]


@pytest.fixture
def styles(concepts):
    colours = {"3d": [(200, 40, 40), (40, 200, 40), (220, 220, 90)], "flat": [(90, 0, 0)] * 3}
    codes = tuple(concept.code for concept in concepts)
    return {
        style: Pictures(codes, np.stack([disc(c, 60 + 20 * i) for i, c in enumerate(row)]))
        for style, row in colours.items()
    }


@pytest.fixture
def run_folder(tmp_path, concepts, styles):
    """A folder as the data step leaves it."""
    from tools.nano.data import save_concepts

    save_concepts(concepts, tmp_path / "data")
    for style, pictures in styles.items():
        packed = {code: encode(pictures[code]) for code in pictures.codes}
        save_pictures(packed, tmp_path / "data" / f"{style}.zip")
    return tmp_path
