"""Central widget: the start page, or a tab for each open document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QTabBar, QTabWidget, QToolButton, QVBoxLayout, QWidget

from nodeforge.ui.common.formatting import clip_length
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.images import faded
from nodeforge.ui.common.message_bars import Button, MessageBars
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.documents.node_problems import by_node
from nodeforge.ui.documents.node_state import NodeState
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.gallery import ResultsDatabase
from nodeforge.ui.inspector.form_entry import add_to_form
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.window.document_page import DocumentPage, ViewSwitch, require_room_for
from nodeforge.ui.window.start_page import StartPage

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view import CanvasTab, ToolOptions
    from nodeforge.ui.form_view import FormView
    from nodeforge.ui.graph_view import GraphView

_VIEW = "shown"
"""Field of a document's view with the view that it opens with: ``form``, or else the graph."""
LINK_STYLES = ("curved", "straight", "hidden")
"""The first is the default."""


class DocumentsArea(QWidget):
    """Creates a page for each document and keeps it up to date."""

    close_requested = Signal(object)
    selection_changed = Signal(object, list)
    """The document and the paths selected in it."""
    status_message = Signal(str)
    """A message for the status bar."""
    menu_requested = Signal(object)
    """A `MenuRequest` of a graph view."""
    canvas_menu_requested = Signal(object)
    """The screen position of a canvas' context menu."""
    view_changed = Signal()
    """Another view (graph or canvas) is shown, or its commands have changed."""

    form_made = Signal(object)
    """A `FormView` that is shown for the first time."""

    def __init__(self, workspace: Workspace, runner: Runner, results: ResultsDatabase) -> None:
        super().__init__()
        self._workspace, self._runner, self._results = workspace, runner, results
        self._tool_options: ToolOptions | None = None
        self.start_page = StartPage(workspace)
        self.message_bars = MessageBars()
        self.tabs = QTabWidget(movable=True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.setAccessibleName("Open workflows")
        self.tabs.currentChanged.connect(self._tab_chosen)
        self.view_switch = ViewSwitch()
        self.view_switch.chosen.connect(self.show_view)
        self.view_switch.input_dropped.connect(self._add_to_form)
        self.tabs.setCornerWidget(self.view_switch)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.start_page)
        self._stack.addWidget(self.tabs)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._stack, 1)
        self.message_bars.setParent(self)
        self.message_bars.lie_over(self._page_area)
        self._pages: dict[str, DocumentPage] = {}
        self._faded: set[tuple[str, str]] = set()
        """Documents and nodes whose picture is shown as out of date."""
        workspace.opened.connect(self._add)
        workspace.closed.connect(self._remove)
        workspace.current_changed.connect(self._show_current)
        workspace.theme_changed.connect(self._set_theme)
        workspace.catalogue_changed.connect(self._rebuild)

    @property
    def view(self) -> GraphView | None:
        """The graph view of the current document."""
        return self.page.graph if self.page is not None else None

    @property
    def page(self) -> DocumentPage | None:
        """The page of the current document."""
        current = self._workspace.current
        return self._pages.get(current.id) if current else None

    @property
    def canvas(self) -> CanvasTab | None:
        """The canvas of the current document, if it is shown."""
        page = self.page
        return page.canvas if page is not None and page.shown == "canvas" else None

    @property
    def form(self) -> FormView | None:
        """The form of the current document, if it is shown."""
        page = self.page
        return page.form if page is not None and page.shown == "form" else None

    @property
    def shown(self) -> str:
        """The view of the current document that is shown: ``graph``, ``canvas`` or ``form``."""
        return self.page.shown if self.page is not None else "graph"

    @property
    def link_style(self) -> str:
        """How the graphs draw links: one of `LINK_STYLES`."""
        return self._workspace.store.read("graph/links", LINK_STYLES[0], _link_style)

    def set_link_style(self, style: str) -> None:
        """Draw the links of all graphs in a style, and keep it."""
        self._workspace.store.setValue("graph/links", style)
        for page in self._pages.values():
            page.graph.set_link_style(style)

    def show_view(self, name: str) -> None:
        """Show the ``graph``, the ``canvas`` or the ``form`` of the current document."""
        page, opened = self.page, self._workspace.current
        if page is not None and opened is not None:
            shows = {"canvas": page.show_canvas, "form": page.show_form}
            shows.get(name, page.show_graph)()
            if (name == "form") != (opened.document.view.extra.get(_VIEW) == "form"):
                opened.set_view_setting(_VIEW, name, unsaved=False)
            self._on_view_changed()

    def list_results(self) -> None:
        """Let the forms list what was made since."""
        for page in self._pages.values():
            if page.form is not None:
                page.form.list_results()

    def _on_view_changed(self) -> None:
        self.view_switch.show_view(self.shown)
        self.view_changed.emit()

    def close_canvases(self) -> None:
        """Stop all work of the canvases, on exit."""
        for page in self._pages.values():
            if page.canvas is not None:
                page.canvas.close_tab()

    def go_to(self, path: str) -> None:
        """Show, select and centre the node at `path`."""
        if self.view is not None:
            self.show_view("graph")
            self.view.center_on(path)
            self.view.select([path])
            self.view.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.message_bars.place()

    def _page_area(self) -> QRect:
        """Where the page lies, below the tabs."""
        top = self.tabs.tabBar().height() if self._stack.currentWidget() is self.tabs else 0
        return self.rect().adjusted(0, top, 0, 0)

    def graph_at(self, place: QPoint) -> tuple[GraphView, QPointF, str] | None:
        """The graph view at a screen position, the position in its scene, and the node there.

        The node's path is empty beside all nodes.
        """
        view = self.view
        if view is None or self.shown != "graph":
            return None
        viewer = view.session.viewer
        inside = viewer.viewport().mapFromGlobal(place)
        if not viewer.viewport().rect().contains(inside):
            return None
        node = viewer.node_at(inside)
        return view, viewer.to_scene(QPointF(inside)), node

    def _add(self, opened: OpenDocument) -> None:
        opened.refused.connect(self.status_message)
        opened.states_changed.connect(lambda states: self._show_states(opened, states))
        opened.picture_changed.connect(lambda node: self._show_picture(opened, node))
        opened.problems_changed.connect(lambda: self._show_problems(opened))
        opened.file_status_changed.connect(lambda: self._title(opened))
        page = DocumentPage(
            self._make_graph_view(opened),
            lambda: self._canvas_of(opened),
            lambda: self._form_of(opened),
        )
        self._pages[opened.id] = page
        page.setProperty("document", opened.id)
        place = self.tabs.addTab(page, opened.name)
        side = QTabBar.ButtonPosition.RightSide
        self.tabs.tabBar().setTabButton(place, side, self._close_button(opened))
        self._title(opened)
        if opened.canvas is not None:
            page.show_canvas()
            self._on_view_changed()  # a first tab was in front before its canvas was
            if (canvas := page.canvas) is not None:
                QTimer.singleShot(0, canvas, canvas.zoom_all)  # once panels have made room
        elif opened.document.view.extra.get(_VIEW) == "form":
            page.show_form()
            self._on_view_changed()

    def _form_of(self, opened: OpenDocument) -> FormView:
        from nodeforge.ui.form_view import FormView

        form = FormView(opened, self._workspace, self._runner, self._results)
        form.graph_requested.connect(lambda: self.show_view("graph"))
        form.node_requested.connect(self.go_to)
        self.form_made.emit(form)
        return form

    def _add_to_form(self, key: str) -> None:
        opened = self._workspace.current
        if opened is not None and add_to_form(self._workspace, opened, key):
            entry = opened.document.form[key]
            self.status_message.emit(f"“{entry['label']}” is on the form.")

    def _canvas_of(self, opened: OpenDocument) -> CanvasTab:
        from nodeforge.ui.canvas_view import (  # numpy and OpenCV: only when needed
            CanvasTab,
            ToolOptions,
        )

        if self._tool_options is None:
            self._tool_options = ToolOptions(self._workspace.store)
        tab = CanvasTab(opened, self._workspace, self._runner, self._tool_options)
        tab.status_message.connect(self.status_message)
        tab.refused.connect(lambda text: self.message_bars.show_message("canvas", text))
        tab.warned.connect(lambda text: self.message_bars.show_message("depth", text, kind="warn"))
        stop: Button = ("Cancel", tab.files.reader.stop)
        subject = f"reading for {opened.id}"
        tab.files.reader.progress.connect(
            lambda text, share: self.message_bars.show_progress(subject, text, share, stop)
        )
        tab.files.reader.finished.connect(lambda: self.message_bars.dismiss(subject))
        tab.menu_requested.connect(self.canvas_menu_requested)
        tab.commands_changed.connect(self.view_changed)
        return tab

    def _make_graph_view(self, opened: OpenDocument) -> GraphView:
        """Create the graph view of a document."""
        from nodeforge.ui.graph_view import GraphView  # takes a second: only when needed

        workspace = self._workspace
        view = GraphView(
            opened.document,
            workspace.catalogue,
            workspace.theme,
            node_use=workspace.node_use,
            saved_subgraphs=workspace.saved_subgraphs,
        )
        view.session.presets = workspace.model_presets
        view.set_link_style(self.link_style)
        view.input_handler.unassigned_keys = self._workspace.unassigned_keys
        view.selected.connect(lambda paths: self._selected(opened, paths))
        view.refused.connect(self.status_message)
        view.menu_requested.connect(self.menu_requested)
        return view

    def _rebuild(self) -> None:
        """Rebuild all graph views for a new catalogue."""
        for opened in self._workspace.documents:
            self._pages[opened.id].change_graph(self._make_graph_view(opened))
            self._graph_view(opened).show_states(opened.states)
            self._show_problems(opened)
            if (form := self._pages[opened.id].form) is not None:
                form.build()
            for node in opened.pictures:
                self._show_picture(opened, node)
        self._show_current(self._workspace.current)

    def _graph_view(self, opened: OpenDocument) -> GraphView:
        return self._pages[opened.id].graph

    def _show_states(self, opened: OpenDocument, states: dict[str, NodeState]) -> None:
        self._graph_view(opened).show_states(states)
        for node in states:
            if opened.is_out_of_date(node) != ((opened.id, node) in self._faded):
                self._show_picture(opened, node)

    def _show_picture(self, opened: OpenDocument, node: str) -> None:
        """Show a node's picture in the graph; what a run would make anew is faded."""
        image, key = opened.pictures.get(node), (opened.id, node)
        self._faded.discard(key)
        if image is not None and opened.is_out_of_date(node):
            image = faded(image)
            self._faded.add(key)
        beside = opened.beside.get(node)
        if beside is not None and key in self._faded:
            beside = faded(beside)
        clip = opened.clips.get(node)
        length = clip_length(clip.frames, clip.seconds) if clip is not None else ""
        self._graph_view(opened).show_thumbnail(node, image, beside, length)

    def _show_problems(self, opened: OpenDocument) -> None:
        view = self._graph_view(opened)
        view.show_problems(by_node(opened.problems))
        view.show_auto_values(opened.auto_texts)

    def _remove(self, opened: OpenDocument) -> None:
        page = self._pages.pop(opened.id)
        self._faded = {key for key in self._faded if key[0] != opened.id}
        self.tabs.removeTab(self.tabs.indexOf(page))
        page.discard()
        self._show_current(self._workspace.current)

    def _selected(self, opened: OpenDocument, paths: list[str]) -> None:
        opened.selection = list(paths)
        if opened is self._workspace.current:
            self.selection_changed.emit(opened, opened.selection)

    def _show_current(self, opened: OpenDocument | None) -> None:
        self._stack.setCurrentIndex(0 if opened is None else 1)
        self.message_bars.show_document(opened.id if opened is not None else "")
        if opened is not None:
            page = self._pages[opened.id]
            self.tabs.setCurrentWidget(page)
            page.currentWidget().setFocus()
        self._on_view_changed()
        self.selection_changed.emit(opened, opened.selection if opened else [])

    def _tab_chosen(self, index: int) -> None:
        page = self.tabs.widget(index)
        require_room_for(page, self._pages.values())
        if page is not None and (opened := self._workspace.find(page.property("document"))):
            self._workspace.show(opened)

    def _close_button(self, opened: OpenDocument) -> QToolButton:
        button = QToolButton(autoRaise=True)
        button.setIcon(icon("x", "dim"))
        button.setIconSize(QSize(12, 12))
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setToolTip("Close")
        button.setAccessibleName(f"Close {opened.name}")
        button.setStyleSheet("padding: 2px")
        button.clicked.connect(lambda: self.close_requested.emit(opened))
        return button

    def _title(self, opened: OpenDocument) -> None:
        page = self._pages.get(opened.id)
        if page is not None:
            place = self.tabs.indexOf(page)
            self.tabs.setTabText(place, opened.name + (" •" if opened.modified else ""))
            where = str(opened.path) if opened.path else "Not saved yet"
            self.tabs.setTabToolTip(place, where)

    def _set_theme(self, theme: Theme) -> None:
        for page in self._pages.values():
            page.graph.set_theme(theme)
            if page.canvas is not None:
                page.canvas.set_theme(theme)


def _link_style(stored: object) -> str:
    if stored not in LINK_STYLES:
        raise ValueError("no style")
    return str(stored)
