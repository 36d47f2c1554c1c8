"""The text field: a line edit, or a prompt editor with weights (Ctrl+Up, Ctrl+Down)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QKeySequence,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.fields.field import MIXED, Field
from nodeforge.ui.fields.prompt_completion import PromptCompletion, Sources

_PAUSE = 1000
"""Milliseconds without typing until a new undo step starts."""
_WEIGHTED = re.compile(r"\((.*):([0-9.]+)\)\Z", re.DOTALL)
_WORD = re.compile(r"[\w'-]+")
_STEP = 0.1
_EXACT = QTextDocument.FindFlag.FindCaseSensitively
_WHOLE = QTextDocument.FindFlag.FindWholeWords
_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier
_DOCUMENT_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


def is_document_undo(event: QEvent) -> bool:
    """Whether `event` is the shortcut override of undo or redo, which the document handles."""
    if event.type() is not QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    return any(event.matches(key) for key in _DOCUMENT_KEYS)


Underlined = Sequence[tuple[str, QColor]]
"""Words of a text, and the colour that they are underlined in."""


class PromptEdit(QPlainTextEdit):
    """A plain text editor for prompts; undo is left to the document."""

    def __init__(self) -> None:
        super().__init__()
        self.completion: PromptCompletion | None = None
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setMinimumHeight(96)

    def underline(self, words: Underlined) -> None:
        """Draw waves under all places where these words stand, and nowhere else."""
        found = []
        for text, colour in words:
            form = QTextCharFormat()
            form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            form.setUnderlineColor(colour)
            how = _EXACT | _WHOLE if text.isalpha() else _EXACT
            cursor = self.document().find(text, 0, how)
            while text and not cursor.isNull():
                selection = QTextEdit.ExtraSelection()
                selection.cursor, selection.format = cursor, form  # pyright: ignore[reportAttributeAccessIssue]
                found.append(selection)
                cursor = self.document().find(text, cursor, how)
        self.setExtraSelections(found)

    def event(self, event: QEvent) -> bool:
        if is_document_undo(event):
            event.ignore()
            return True
        if isinstance(event, QKeyEvent) and self.completion is not None:
            pressed = event.type() is QEvent.Type.KeyPress
            if not pressed and event.modifiers() & _COMMANDS:
                self.completion.hide()  # a command may take the key, such as Ctrl+Enter
            is_tab = event.key() == Qt.Key.Key_Tab  # which would move the focus
            if pressed and is_tab and self.completion.handle_key(event):
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if self.completion is not None and self.completion.handle_key(event):
            return
        sign = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        if sign and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.change_weight(sign * _STEP)
        else:
            super().keyPressEvent(event)
            typed = event.text().isprintable() or event.key() == Qt.Key.Key_Backspace
            if self.completion is not None and event.text() and typed:
                self.completion.update_suggestions()

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802
        """Paste plain text; files and pictures are ignored."""
        if source.hasText() and not source.hasUrls():
            self.textCursor().insertText(source.text())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: N802
        return source.hasText() and not source.hasUrls()

    def change_weight(self, by: float) -> None:
        """Change the prompt weight of the selection or of the word at the cursor."""
        cursor = self.textCursor()
        if not cursor.hasSelection():
            self._select_word(cursor)
        text = cursor.selectedText().replace("\u2029", "\n")
        if not text.strip():
            return
        start = cursor.selectionStart()
        new = reweighted(text, by)
        cursor.insertText(new)
        cursor.setPosition(start)
        cursor.setPosition(start + len(new), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def _select_word(self, cursor: QTextCursor) -> None:
        text, place = self.toPlainText(), cursor.position()
        for word in _WORD.finditer(text):
            if word.start() <= place <= word.end():
                cursor.setPosition(word.start())
                cursor.setPosition(word.end(), QTextCursor.MoveMode.KeepAnchor)


def reweighted(text: str, by: float) -> str:
    """Change a weight: ``fox`` to ``(fox:1.1)``, and back to ``fox`` for weight 1."""
    weighted = _WEIGHTED.match(text)
    inner = weighted[1] if weighted else text
    try:
        weight = float(weighted[2]) if weighted else 1.0
    except ValueError:
        return text
    weight = min(max(round(weight + by, 2), 0.0), 10.0)
    return inner if weight == 1 else f"({inner}:{weight:g})"


class TextField(Field):
    """A text that is written to the document while it is typed."""

    def __init__(self, *, multiline: bool) -> None:
        super().__init__()
        self._edit: PromptEdit | QLineEdit = PromptEdit() if multiline else LineEdit()
        self._edit.textChanged.connect(self._typed)
        self._pause = QTimer(self, singleShot=True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self.new_gesture)
        self.new_gesture()
        self._token_label = QLabel(alignment=Qt.AlignmentFlag.AlignRight)
        self._token_label.setProperty("role", "small")
        self._token_label.setToolTip("Tokens that the text encoder reads; weights are not counted")
        self._token_label.hide()
        self._count: Callable[[str], str] | None = None
        self._placeholder = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._edit)
        column.addWidget(self._token_label)

    @property
    def token_text(self) -> str:
        """The text below the editor: the token count."""
        return self._token_label.text()

    def set_placeholder(self, text: str) -> None:
        """Say in the empty field what belongs there."""
        self._placeholder = text
        self._edit.setPlaceholderText(text)

    def set_assistant(self, count: Callable[[str], str], words: Sources) -> None:
        """Show `count` of the text, and complete from `words` while typing."""
        self._count = count
        self.set_words(words)

    def set_words(self, words: Sources) -> None:
        """Complete from `words` while typing."""
        if isinstance(self._edit, PromptEdit):
            self._edit.completion = PromptCompletion(self._edit, words)

    def underline(self, words: Underlined) -> None:
        """Draw waves under these words, where the text has several lines."""
        if isinstance(self._edit, PromptEdit):
            self._edit.underline(words)

    def editor(self) -> QWidget:
        return self._edit

    def show_value(self, value: Any) -> None:
        if self._count is not None:
            count = "" if value is MIXED else self._count(str(value or ""))
            self._token_label.setText(count)
            self._token_label.setVisible(bool(count))
        self._edit.setPlaceholderText("several texts" if value is MIXED else self._placeholder)
        text = "" if value is MIXED or value is None else str(value)
        if text == self._text():
            return
        self._edit.blockSignals(True)
        if isinstance(self._edit, QLineEdit):
            self._edit.setText(text)
        else:
            place = self._edit.textCursor().position()
            self._edit.setPlainText(text)
            cursor = self._edit.textCursor()
            cursor.setPosition(min(place, len(text)))
            self._edit.setTextCursor(cursor)
        self._edit.blockSignals(False)

    def _text(self) -> str:
        return self._edit.text() if isinstance(self._edit, QLineEdit) else self._edit.toPlainText()

    def _typed(self) -> None:
        self._pause.start()
        self.edited.emit(self._text(), [])


class LineEdit(QLineEdit):
    """A line edit; undo is left to the document."""

    def event(self, event: QEvent) -> bool:
        if is_document_undo(event):
            event.ignore()
            return True
        return super().event(event)
