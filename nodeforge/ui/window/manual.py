"""Help > Manual: the documents that ship, read in the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QListWidget, QTextBrowser, QWidget

from nodeforge.settings import shipped

_FIRST = ("window", "reproducing", "comfyui", "nodes")
"""The order of the documents; others follow."""


class Manual(QDialog):
    """A list of documents, and the chosen one.

    Args:
        parent: The window.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Manual")
        self.resize(960, 720)
        self._pages = pages()
        self.list = QListWidget()
        self.list.setAccessibleName("Documents")
        self.list.setFixedWidth(260)
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.addItems([title for title, _ in self._pages])
        self.text = QTextBrowser(openLinks=False)
        self.text.setAccessibleName("Document")
        self.text.anchorClicked.connect(self._follow)
        row = QHBoxLayout(self)
        row.addWidget(self.list)
        row.addWidget(self.text, 1)
        self.list.currentRowChanged.connect(self._show)
        self.list.setCurrentRow(0)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        super().showEvent(event)
        self.list.doItemsLayout()  # before, the style's padding was not known

    def _show(self, row: int) -> None:
        self.text.setMarkdown(self._pages[row][1].read_text(encoding="utf-8"))

    def _follow(self, link: QUrl) -> None:
        """Open a link: another document here, all else by the system."""
        names = [path.name for _, path in self._pages]
        if link.isRelative() and link.fileName() in names:
            self.list.setCurrentRow(names.index(link.fileName()))
        elif link.isRelative():
            self.text.scrollToAnchor(link.fragment())
        else:
            QDesktopServices.openUrl(link)


def pages() -> list[tuple[str, Path]]:
    """Title and file of each document that ships."""
    files = sorted(shipped("docs").glob("*.md"), key=_order)
    return [(file.open(encoding="utf-8").readline().lstrip("# ").strip(), file) for file in files]


def _order(file: Path) -> tuple[int, str]:
    known = _FIRST.index(file.stem) if file.stem in _FIRST else len(_FIRST)
    return known, file.stem
