"""Copy and paste of nodes; the clipboard holds workflow JSON, as in a file."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QMimeData, QPointF
from PySide6.QtGui import QGuiApplication

from nodeforge.errors import RequestError
from nodeforge.formats import read, write
from nodeforge.graph.changes import ABSENT
from nodeforge.graph.document import Document
from nodeforge.graph.edits import GraphEdit, Paste, SetEntry, Together, extract
from nodeforge.graph.upgrade import upgrade
from nodeforge.ui.graph_view.items.frame_item import FrameItem, entry_with, free_key, rect_of
from nodeforge.ui.graph_view.session import GraphSession

WORKFLOW_MIME = "application/x-nodeforge-workflow"


def selected_fragment(session: GraphSession) -> Document | None:
    """The selection as a document; None if nothing is selected."""
    paths = session.selected_paths()
    frames = [item for item in session.selected_items() if isinstance(item, FrameItem)]
    if not paths and not frames:
        return None
    made = extract(session.document, paths) if paths else Document()
    cut = len(session.graph_path) + 1 if session.graph_path else 0
    for path in paths:
        node_item = session.scene.node_items[path]
        made.view.positions[path[cut:]] = [node_item.pos().x(), node_item.pos().y()]
    for frame in frames:
        made.table(frame.table)[frame.path[cut:]] = frame.entry
    return made


def copy_to_clipboard(document: Document) -> None:
    """Copy a document to the clipboard, as text and with our MIME type."""
    text = write(document).decode("utf-8")
    mime = QMimeData()
    mime.setText(text)
    mime.setData(WORKFLOW_MIME, text.encode("utf-8"))
    QGuiApplication.clipboard().setMimeData(mime)


def read_clipboard() -> Document:
    """Read the workflow on the clipboard.

    Raises:
        RequestError: there is none.
    """
    text = QGuiApplication.clipboard().text()
    if not text.lstrip().startswith("{"):
        raise RequestError(
            "the clipboard holds no workflow.", way_out="Copy nodes, or a workflow's JSON."
        )
    return read(text, "clipboard")


def paste_into(
    session: GraphSession,
    fragment: Document,
    offset: tuple[float, float],
    *,
    keep_inputs: bool,
    what: str,
) -> list[str]:
    """Paste a fragment into the shown graph as one undo step; returns the node paths."""
    upgrade(fragment, session.catalogue)
    paste = Paste(fragment, session.graph_path, offset, keep_inputs)
    edits: list[GraphEdit] = [paste, *_frames(session, fragment, offset)]
    edit = paste if len(edits) == 1 and not what else Together(what or "paste", edits)
    if not session.perform(edit):
        return []
    session.select_paths(paste.paths)
    session.reveal(paste.paths)
    return paste.paths


def _frames(
    session: GraphSession, fragment: Document, offset: tuple[float, float]
) -> list[GraphEdit]:
    edits: list[GraphEdit] = []
    for table in ("backdrops", "notes"):
        taken = set(session.document.table(table))
        for key, entry in fragment.table(table).items():
            if "/" in key:
                continue
            new = free_key(taken, session.graph_path, table)
            taken.add(new)
            moved = entry_with(entry, rect_of(entry).translated(*offset))
            edits.append(SetEntry(table, new, moved))
    return edits


def corner(fragment: Document) -> QPointF:
    """The upper left corner of the nodes and frames of `fragment`."""
    tops = [place for path, place in fragment.view.positions.items() if "/" not in path]
    for table in (fragment.view.backdrops, fragment.view.notes):
        tops += [[rect_of(entry).x(), rect_of(entry).y()] for entry in table.values()]
    if not tops:
        return QPointF()
    return QPointF(min(place[0] for place in tops), min(place[1] for place in tops))


def remove_frames(frames: Collection[FrameItem]) -> list[GraphEdit]:
    """The edits that remove frames."""
    return [SetEntry(frame.table, frame.path, ABSENT) for frame in frames]
