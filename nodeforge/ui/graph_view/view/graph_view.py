"""The graph view widget: shows and edits the graph of one document."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from nodeforge.graph.document import Document
from nodeforge.spec import Catalogue
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.documents.node_problems import NodeProblems
from nodeforge.ui.graph_view.commands.graph_commands import GraphCommands
from nodeforge.ui.graph_view.commands.layout_commands import LayoutCommands
from nodeforge.ui.graph_view.commands.node_search import NodeSearch
from nodeforge.ui.graph_view.interaction.inline_editor import InlineEditor
from nodeforge.ui.graph_view.interaction.input_handler import GraphInputHandler
from nodeforge.ui.graph_view.items.frame_item import FrameItem
from nodeforge.ui.graph_view.items.link_item import LinkStyle
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.pens import Pens
from nodeforge.ui.graph_view.items.status_icons import NodeState
from nodeforge.ui.graph_view.scene import image_export
from nodeforge.ui.graph_view.session import GraphSession
from nodeforge.ui.graph_view.view.breadcrumb import Breadcrumb
from nodeforge.ui.graph_view.view.minimap import Minimap
from nodeforge.ui.library.node_use import NodeUse
from nodeforge.ui.library.saved_subgraphs import SavedSubgraphs

EDGE = 12
MAPPED = QSize(560, 440)
"""The smallest view, in pixels, that shows the minimap: in a smaller one it covers nodes."""
EMPTY = "Press Tab or double-click to add a node, or drop a workflow here."
REFUSAL = 4000
"""Milliseconds for which a refusal is shown near the mouse."""


class GraphView(GraphCommands, LayoutCommands, QWidget):
    """Shows the graph at `path` of a document; changes it by edits."""

    selected = Signal(list)
    """Paths of the selected nodes, as in the document (``group/denoise``)."""
    opened = Signal(str)
    """The path of the shown subgraph."""
    refused = Signal(str)
    """Why an edit was refused, for the status bar."""
    menu_requested = Signal(object)
    """A `MenuRequest`; its item is already selected."""

    def __init__(
        self,
        document: Document,
        catalogue: Catalogue,
        theme: Theme,
        parent: QWidget | None = None,
        node_use: NodeUse | None = None,
        saved_subgraphs: SavedSubgraphs | None = None,
    ) -> None:
        QWidget.__init__(self, parent)
        self.session = session = GraphSession(document, catalogue, theme, node_use, saved_subgraphs)
        self.input_handler = GraphInputHandler(session, self._keys())
        self.inline_editor = InlineEditor(session)
        self._bar = Breadcrumb(session, self._go, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._bar)
        layout.addWidget(session.viewer)
        self.setFocusProxy(session.viewer)
        self.node_search = NodeSearch(session, session.viewer)
        self.minimap = Minimap(session, session.viewer)
        self._hint = QLabel(session.viewer)
        self._hint.hide()
        self._hint_timer = QTimer(self)
        self._hint_timer.setSingleShot(True)
        self._hint_timer.setInterval(REFUSAL)
        self._hint_timer.timeout.connect(self._hint.hide)
        self._empty = QLabel(EMPTY, session.viewer, alignment=Qt.AlignmentFlag.AlignCenter)
        self._empty.setProperty("role", "empty")
        self._empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._connect()
        self._show_empty_text()
        self._fitted: tuple[float, QPointF] | None = None
        """Zoom and scroll position as the view was fitted last; None before it is shown."""

    def _connect(self) -> None:
        session, input_handler = self.session, self.input_handler
        session.selection_changed.connect(lambda: self.selected.emit(self.selection()))
        session.opened.connect(self.opened)
        session.refused.connect(self.refused)
        session.refused.connect(self._show_refusal)
        session.hint_changed.connect(self._show_hint)
        session.viewer.view_changed.connect(self._place_minimap)
        session.opened.connect(self._show_empty_text)
        session.document_changed.connect(self._show_empty_text)
        input_handler.menu_requested.connect(self.menu_requested)
        input_handler.search_requested.connect(self.node_search.open_at)
        input_handler.row_requested.connect(self.inline_editor.edit_row)
        input_handler.rename_requested.connect(self.inline_editor.edit_name)
        self.node_search.inserted = self._insert_searched
        input_handler.node_dropped = self.drop_node
        input_handler.link_opened = self.add_reroute
        session.selection_changed.connect(input_handler.show_links)
        session.document_changed.connect(input_handler.show_links)
        self.destroyed.connect(session.close)

    def _insert_searched(self, type_id: str, place: QPointF) -> bool:
        """Insert a node that was searched for into the selected link, or into the one there."""
        line = self.session.viewer.link_at(place)
        if self.selected_link() is not None or line is None:
            return self.insert_in_selected_link(type_id)
        return self.insert_node(type_id, line, place)

    def discard(self) -> None:
        """Disconnect from the document and delete the view with all its parts.

        What is connected to a Qt object is held by Qt, where Python's collector does not look:
        only deleting the object lets go of it.
        """
        self.session.close()
        for part in (self.input_handler, self.inline_editor, self.session, self):
            part.deleteLater()

    def _keys(self):
        return {
            "Tab": self.search_add,
            "Del": self.delete_selected,
            "Backspace": self.delete_selected,
            "Ctrl+X": self.cut,
            "Ctrl+C": self.copy,
            "Ctrl+V": self.paste,
            "Ctrl+Shift+V": lambda: self.paste(keep_inputs=True),
            "Ctrl+D": self.duplicate,
            "Ctrl+Shift+D": lambda: self.duplicate(keep_inputs=True),
            "Ctrl+A": self.select_all,
            "M": self.mute,
            "B": self.bypass,
            "C": self.collapse,
            "P": self.pin,
            "F2": self.rename,
            "Ctrl+G": self.group,
            "Ctrl+Shift+G": self.backdrop,
            "Ctrl+Alt+G": self.ungroup,
            "Return": self.open_selected,
            "Alt+Up": self.go_up,
            "L": self.auto_layout,
            "Home": self.zoom_all,
            "F": self.zoom_selection,
            "Ctrl+F": self.find,
            "Ctrl+Z": self.document.undo,
            "Ctrl+Shift+Z": self.document.redo,
            "Ctrl+Y": self.document.redo,
        }

    @property
    def document(self) -> Document:
        return self.session.document

    @property
    def path(self) -> str:
        """The path of the shown subgraph; empty for the root."""
        return self.session.graph_path

    # selection and shown graph

    def selection(self) -> list[str]:
        return self.session.selected_paths()

    def select(self, paths: Collection[str]) -> None:
        """Select these nodes of the shown graph and nothing else."""
        self.session.select_paths(paths)

    def open(self, path: str) -> None:
        """Show the subgraph at `path`."""
        self.session.open(path)

    def _go(self, path: str) -> None:
        self.session.open(path)
        self.session.viewer.setFocus()

    # run states, thumbnails and problems

    def show_states(self, states: Mapping[str, NodeState]) -> None:
        """Set node states by path; others are unchanged."""
        self.session.scene.run_display.show_states(states)

    def show_thumbnail(
        self, node: str, image: QImage | None, beside: QImage | None = None, clip_length: str = ""
    ) -> None:
        """Set or remove a node's thumbnail.

        Args:
            beside: What is shown left of the mouse there.
            clip_length: How long a video or a sound is, for a badge; empty for a still picture.
        """
        self.session.scene.run_display.show_thumbnail(node, image, beside, clip_length)

    def show_problems(self, problems: Mapping[str, NodeProblems]) -> None:
        """Show problem messages at nodes, by path; clear all others."""
        self.session.scene.run_display.show_problems(problems)

    def show_auto_values(self, values: Mapping[str, Mapping[str, str]]) -> None:
        """Show what stands for values that are left to the model, by node and port."""
        self.session.scene.run_display.show_auto_values(values)

    def set_theme(self, theme: Theme) -> None:
        """Set the theme."""
        session = self.session
        session.theme = theme
        session.scene.set_pens(Pens(theme))
        session.viewer.set_theme(theme)
        self.node_search.popup.set_theme(theme)
        self.node_search.finder.set_theme(theme)
        self.minimap.update()

    def set_link_style(self, style: str) -> None:
        """Set how links are drawn, a `LinkStyle`."""
        self.session.scene.set_link_style(LinkStyle(style))
        self.input_handler.show_links()
        self.session.viewer.invalidate_overview()

    # commands that open something

    def search_add(self) -> None:
        """Open the Add node popup at the last mouse position."""
        place = self.input_handler.last_position
        inside = self.session.viewer.viewport().rect().contains(place.toPoint())
        centre = QPointF(self.session.viewer.viewport().rect().center())
        self.node_search.open_at(place if inside and not place.isNull() else centre)

    def find(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Open the Find node popup."""
        self.node_search.open_finder(QPointF(EDGE, EDGE), self.center_on)

    def rename(self) -> None:
        """Edit the title of the selected node or frame."""
        items = [
            item for item in self.session.selected_items() if isinstance(item, NodeItem | FrameItem)
        ]
        if len(items) == 1:
            self.inline_editor.edit_name(items[0])

    def place_for_paste(self) -> QPointF:
        place = self.input_handler.last_position
        if self.session.viewer.viewport().rect().contains(place.toPoint()) and not place.isNull():
            return self.session.viewer.to_scene(place)
        return self.place_for_new()

    # pictures of the graph

    def as_image(self) -> QImage:
        """The whole shown graph as an image."""
        return image_export.as_image(self.session.scene)

    def as_svg(self) -> bytes:
        """The whole shown graph as an SVG file."""
        return image_export.as_svg(self.session.scene)

    def copy_as_picture(self) -> None:
        """Copy the graph to the clipboard as an image."""
        QGuiApplication.clipboard().setImage(self.as_image())

    # inner works

    def showEvent(self, event) -> None:  # noqa: N802
        super().showEvent(event)
        if self._fitted is None:
            QTimer.singleShot(0, self, self._fit)

    def resizeEvent(self, event) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._empty.setGeometry(self.session.viewer.rect())
        if self.isVisible() and self._is_untouched():
            self._fit()

    def _fit(self) -> None:
        self.zoom_start()
        self._fitted = self._shown()

    def _shown(self) -> tuple[float, QPointF]:
        viewer = self.session.viewer
        across, down = viewer.horizontalScrollBar(), viewer.verticalScrollBar()
        return viewer.zoom, QPointF(across.value(), down.value())

    def _is_untouched(self) -> bool:
        """Whether the user has neither worked in the view nor moved it since it was fitted.

        Until then it is fitted again whenever it is resized: when panels appear, and when the
        window is maximised.
        """
        return self._fitted in (None, self._shown()) and not self.input_handler.touched

    def _show_refusal(self, why: str) -> None:
        """Show a refusal where the user looks, beside the status bar."""
        self._show_hint(why, self.input_handler.last_position, refused=True)
        self._hint_timer.start()

    def _show_hint(self, text: str, place: QPointF, refused: bool = False) -> None:
        self._hint_timer.stop()
        self._hint.setVisible(bool(text))
        if text:
            self._hint.setStyleSheet(_hint_style(self.session.theme, refused))
            self._hint.setText(text)
            self._hint.adjustSize()
            room = self.session.viewer.rect()
            x = min(place.x() + 16, room.width() - self._hint.width() - EDGE)
            y = min(place.y() + 20, room.height() - self._hint.height() - EDGE)
            self._hint.move(round(max(EDGE, x)), round(y))
            self._hint.raise_()

    def _show_empty_text(self, _path: str = "") -> None:
        """Show a hint while the graph is empty."""
        self._empty.setHidden(bool(self.session.scene.node_items or self.session.scene.frame_items))

    def _place_minimap(self) -> None:
        view = self.session.viewer.rect()
        self._empty.setGeometry(view)
        self.minimap.setVisible(view.width() >= MAPPED.width() and view.height() >= MAPPED.height())
        self.minimap.move(
            view.width() - self.minimap.width() - EDGE, view.height() - self.minimap.height() - EDGE
        )
        shown = self.minimap.isVisibleTo(self)
        self.session.viewer.covered = QRectF(self.minimap.geometry() if shown else QRect())


def _hint_style(theme: Theme, refused: bool) -> str:
    raised, text = theme.raised.name(), theme.text.name()
    line = (theme.error if refused else theme.accent).name()
    return (
        f"background: {raised}; color: {text}; border: 1px solid {line};"
        " border-radius: 4px; padding: 4px 8px;"
    )
