"""Completion of prompts: layers, embeddings, wildcards, words used before, the tokenizer's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from PySide6.QtCore import QObject, QStringListModel, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QAbstractItemView, QCompleter, QPlainTextEdit

Sources = Callable[[], Iterable[Iterable[str]]]
"""Word lists, in order of preference."""

_LEAST, _MOST = 2, 10
_BEFORE = re.compile(r"<l[^<>\n]*\Z|(?<!\w)__[\w./-]*\Z|[\w':-]+\Z")
"""A word, the tag of a layer, whose name may have spaces, or a wildcard, which may have slashes."""
_ACCEPT = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PromptCompletion(QObject):
    """A completion popup at the cursor: Tab takes the first word, Enter the selected one."""

    def __init__(self, edit: QPlainTextEdit, sources: Sources) -> None:
        super().__init__(edit)
        self._edit, self._sources = edit, sources
        self._model = QStringListModel(self)
        self._completer = QCompleter(self._model, self)
        self._popup.setAccessibleName("Suggestions")
        self._completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self._completer.setWidget(edit)
        self._completer.activated.connect(self._take)

    @property
    def _popup(self) -> QAbstractItemView:
        popup = self._completer.popup()  # the completer's own: it deletes it
        assert popup is not None
        return popup

    @property
    def suggestions(self) -> list[str]:
        """The suggestions shown now."""
        return self._model.stringList() if self._popup.isVisible() else []

    def update_suggestions(self) -> None:
        """Show suggestions for the word before the cursor."""
        prefix = self._word_before_cursor()
        found = list(matching_words(prefix, self._sources())) if len(prefix) >= _LEAST else []
        self._model.setStringList(found)
        if not found:
            self._popup.hide()
            return
        place = self._edit.cursorRect()
        place.translate(self._edit.viewport().pos())
        place.setWidth(max(160, self._popup.sizeHintForColumn(0) + 24))
        self._completer.complete(place)

    def hide(self) -> None:
        self._popup.hide()

    def handle_key(self, event: QKeyEvent) -> bool:
        """Handle a key press; returns whether it was used."""
        popup = self._popup
        if not popup.isVisible():
            return False
        if event.key() == Qt.Key.Key_Tab:
            index = popup.currentIndex()
            self._take(index.data() if index.isValid() else self._model.stringList()[0])
            popup.hide()
            return True
        if event.key() in _ACCEPT and popup.currentIndex().isValid():
            event.ignore()  # the list takes it
            return True
        if event.key() in _ACCEPT or event.key() == Qt.Key.Key_Escape:
            popup.hide()
            return event.key() == Qt.Key.Key_Escape
        return False

    def _word_before_cursor(self) -> str:
        cursor = self._edit.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        found = _BEFORE.search(before)
        return "" if found is None or cursor.hasSelection() else found[0]

    def _take(self, word: str) -> None:
        cursor, keep = self._edit.textCursor(), QTextCursor.MoveMode.KeepAnchor
        cursor.movePosition(QTextCursor.MoveOperation.Left, keep, len(self._word_before_cursor()))
        cursor.insertText(word)
        self._edit.setTextCursor(cursor)


def matching_words(prefix: str, sources: Iterable[Iterable[str]]) -> Iterator[str]:
    """Up to ten distinct words that start with `prefix`, in the order of `sources`.

    In ``embedding:name`` and ``<layer:name>``, the name alone may match, too; in ``__a/name__``
    as well, after two underscores.
    """
    start, seen = prefix.lower(), set[str]()

    def fresh(word: str) -> bool:
        low = word.lower()
        begins = low.startswith(start) or low.partition(":")[2].startswith(start)
        if start.startswith("__") and low.startswith("__"):
            begins = begins or f"/{start[2:]}" in low
        fits = begins and low != start and low not in seen
        seen.add(low)
        return fits

    return islice(filter(fresh, chain.from_iterable(sources)), _MOST)
