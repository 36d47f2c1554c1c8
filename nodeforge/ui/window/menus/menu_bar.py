"""Builds the menu bar, the context menus and the toolbar from the commands."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QMenu, QSizePolicy, QSpinBox, QToolBar, QToolButton, QWidget

from nodeforge.ui.common.command_registry import shortcut_text
from nodeforge.ui.common.icons import icon
from nodeforge.ui.window.base_window import BaseWindow
from nodeforge.ui.window.menus.history_menu import HistoryMenu
from nodeforge.ui.window.menus.menu_layout import MENUS, SEPARATOR

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
    *("node.collapse", SEPARATOR, "node.group", "node.ungroup", SEPARATOR, "edit.cut"),
    *("edit.copy", "edit.duplicate", "edit.delete"),
)
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


def _fill(window: BaseWindow, menu: QMenu, entries: Sequence[str]) -> None:
    for entry in entries:
        if entry == SEPARATOR:
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


def node_menu(window: BaseWindow) -> QMenu:
    """The context menu of the graph."""
    menu = QMenu(window)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.commands.update_states()
    _fill(window, menu, _ON_NODE if window.has_selection() else _ON_NOTHING)
    return menu


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
