"""All pictures of a result go to the canvas as layers."""

from pathlib import Path

import numpy as np

from nodeforge.engine.content.assets import keep_picture
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.imaging import PictureFormat, encode
from nodeforge.ui.documents.open_document import OpenDocument
from support.processes import ForkedWorker
from tests.ui.running.test_runner import run

LONG = 240_000


def clear(seed: int) -> np.ndarray:
    """A picture of 64 x 48 with alpha."""
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 4), np.uint8)


def batch(settings, folder: Path) -> OpenDocument:
    """Two pictures as one batch, which nothing saves."""
    document = Document()
    graph = document.graph
    for number in range(2):
        path = folder / f"{number}.png"
        path.write_bytes(encode(clear(number), PictureFormat.PNG))
        document.assets[path.name] = keep_picture(path, settings)
        graph.nodes[f"load_{number}"] = Node("image.load", {"file": f"asset:{path.name}"})
        graph.links[Input("batch", "images", number)] = Output(f"load_{number}", "image")
    graph.nodes["batch"] = Node("image.batch")
    graph.nodes["preview"] = Node("image.preview")
    graph.links[Input("preview", "image")] = Output("batch", "image")
    return OpenDocument(document, name="layers")


def test_a_batch_comes_as_the_layers_of_a_group_with_their_alpha(qtbot, open_window, tmp_path):
    window = open_window(ForkedWorker)
    opened = batch(window.workspace.settings, tmp_path)
    window.workspace.add(opened)
    run(qtbot, window)
    qtbot.waitUntil(lambda: "batch" in opened.pictures, timeout=LONG)
    window.area.view.select(["batch"])
    window.commands.run("canvas.bring_layers")
    qtbot.waitUntil(lambda: opened.canvas is not None and len(opened.canvas.layers) == 3)
    first, second, group = opened.canvas.layers
    assert group.is_group
    assert group.name == "layers Batch images"
    for number, layer in enumerate((first, second)):
        assert layer.group == group.id
        assert np.array_equal(layer.read(opened.canvas.box)[..., 3], clear(number)[..., 3])
