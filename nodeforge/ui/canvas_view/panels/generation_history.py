"""The generation history: restores settings or opens workflows of accepted generations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QMenu, QToolButton

from nodeforge.errors import NodeForgeError
from nodeforge.formats import document_from_json
from nodeforge.ui.canvas_view.generation.generation_form import GenerationForm
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace

_SHOWN = 20


class GenerationHistoryButton(QToolButton):
    """A button whose menu lists accepted generations, newest first."""

    def __init__(self, session: CanvasSession, form: GenerationForm, workspace: Workspace) -> None:
        super().__init__()
        self._session, self._form, self._workspace = session, form, workspace
        self.setIcon(icon("clock-counter-clockwise"))
        self.setToolTip("Accepted generations: use their settings or open their workflow")
        self.setAccessibleName("Earlier generations")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill)
        self.setMenu(self._menu)

    def fill(self) -> None:
        """Fill the menu."""
        self._menu.clear()
        records = self._session.opened.generations[: -_SHOWN - 1 : -1]
        if not records:
            self._menu.addAction("No generations accepted yet").setEnabled(False)
        for record in records:
            entry = self._menu.addMenu(label_of(record))
            entry.addAction("Use settings", lambda r=record: self._form.restore(r))
            entry.addAction("Open workflow", lambda r=record: self._open(r))

    def _open(self, record: Mapping[str, Any]) -> None:
        try:
            document = document_from_json(record.get("workflow"))
        except NodeForgeError as error:
            self._session.status_message.emit(str(error))
            return
        self._workspace.add(OpenDocument(document, name=label_of(record)))


def label_of(record: Mapping[str, Any]) -> str:
    """A short description of a generation: ``a cat · fill · seed 7``."""
    values = record.get("values")
    values = values if isinstance(values, dict) else {}
    prompt = " ".join(str(values.get("prompt.text", "")).split())
    seed = values.get("noise.seed")
    about = [prompt[:40] or "no prompt", str(record.get("intent", ""))]
    about += [] if seed is None else [f"seed {seed}"]
    return " · ".join(filter(None, about))
