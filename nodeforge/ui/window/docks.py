"""Dock widgets around the documents, and their stored layout."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QWidget

from nodeforge.ui.common.preference_store import PreferenceStore

_LAYOUT = 2
"""Layout version; raise it when docks are added or renamed, so that old layouts are ignored."""

_LEFT, _RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class Docks:
    """Adds panels as dock widgets, each with the object name that its layout is stored by."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self.all: dict[str, QDockWidget] = {}
        self._hidden_temporarily: list[QDockWidget] = []
        self._default = QByteArray()
        window.setDockNestingEnabled(True)
        for corner in (Qt.Corner.BottomLeftCorner, Qt.Corner.TopLeftCorner):
            window.setCorner(corner, _LEFT)
        for corner in (Qt.Corner.BottomRightCorner, Qt.Corner.TopRightCorner):
            window.setCorner(corner, _RIGHT)

    def add(self, name: str, title: str, panel: QWidget, area: Qt.DockWidgetArea) -> None:
        dock = QDockWidget(title)
        dock.setObjectName(name)
        dock.setAccessibleName(title)
        panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        dock.setWidget(panel)
        self._window.addDockWidget(area, dock)
        self.all[name] = dock

    def arrange(
        self, library: QWidget, inspector: QWidget, viewer: QWidget, below: dict[str, QWidget]
    ) -> None:
        """Create the default layout; `below` are the tabs at the bottom, by title."""
        self.add("library", "Library", library, _LEFT)
        self.add("inspector", "Inspector", inspector, _RIGHT)
        self.add("viewer", "Viewer", viewer, _RIGHT)
        first: QDockWidget | None = None
        for title, panel in below.items():
            self.add(title.lower(), title, panel, _BOTTOM)
            if first is None:
                first = self.all[title.lower()]
            else:
                self._window.tabifyDockWidget(first, self.all[title.lower()])
        if first is not None:
            first.raise_()
        self._sizes(self._window.size())
        self._default = self._window.saveState(_LAYOUT)

    def reset_layout(self) -> None:
        """Bring all panels back to where they are at first."""
        self._hidden_temporarily = []
        self._window.restoreState(self._default, _LAYOUT)
        for dock in self.all.values():
            dock.setFloating(False)
            dock.show()
        self.all["gallery"].raise_()
        self._sizes(self._window.size())

    def _sizes(self, size: QSize) -> None:
        sides = [self.all["library"], self.all["inspector"]]
        self._window.resizeDocks(sides, [208, 328], Qt.Orientation.Horizontal)
        column = [self.all["inspector"], self.all["viewer"]]
        high = max(400, size.height() - 60)
        self._window.resizeDocks(column, [high * 11 // 20, high * 9 // 20], Qt.Orientation.Vertical)
        low = min(236, size.height() * 26 // 100)
        self._window.resizeDocks([self.all["gallery"]], [low], Qt.Orientation.Vertical)

    def show(self, name: str) -> None:
        """Bring a panel to the front."""
        self.all[name].show()
        self.all[name].raise_()

    def hide_temporarily(self, names: Sequence[str], on: bool) -> None:
        """Hide some panels, or show again those that this method has hidden."""
        if on and not self._hidden_temporarily:
            self._hidden_temporarily = [
                dock for name in names if not (dock := self.all[name]).isHidden()
            ]
            for dock in self._hidden_temporarily:
                dock.hide()
        elif not on:
            aside, self._hidden_temporarily = self._hidden_temporarily, []
            for dock in aside:
                dock.show()

    def set_count(self, name: str, title: str, number: int) -> None:
        """Show a number in a panel's title; none for 0."""
        self.all[name].setWindowTitle(f"{title} ({number})" if number else title)

    def name_tabs(self) -> None:
        """Give the tab bars that Qt creates for docks an accessible name."""
        for bar in self._window.findChildren(QTabBar):
            bar.setAccessibleName(bar.accessibleName() or "Panels")

    def save_layout(self, store: PreferenceStore) -> None:
        self.hide_temporarily((), False)
        store.setValue("window/geometry", self._window.saveGeometry())
        store.setValue("window/docks", self._window.saveState(_LAYOUT))

    def restore_layout(self, store: PreferenceStore) -> bool:
        """Restore the stored layout; returns whether there was one."""
        geometry, docks = (
            store.read(key, None, _bytes) for key in ("window/geometry", "window/docks")
        )
        if geometry is None or docks is None:
            return False
        self._window.restoreGeometry(geometry)
        return self._window.restoreState(docks, _LAYOUT)


def _bytes(stored: object) -> QByteArray | None:
    if not isinstance(stored, QByteArray):
        raise TypeError("no bytes")
    return stored
