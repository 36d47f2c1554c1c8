"""The Edit > History menu: lists undo steps by name; a click goes to that step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from nodeforge.ui.common import formatting
from nodeforge.ui.window.base_window import BaseWindow

if TYPE_CHECKING:
    from nodeforge.ui.documents.open_document import OpenDocument

_SHOWN = 25
"""Steps listed before and after the current one."""


class HistoryMenu(QMenu):
    """Filled each time it opens; the current step is checked."""

    def __init__(self, window: BaseWindow, parent: QMenu) -> None:
        super().__init__("History", parent)
        self._window = window
        self.setAccessibleName("History")
        self.aboutToShow.connect(self.fill)
        parent.aboutToShow.connect(self._offer)

    def fill(self) -> None:
        """List the undo steps of the current document, newest first."""
        self.clear()
        opened = self._window.workspace.current
        if opened is None:
            return
        history = opened.document.history
        later = history.undone[:_SHOWN]
        for place in range(len(later), 0, -1):
            self._add(opened, later[place - 1], place)
        earlier = history.done[::-1]
        for place, name in enumerate(earlier[:_SHOWN]):
            self._add(opened, name, -place)
        if len(earlier) > _SHOWN:
            self.addAction(f"{len(earlier) - _SHOWN} earlier steps").setEnabled(False)
        else:
            self._add(opened, "opened", -len(earlier))

    def _add(self, opened: OpenDocument, name: str, by: int) -> None:
        title = formatting.edit_title(name)
        action = self.addAction(title[:1].upper() + title[1:], lambda: go_to_step(opened, by))
        action.setCheckable(True)
        action.setChecked(by == 0)

    def _offer(self) -> None:
        opened = self._window.workspace.current
        history = opened.document.history if opened else None
        self.menuAction().setEnabled(bool(history and (history.done or history.undone)))


def go_to_step(opened: OpenDocument, by: int) -> None:
    """Undo `-by` steps, or redo `by` steps."""
    go = opened.redo if by > 0 else opened.undo
    for _ in range(abs(by)):
        go()
