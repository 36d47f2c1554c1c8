"""Converts between open documents and projects (a workflow with its canvas)."""

from __future__ import annotations

from pathlib import Path

from nodeforge.canvas import Canvas
from nodeforge.formats.projects.bundle import SUFFIX, Project
from nodeforge.ui.documents.open_document import OpenDocument

__all__ = ["SUFFIX", "open_project_document", "project_of"]


def project_of(opened: OpenDocument) -> Project:
    """The project to save for a document."""
    canvas = opened.canvas
    return Project(
        opened.document,
        canvas.state if canvas is not None else None,
        list(opened.generations),
        dict(opened.project_extra),
    )


def open_project_document(
    project: Project, path: Path | None, name: str, *, recovered: bool = False
) -> OpenDocument:
    """An open document made from a project."""
    opened = OpenDocument(project.document, path, name, recovered=recovered)
    opened.generations = list(project.generations)
    opened.project_extra = dict(project.extra)
    if project.canvas is not None:
        opened.set_canvas(Canvas(project.canvas))
    return opened
