"""The problems panel: linter results of the current workflow."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from nodeforge.lint import Problem, Severity
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.documents.open_document import OpenDocument

EMPTY = "No problems found. Problems of the workflow appear here as you edit."
_RELINK = ("missing_models",)


class ProblemsPanel(QScrollArea):
    """One row per problem, with buttons to show the node and to fix it."""

    node_requested = Signal(str)
    relink_requested = Signal(object)
    """A `Problem` about a missing model."""
    counted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Problems")
        self._theme = theme
        self._opened: OpenDocument | None = None
        self._shown: list[str] | None = None
        self._build()

    def show_document(self, opened: OpenDocument | None) -> None:
        if self._opened is not None:
            self._opened.problems_changed.disconnect(self._build)
        self._opened = opened
        if opened is not None:
            opened.problems_changed.connect(self._build)
        self._build()

    def show_theme(self, theme: Theme) -> None:
        self._theme, self._shown = theme, None
        self._build()

    def _build(self) -> None:
        problems = self._opened.problems if self._opened else []
        texts = [f"{each} {each.title} {each.fix is not None}" for each in problems]
        if texts == self._shown:
            return
        self._shown = texts
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(2)
        for problem in problems:
            column.addWidget(self._row(problem))
        if not problems:
            empty = QLabel(EMPTY, wordWrap=True)
            empty.setProperty("role", "empty")
            column.addWidget(empty)
        column.addStretch(1)
        self.setWidget(content)
        self.counted.emit(len(problems))

    def _row(self, problem: Problem) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(4, 2, 4, 2)
        serious = problem.severity is Severity.ERROR
        name = "warning-circle" if serious else "warning"
        colour = self._theme.error if serious else self._theme.warn
        mark = QLabel()
        mark.setPixmap(icon(name, colour.name()).pixmap(16))
        mark.setToolTip("A run is refused" if serious else "A warning")
        mark.setAccessibleName("error" if serious else "warning")
        line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        text = QLabel(problem.told, wordWrap=True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setToolTip(f"Rule: {problem.rule}")
        line.addWidget(text, 1)
        if problem.fix is not None:
            line.addWidget(_button("Fix", lambda: self._fix(problem)))
        elif problem.rule in _RELINK:
            line.addWidget(_button("Relink…", lambda: self.relink_requested.emit(problem)))
        if problem.node:
            line.addWidget(_button("Show node", lambda: self.node_requested.emit(problem.node)))
        return row

    def _fix(self, problem: Problem) -> None:
        if self._opened is not None and problem.fix is not None:
            self._opened.perform(problem.fix)


def _button(text: str, do: object) -> QPushButton:
    button = QPushButton(text)
    button.clicked.connect(do)
    return button
