"""The breadcrumb of nested subgraphs; a click opens an outer graph."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from nodeforge.graph.paths import ancestors
from nodeforge.ui.graph_view.session import GraphSession


class Breadcrumb(QWidget):
    """Breadcrumb bar; hidden at the root graph."""

    def __init__(self, session: GraphSession, go: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._go = session, go
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 4, 8, 4)
        self._row.setSpacing(4)
        session.opened.connect(self.show_path)
        self.show_path(session.graph_path)

    def show_path(self, path: str) -> None:
        """Show the path to a subgraph."""
        while (item := self._row.takeAt(0)) is not None:
            if widget := item.widget():
                widget.deleteLater()
        self.setVisible(bool(path))
        if not path:
            return
        self._add("Workflow", "", last=False)
        for step in ancestors(path):
            self._row.addWidget(QLabel("›", self))
            node = self._session.document.node(step)
            name = step.rpartition("/")[2].replace("_", " ").capitalize()
            self._add(node.title or name, step, last=step == path)
        self._row.addStretch(1)

    def _add(self, text: str, path: str, *, last: bool) -> None:
        button = QToolButton(self)
        button.setText(text)
        button.setEnabled(not last)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda _=False: self._go(path))
        self._row.addWidget(button)
