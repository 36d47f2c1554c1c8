"""Pictures of the real window, for the README: python -m tools.screenshots [FOLDER] [SCENE...]

Runs offscreen on a home of its own, with the shipped model.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtWidgets import QApplication

from nodeforge.canvas import LayerKind, Tiles, add_layer
from nodeforge.canvas.generation.intents import Intent
from nodeforge.engine.content.assets import keep_picture
from nodeforge.formats import load
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Paste, SetValue
from nodeforge.graph.model import Input, Node, Output
from nodeforge.settings import Settings, shipped
from nodeforge.ui.application.app import make_app, window_store
from nodeforge.ui.canvas_view.editor.canvas_editor import CanvasEditor
from nodeforge.ui.common import theme
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.window.main_window import MainWindow

SIZE = (1600, 1000)
PATIENCE = 60.0


class Stage:
    """A window on an empty home, and what a person does with it."""

    def __init__(self, app: QApplication, home: Path) -> None:
        os.environ["NODEFORGE_HOME"] = str(home)
        self.app = app
        workspace = Workspace(Settings(home=home), window_store(home))
        theme.apply(app, workspace.theme)
        self.window = MainWindow(workspace)
        self.window.resize(*SIZE)
        self.window.show()
        self.rest(0.5)

    def open(self, name: str) -> OpenDocument:
        self.window.files.open(shipped("workflows") / f"{name}.json")
        self.rest(0.5)
        current = self.window.workspace.current
        assert current is not None
        return current

    def run(self) -> None:
        self.window.run_menu.run()
        self.until(lambda: not self.window.runner.busy)
        self.rest(1.0)

    def until(self, done: Callable[[], bool]) -> None:
        """Go on until `done`; an error after a minute."""
        end = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > end:
                raise TimeoutError("the window did not get there")
            self.rest(0.05)

    def rest(self, seconds: float) -> None:
        """Let the window do what is due."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.005)

    def shoot(self, path: Path) -> None:
        self.rest(0.2)
        self.window.grab().save(str(path))

    def close(self) -> None:
        self.window.runner.stop()  # the window would ask about a run in hand, and nobody answers
        self.until(lambda: not self.window.runner.busy)
        for opened in self.window.workspace.documents:
            opened.mark_saved()
        self.window.close()


def start(stage: Stage) -> None:
    """The start page."""


def dark(stage: Stage) -> None:
    """A workflow that has run, its steps, its picture."""
    stage.open("text_to_image")
    stage.run()
    assert stage.window.area.view is not None
    stage.window.area.view.select(["denoise"])
    stage.until(stage.window.viewer.slider.isVisible)


def light(stage: Stage) -> None:
    stage.window.switch_theme()
    dark(stage)


def running(stage: Stage) -> None:
    """In the middle of a run, with the preview of a step."""
    opened = stage.open("text_to_image")
    opened.perform(SetValue("schedule", "steps", 60))
    opened.perform(SetValue("noise", "seed", 11))
    stage.window.run_menu.run()
    stage.until(lambda: len(opened.step_pictures.get("denoise", {})) > 20)


def error(stage: Stage) -> None:
    """A node that failed, with what it was given and what to do."""
    document = Document()
    fox = shipped("resources") / "examples" / "fox.png"
    document.assets["fox.png"] = keep_picture(fox, stage.window.workspace.settings)
    graph, places = document.graph, document.view.positions
    graph.nodes["load"] = Node("image.load", {"file": "asset:fox.png"})
    graph.nodes["smaller"] = Node("image.resize", {"width": 96, "height": 128})
    graph.nodes["blend"] = Node("image.blend", {"opacity": 0.5})
    graph.nodes["save"] = Node("image.save")
    for end, start in (
        ("smaller.image", "load"),
        ("blend.base", "load"),
        ("blend.over", "smaller"),
        ("save.image", "blend"),
    ):
        node, _, port = end.partition(".")
        graph.links[Input(node, port)] = Output(start, "image")
    for name, place in (("load", 0), ("smaller", 300), ("blend", 600), ("save", 900)):
        places[name] = [place, 160 if name == "smaller" else 0]
    stage.window.workspace.add(OpenDocument(document, name="blend"))
    stage.run()
    assert stage.window.area.view is not None
    stage.window.area.view.zoom_all()
    stage.window.area.view.select(["blend"])


