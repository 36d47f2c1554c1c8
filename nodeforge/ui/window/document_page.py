"""Page of one document: its graph view, and canvas and form, created when first shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from nodeforge.ui.common.icons import icon
from nodeforge.ui.inspector.port_row import dragged_input

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view import CanvasTab
    from nodeforge.ui.form_view import FormView
    from nodeforge.ui.graph_view import GraphView


VIEWS = (
    ("graph", "Graph", "Ctrl+1", "tree-structure"),
    ("canvas", "Canvas", "Ctrl+2", "paint-brush"),
    ("form", "Form", "Ctrl+3", "list-dashes"),
)
"""Name, title, keys and icon of each view of a document."""


def require_room_for(shown: QWidget | None, pages: Iterable[QWidget | None]) -> None:
    """Let only the shown one of stacked pages ask for room: the others must not enlarge it."""
    for page in pages:
        policy = QSizePolicy.Policy.Preferred if page is shown else QSizePolicy.Policy.Ignored
        if page is not None:
            page.setSizePolicy(policy, policy)


class DocumentPage(QStackedWidget):
    """Shows the graph, the canvas or the form of one document.

    Args:
        make_canvas: Creates the canvas tab.
        make_form: Creates the form view.
    """

    def __init__(
        self,
        graph: GraphView,
        make_canvas: Callable[[], CanvasTab],
        make_form: Callable[[], FormView],
    ) -> None:
        super().__init__()
        self._make_canvas, self._make_form = make_canvas, make_form
        self.graph = graph
        self.canvas: CanvasTab | None = None
        self.form: FormView | None = None
        self.currentChanged.connect(self._require_room)
        self.addWidget(graph)

    @property
    def shown(self) -> str:
        """Which view is in front: ``graph``, ``canvas`` or ``form``."""
        views = {"canvas": self.canvas, "form": self.form}
        current = self.currentWidget()
        return next((name for name, view in views.items() if view is current), "graph")

    def show_canvas(self) -> None:
        if self.canvas is None:
            self.canvas = self._make_canvas()
            self.addWidget(self.canvas)
        self.setCurrentWidget(self.canvas)
        self.canvas.setFocus()

    def show_form(self) -> None:
        if self.form is None:
            self.form = self._make_form()
            self.addWidget(self.form)
        self.setCurrentWidget(self.form)
        self.form.setFocus()

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
        """Close the canvas, and delete the page with all views."""
        self.graph.discard()
        if self.canvas is not None:
            self.canvas.close_tab()
        if self.form is not None:
            self.form.close_view()
        self.deleteLater()


class FormButton(QToolButton):
    """Shows the form; an input that is dropped on it comes onto the form."""

    input_dropped = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if dragged_input(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        if key := dragged_input(event.mimeData()):
            event.acceptProposedAction()
            self.input_dropped.emit(key)


class ViewSwitch(QWidget):
    """Buttons beside the tabs that switch between graph, canvas and form."""

    chosen = Signal(str)
    """``graph``, ``canvas`` or ``form``."""
    input_dropped = Signal(str)
    """The input, ``path.port``, that was dropped on *Form*."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 8, 0)
        row.setSpacing(2)
        group = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        for name, text, keys, picture in VIEWS:
            button = FormButton() if name == "form" else QToolButton()
            button.setCheckable(True)
            button.setText(text)
            button.setIcon(icon(picture))
            button.setIconSize(QSize(16, 16))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setToolTip(f"Show the {name} ({keys})")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            group.addButton(button)
            row.addWidget(button)
            self.buttons[name] = button
            if isinstance(button, FormButton):
                button.input_dropped.connect(self.input_dropped)

    def show_view(self, name: str) -> None:
        self.buttons[name].setChecked(True)
