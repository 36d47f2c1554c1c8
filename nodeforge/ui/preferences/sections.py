"""Sections of preference rows, and their search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

_NAMES, _HINTS = 160, 208
"""Widths of the columns beside the editor, so that all sections line up."""


@dataclass
class PreferenceRow:
    """A preference: its widgets, its search words, and a search inside its editor."""

    parts: list[QWidget]
    words: str
    search_inside: Callable[[str], bool] | None = None

    def show(self, on: bool) -> None:
        for part in self.parts:
            part.setVisible(on)


class Section(QWidget):
    """A heading with preference rows."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title, self.rows = title, list[PreferenceRow]()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnMinimumWidth(0, _NAMES)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(2, _HINTS)
        heading = QLabel(title)
        heading.setProperty("role", "heading")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 12)
        column.setSpacing(8)
        column.addWidget(heading)
        column.addLayout(self._grid)

    def add(self, name: str, editor: QWidget, default: str, words: str = "") -> None:
        """Add a preference.

        Args:
            default: The default value as text.
            words: Additional search words.
        """
        label, hint = QLabel(name), QLabel(f"default: {default}", wordWrap=True)
        label.setBuddy(editor)
        hint.setProperty("role", "dim")
        if not editor.accessibleName():
            editor.setAccessibleName(name)
        place = self._grid.rowCount()
        for column, part in enumerate((label, editor, hint)):
            self._grid.addWidget(part, place, column)
        self._keep([label, editor, hint], name, f"{default} {words}")

    def add_wide(
        self,
        name: str,
        editor: QWidget,
        words: str = "",
        inside: Callable[[str], bool] | None = None,
    ) -> None:
        """Add an editor of full width, which shows its defaults itself.

        Args:
            search_inside: Filters the editor by a text; returns whether anything matches.
        """
        editor.setAccessibleName(name)
        parts = [editor] if name == self._title else [QLabel(name), editor]
        for part in parts:
            self._grid.addWidget(part, self._grid.rowCount(), 0, 1, 3)
        self._keep(parts, name, words, inside)

    def search(self, text: str) -> bool:
        """Show the rows that match all words of `text`; returns whether there are any."""
        wanted = text.lower().split()
        found = False
        for row in self.rows:
            fits = all(word in row.words for word in wanted)
            if row.search_inside is not None:
                fits |= row.search_inside("" if fits else text)
            row.show(fits)
            found |= fits
        self.setVisible(found)
        return found

    def _keep(
        self,
        parts: list[QWidget],
        name: str,
        words: str,
        inside: Callable[[str], bool] | None = None,
    ) -> None:
        self.rows.append(PreferenceRow(parts, f"{self._title} {name} {words}".lower(), inside))