def many(stage: Stage) -> None:
    """300 nodes: thirty times the same workflow."""
    whole = load(shipped("workflows") / "text_to_image.json")
    document = Document()
    for index in range(30):
        place = (index % 6 * 1480.0, index // 6 * 1080.0)
        document.perform(Paste(whole, offset=place))
    document.history.mark_saved()
    stage.window.workspace.add(OpenDocument(document, name="three_hundred"))
    stage.rest(2.0)


def _fox_on_canvas(stage: Stage) -> CanvasEditor:
    stage.window.workspace.new()
    stage.window.area.show_view("canvas")
    tab = stage.window.area.canvas
    assert tab is not None
    tab.import_picture(shipped("resources") / "examples" / "fox.png", "fox.png")
    stage.until(lambda: tab.editor is not None and bool(tab.editor.session.canvas.layers))
    assert tab.editor is not None
    return tab.editor


def _generate(stage: Stage, editor: CanvasEditor, values: dict[str, object]) -> None:
    editor.form.seed_mode = "fixed"
    for name, value in values.items():
        editor.form.set(name, value)
    editor.generator.generate()
    stage.until(lambda: not editor.generator.busy)


def canvas(stage: Stage) -> None:
    """A fox whose face was masked, with what could be there instead."""
    editor = _fox_on_canvas(stage)
    mask = Tiles.of(np.full((216, 208), 255, np.uint8), 24, 16)
    session = editor.session
    session.perform(add_layer(session.canvas, LayerKind.MASK, "Face", tiles=mask))
    values = {"prompt.text": "a cat on a blue background", "noise.seed": 4, "noise.batch": 4}
    _generate(stage, editor, values)
    editor.staging.select(1)
    editor.staging_bar.split.setValue(58)
    editor.view.fit()


def edit(stage: Stage) -> None:
    """A fox that became a cat by an instruction, beside what it was."""
    editor = _fox_on_canvas(stage)
    editor.form.choose_intent(Intent.EDIT)
    values = {"instruction.text": "turn the fox into a cat", "noise.seed": 1, "noise.batch": 4}
    _generate(stage, editor, values)
    editor.staging.select(0)
    editor.staging_bar.split.setValue(50)
    editor.view.fit()


def edit_light(stage: Stage) -> None:
    stage.window.switch_theme()
    edit(stage)


def form(stage: Stage) -> None:
    """Pictures made by the form alone."""
    opened = stage.open("lora_style")
    stage.window.area.show_view("form")
    for seed, prompt in ((5, "a castle"), (7, "a dog"), (3, "a fox")):
        opened.perform(SetValue("prompt", "text", prompt))
        opened.perform(SetValue("noise", "seed", seed))
        stage.run()


def form_light(stage: Stage) -> None:
    stage.window.switch_theme()
    form(stage)


SCENES = {
    "start": start,
    "dark": dark,
    "light": light,
    "running": running,
    "error": error,
    "many": many,
    "canvas": canvas,
    "edit": edit,
    "edit_light": edit_light,
    "form": form,
    "form_light": form_light,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/images"))
    parser.add_argument("scenes", nargs="*", default=list(SCENES))
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    app = make_app()
    for scene in wanted.scenes:
        with tempfile.TemporaryDirectory() as home:
            stage = Stage(app, Path(home))
            SCENES[scene](stage)
            stage.shoot(wanted.folder / f"{scene}.png")
            stage.close()


if __name__ == "__main__":
    main()
