"""Forks processes that save and autosave without end, as a window does, until they are killed.

Run as ``python saving_process.py``: for each folder on a line of its input it forks one, and writes
its process number. Forking spares each the second that importing takes.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication

from nodeforge.canvas import Canvas, LayerKind, State, Tiles
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.edits.layers import new_layer, with_new
from nodeforge.formats.projects.bundle import Project
from nodeforge.graph.document import Document
from nodeforge.graph.edits import SetValue
from nodeforge.graph.model import Node
from nodeforge.settings import Settings
from nodeforge.ui.application.app import window_store
from nodeforge.ui.documents.autosave import Autosave
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.project_files import open_project_document
from nodeforge.ui.documents.workspace import Workspace

SIDE = 300


def numbered(number: int) -> Document:
    document = Document()
    document.graph.nodes["count"] = Node("values.text", {"text": str(number)})
    return document


def tiles(number: int) -> Tiles:
    """Noise in which the number is the first pixel."""
    pixels = np.random.default_rng(number).integers(0, 255, (SIDE, SIDE, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[0, 0, :3] = [number >> 16, number >> 8 & 255, number & 255]
    return Tiles.of(pixels)


def paint(canvas: Canvas, number: int) -> CanvasEdit:
    def work(state: State) -> State:
        return replace(state, layers=(replace(state.layers[0], tiles=tiles(number)),))

    return CanvasEdit(canvas, "paint", work)


def save_without_end(home: Path) -> None:
    """Count up in a workflow and a project; each is autosaved and saved, and then noted."""
    app = QCoreApplication([])
    workspace = Workspace(Settings(home=home), window_store(home))
    autosave = Autosave(workspace)
    state = State(SIDE, SIDE)
    state = with_new(state, new_layer(state, LayerKind.PAINT, tiles=tiles(0)))
    workflow = OpenDocument(numbered(0), None, "workflow")
    project = open_project_document(Project(numbered(0), state), None, "project")
    for opened in (workflow, project):
        workspace.add(opened)
    note = os.open(home / "noted", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    number = 0
    while True:
        number += 1
        for opened in (workflow, project):
            opened.perform(SetValue("count", "text", str(number)))
        assert project.canvas is not None
        project.perform(paint(project.canvas, number))
        autosave._write_all()
        os.write(note, b"autosaved workflow %d\n" % number)
        done = b"autosaved project %d\n" % number
        autosave._writer.submit(lambda done=done: os.write(note, done))
        workspace.save(workflow, home / "workflow.json")
        os.write(note, b"saved workflow %d\n" % number)
        workspace.save(project, home / "project.nforge")
        os.write(note, b"saved project %d\n" % number)
        app.processEvents()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                save_without_end(Path(line.strip()))
            finally:
                os._exit(1)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
