"""Builds the menu bar, the context menus and the toolbar from the commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QMenu, QSizePolicy, QSpinBox, QToolBar, QToolButton, QWidget

from nodeforge.graph.edits.broadcast import broadcastable
from nodeforge.graph.model import Subgraph
from nodeforge.ui.common.command_registry import shortcut_text
from nodeforge.ui.common.icons import icon
from nodeforge.ui.inspector.exposing import add_exposing
from nodeforge.ui.inspector.grid_entry import add_grid
from nodeforge.ui.inspector.measure_entry import add_measuring
from nodeforge.ui.window.base_window import BaseWindow
from nodeforge.ui.window.menus.colour_menu import ColourMenu
from nodeforge.ui.window.menus.history_menu import HistoryMenu
from nodeforge.ui.window.menus.menu_layout import MENUS, SEPARATOR, Entry

if TYPE_CHECKING:
    from nodeforge.ui.graph_view import MenuRequest

_MOST = 999
_ON_NODE = (
    *(
        "run.to_selected",
        "run.selected",
        SEPARATOR,
        "node.rename",
        "node.mute",
        "node.bypass",
        "node.pin",
    ),
    *(
        "node.collapse",
        "node.broadcast",
        SEPARATOR,
        "node.group",
        "node.ungroup",
        "node.keep",
        SEPARATOR,
    ),
    *("edit.cut", "edit.copy", "edit.duplicate", "edit.delete"),
)
_ON_SUBGRAPH = ("node.ungroup", "node.keep")
"""What the menu of a node shows for subgraphs alone."""
_ON_CANVAS = (
    *("edit.undo", SEPARATOR, "edit.cut", "edit.copy", "edit.paste", "edit.delete", SEPARATOR),
    *("edit.select_all", "canvas.deselect", "canvas.invert_selection", SEPARATOR),
    *("canvas.mask_from_selection", "canvas.swap_mask", SEPARATOR, "canvas.new_layer"),
    *("canvas.merge_down", SEPARATOR, "view.zoom_all", "canvas.zoom_whole", "canvas.export"),
)
_ON_NOTHING = (
    *("node.add", "edit.paste", "node.backdrop", SEPARATOR, "node.layout", "view.zoom_all"),
)


def build_menus(window: BaseWindow) -> None:
    """Fill the menu bar."""
    for name, (title, entries) in MENUS.items():
        menu = window.menuBar().addMenu(title)
        menu.setAccessibleName(title.replace("&", ""))
        menu.aboutToShow.connect(window.commands.update_states)
        _fill(window, menu, entries)
        if name == "file":
            _add_recent(window, menu)
        elif name == "edit":
            menu.insertMenu(window.commands["edit.cut"], HistoryMenu(window, menu))
        elif name == "node":
            menu.insertMenu(window.commands["node.group"], ColourMenu(window, menu))


def _fill(window: BaseWindow, menu: QMenu, entries: Sequence[Entry]) -> None:
    for entry in entries:
        if isinstance(entry, tuple):
            title, inner = entry
            submenu = menu.addMenu(title)
            submenu.setAccessibleName(title.replace("&", ""))
            _fill(window, submenu, inner)
        elif entry == SEPARATOR:
            menu.addSeparator()
        else:
            menu.addAction(window.commands[entry])


def _add_recent(window: BaseWindow, menu: QMenu) -> None:
    recent = QMenu("Open recent", menu)

    def fill() -> None:
        recent.clear()
        for path in window.workspace.recent:
            action = recent.addAction(path.name, lambda path=path: window.files.open(path))
            action.setToolTip(str(path))
        recent.menuAction().setEnabled(bool(window.workspace.recent))

    recent.setToolTipsVisible(True)
    window.workspace.recent_changed.connect(fill)
    fill()
    menu.insertMenu(window.commands["file.save"], recent)


def canvas_menu(window: BaseWindow, place: QPoint) -> None:
    """Show the context menu of the canvas at a screen position."""
    menu = QMenu(window)
    window.commands.update_states()
    _fill(window, menu, _ON_CANVAS)
    menu.popup(place)


def node_menu(window: BaseWindow, request: MenuRequest) -> QMenu:
    """The context menu of the graph."""
    menu = QMenu(window)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.commands.update_states()
    if request.frame:
        _fill_frame_menu(window, menu, request)
    elif window.has_selection():
        opened = window.workspace.current
        if opened is not None and request.node:
            add_exposing(menu, window.workspace, opened, request.node, request.port)
            where = menu, window.workspace, opened, request.node, request.port
            add_grid(*where, window.ask_grid)
            add_measuring(*where, window.ask_measurement)
            menu.addSeparator()
        _fill(window, menu, _entries_of(window, request.node))
        menu.insertMenu(window.commands["node.group"], ColourMenu(window, menu))
    else:
        _fill(window, menu, _ON_NOTHING)
    return menu


def _entries_of(window: BaseWindow, path: str) -> list[str]:
    """The commands that make sense for the node at `path`."""
    opened, without = window.workspace.current, set[str]()
    if opened is not None and path:
        if not isinstance(opened.document.node(path), Subgraph):
            without.update(_ON_SUBGRAPH)
        if not broadcastable(opened.document, path, window.workspace.catalogue):
            without.add("node.broadcast")
    return [entry for entry in _ON_NODE if entry not in without]


def _fill_frame_menu(window: BaseWindow, menu: QMenu, request: MenuRequest) -> None:
    """The menu of a backdrop or a note, with that of the empty graph below."""
    is_note = request.frame.rpartition("/")[2].startswith("note:")
    rename = "Edit text" if is_note else "Rename"
    menu.addAction(icon("text-aa"), rename, window.call_in_front("rename"))
    menu.addMenu(ColourMenu(window, menu))
    delete = "Delete note" if is_note else "Delete backdrop"
    menu.addAction(icon("trash"), delete, window.call_in_front("delete_selected"))
    menu.addSeparator()
    _fill(window, menu, _ON_NOTHING)


def build_toolbar(window: BaseWindow) -> QSpinBox:
    """Build the toolbar; returns the spin box with the number of runs."""
    bar = QToolBar("Run")
    bar.setObjectName("toolbar")
    bar.setMovable(False)
    bar.setIconSize(QSize(16, 16))
    bar.toggleViewAction().setVisible(False)
    for name in ("file.new", "file.open", "file.save", "edit.undo", "edit.redo"):
        bar.addWidget(_button(window, name))
    spacer = QWidget()
    spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    bar.addWidget(spacer)
    count = QSpinBox(minimum=1, maximum=_MOST, prefix="× ")
    count.setAlignment(Qt.AlignmentFlag.AlignCenter)
    count.setFixedWidth(64)
    count.setAccessibleName("How many runs")
    count.setToolTip("How many runs one press of Run queues")
    count.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    bar.addWidget(_button(window, "run.on_change"))
    bar.addWidget(count)
    bar.addWidget(_primary(window, "run.run"))
    bar.addWidget(_button(window, "run.stop", text=True))
    window.addToolBar(bar)
    return count


def _button(window: BaseWindow, name: str, *, text: bool = False) -> QToolButton:
    button = QToolButton()
    button.setObjectName(f"button.{name}")
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setDefaultAction(window.commands[name])
    if text:
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return button


def _primary(window: BaseWindow, name: str) -> QToolButton:
    """A button in the accent colour."""
    action, button = window.commands[name], QToolButton()

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setText(action.text())

    button.setObjectName(f"button.{name}")
    button.setProperty("primary", True)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setText(action.text())
    button.setIcon(icon("play-fill", "on_accent"))
    button.setToolTip(f"{action.text()} ({shortcut_text(action)})")
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.clicked.connect(lambda: window.commands.run(name))
    action.changed.connect(follow)
    follow()
    return button
