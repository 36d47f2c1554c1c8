"""Page of one document: its graph view, and its canvas, created when it is first shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from nodeforge.ui.common.icons import icon

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view import CanvasTab
    from nodeforge.ui.graph_view import GraphView


def require_room_for(shown: QWidget | None, pages: Iterable[QWidget | None]) -> None:
    """Let only the shown one of stacked pages ask for room: the others must not enlarge it."""
    for page in pages:
        policy = QSizePolicy.Policy.Preferred if page is shown else QSizePolicy.Policy.Ignored
        if page is not None:
            page.setSizePolicy(policy, policy)


class DocumentPage(QStackedWidget):
    """Shows the graph or the canvas of one document.

    Args:
        make_canvas: Creates the canvas tab.
    """

    def __init__(self, graph: GraphView, make_canvas: Callable[[], CanvasTab]) -> None:
        super().__init__()
        self._make_canvas = make_canvas
        self.graph = graph
        self.canvas: CanvasTab | None = None
        self.currentChanged.connect(self._require_room)
        self.addWidget(graph)

    @property
    def shows_canvas(self) -> bool:
        return self.canvas is not None and self.currentWidget() is self.canvas

    def show_canvas(self) -> None:
        if self.canvas is None:
            self.canvas = self._make_canvas()
            self.addWidget(self.canvas)
        self.setCurrentWidget(self.canvas)
        self.canvas.setFocus()

    def show_graph(self) -> None:
        self.setCurrentWidget(self.graph)
        self.graph.setFocus()

    def _require_room(self) -> None:
        require_room_for(self.currentWidget(), map(self.widget, range(self.count())))

    def change_graph(self, graph: GraphView) -> None:
        """Replace the graph view."""
        shown = self.currentWidget() is self.graph
        self.removeWidget(self.graph)
        self.graph.discard()
        self.graph = graph
        self.insertWidget(0, graph)
        if shown:
            self.setCurrentWidget(graph)

    def discard(self) -> None:
        """Close the canvas, and delete the page with both views."""
        self.graph.discard()
        if self.canvas is not None:
            self.canvas.close_tab()
        self.deleteLater()


class ViewSwitch(QWidget):
    """Buttons beside the tabs that switch between graph and canvas."""

    chosen = Signal(str)
    """``graph`` or ``canvas``."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 8, 0)
        row.setSpacing(2)
        group = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        for name, text, picture, keys in (
            ("graph", "Graph", "tree-structure", "Ctrl+1"),
            ("canvas", "Canvas", "paint-brush", "Ctrl+2"),
        ):
            button = QToolButton(checkable=True, text=text)
            button.setIcon(icon(picture))
            button.setIconSize(QSize(16, 16))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setToolTip(f"Show the {name} ({keys})")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            group.addButton(button)
            row.addWidget(button)
            self.buttons[name] = button

    def show_view(self, name: str) -> None:
        self.buttons[name].setChecked(True)
