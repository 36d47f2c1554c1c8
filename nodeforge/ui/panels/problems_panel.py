"""The problems panel: linter results of the current workflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from nodeforge.graph.edits import Silence
from nodeforge.lint import FixGrade, Problem, Severity
from nodeforge.ui.common.formatting import plural
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.fields.pickle_dialog import ALLOW

EMPTY = "No problems found. Problems of the workflow appear here as you edit."
_END = 10**6
_RELINK = ("missing_models",)
_ICONS = {Severity.ERROR: "warning-circle", Severity.WARNING: "warning", Severity.HINT: "lightbulb"}
_TOOLTIPS = {
    Severity.ERROR: "An error: a run is refused",
    Severity.WARNING: "A warning: the picture may be another than is meant",
    Severity.HINT: "A hint: there may be a better way",
}
_FIXES = {
    FixGrade.SAFE: "No picture that was right changes",
    FixGrade.CHOICE: "The picture changes: one good value of several",
}


class ProblemsPanel(QScrollArea):
    """One row per problem, with buttons to show the node and to fix it; hints on request."""

    node_requested = Signal(str)
    relink_requested = Signal(object)
    """A `Problem` about a missing model."""
    allow_requested = Signal(object)
    """A `Problem` about a pickle that is not allowed."""
    counted = Signal(int)
    """Errors and warnings; hints are not counted."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Problems")
        self._theme = theme
        self._opened: OpenDocument | None = None
        self._shown: list[object] | None = None
        self._hints_shown = False
        self.is_about_a_pickle: Callable[[Problem], bool] = lambda _: False
        """Whether a problem is that a pickle is not allowed."""
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
        said = [(str(each), each.code, each.title, each.fix is not None) for each in problems]
        shown = [self._hints_shown, *said]
        if shown == self._shown:
            return
        self._shown = shown
        loud = [each for each in problems if each.severity is not Severity.HINT]
        hints = [each for each in problems if each.severity is Severity.HINT]
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(2)
        self._add_rows(column, loud)
        if not loud:
            empty = QLabel(EMPTY, wordWrap=True)
            empty.setProperty("role", "empty")
            column.addWidget(empty)
        if hints:
            column.addWidget(self._hints_button(len(hints)), 0, Qt.AlignmentFlag.AlignLeft)
            self._add_rows(column, hints if self._hints_shown else [])
        column.addStretch(1)
        self.setWidget(content)
        self.counted.emit(len(loud))

    def _add_rows(self, column: QVBoxLayout, problems: Sequence[Problem]) -> None:
        for problem in problems:
            column.addWidget(self._row(problem))

    def _hints_button(self, count: int) -> QPushButton:
        button = QPushButton(plural(count, "hint"))
        button.setFlat(True)
        button.setIcon(icon("caret-down" if self._hints_shown else "caret-right", "dim"))
        button.setToolTip("Hide the hints" if self._hints_shown else "Show better ways")
        button.clicked.connect(self._toggle_hints)
        return button

    def _toggle_hints(self) -> None:
        self._hints_shown = not self._hints_shown
        self._build()
        if self._hints_shown:  # once they have their places
            QTimer.singleShot(0, lambda: self.verticalScrollBar().setValue(_END))

    def _row(self, problem: Problem) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(4, 2, 4, 2)
        colours = {Severity.ERROR: self._theme.error, Severity.WARNING: self._theme.warn}
        colour = colours.get(problem.severity, self._theme.dim)
        mark = QLabel()
        mark.setPixmap(icon(_ICONS[problem.severity], colour.name()).pixmap(16))
        mark.setToolTip(_TOOLTIPS[problem.severity])
        mark.setAccessibleName(problem.severity.value)
        line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        text = QLabel(problem.told, wordWrap=True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setToolTip(f"{problem.code} {problem.rule}")
        line.addWidget(text, 1)
        for button in self._buttons(problem):
            line.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _buttons(self, problem: Problem) -> list[QPushButton]:
        buttons = []
        if problem.fix is not None:
            fix = _button("Fix", lambda: self._fix(problem))
            fix.setToolTip(_FIXES[problem.grade or FixGrade.CHOICE])
            buttons.append(fix)
        elif problem.rule in _RELINK:
            buttons.append(_button("Relink…", lambda: self.relink_requested.emit(problem)))
        elif self.is_about_a_pickle(problem):
            buttons.append(_button(ALLOW, lambda: self.allow_requested.emit(problem)))
        if problem.node:
            buttons.append(_button("Show node", lambda: self.node_requested.emit(problem.node)))
        if problem.severity is not Severity.ERROR:
            silence = _button("I know…", lambda: self._silence(problem))
            silence.setToolTip("Say no more of this here; the reason is kept in the workflow")
            buttons.append(silence)
        if problem.code:
            buttons.append(_button("Why", lambda: self._explain(problem.code)))
        return buttons

    def _explain(self, code: str) -> None:
        from nodeforge.ui.panels.rule_dialog import RuleDialog

        RuleDialog(code, self).open()

    def _fix(self, problem: Problem) -> None:
        if self._opened is not None and problem.fix is not None:
            self._opened.perform(problem.fix)

    def _silence(self, problem: Problem) -> None:
        """Ask for the reason, and silence the rule at the node."""
        asking = QInputDialog(self)
        asking.setWindowTitle("I know")
        place = problem.title or "the workflow"
        asking.setLabelText(
            f"Why {problem.code} is wanted at {place}, for those who read the file:"
        )
        asking.setTextValue("wanted")
        asking.setOkButtonText("Say no more")
        asking.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        asking.textValueSelected.connect(lambda reason: self._silenced(problem, reason))
        asking.open()

    def _silenced(self, problem: Problem, reason: str) -> None:
        if self._opened is not None:
            reason = reason.strip() or "wanted"
            self._opened.perform(Silence(problem.node, problem.code, reason))


def _button(text: str, do: object) -> QPushButton:
    button = QPushButton(text)
    button.clicked.connect(do)
    return button
