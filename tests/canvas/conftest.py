"""Small canvases with something on them."""

import numpy as np
import pytest

from nodeforge.canvas import Canvas, LayerKind, State, Tiles, add_layer
from nodeforge.graph.document import Document
from support.noise import noise


@pytest.fixture
def document():
    return Document()


@pytest.fixture
def painted(document):
    """A canvas of 400 x 300 with a picture, a paint layer above, and a mask on top."""

    def make(width=400, height=300):
        canvas = Canvas(State(width, height))
        picture = Tiles.of(noise(height, width, 1, opaque=True))
        document.perform(add_layer(canvas, LayerKind.PICTURE, tiles=picture))
        document.perform(add_layer(canvas, tiles=Tiles.of(noise(100, 130, 2), 200, 120)))
        blob = np.random.default_rng(3).integers(0, 256, (50, 60), dtype=np.uint8)
        document.perform(add_layer(canvas, LayerKind.MASK, tiles=Tiles.of(blob, 10, 20)))
        return canvas

    return make
