"""The dialogs that start a grid or an exploration."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from nodeforge.engine.sweeps.axes import Axis, AxisError
from nodeforge.engine.sweeps.cells import fan_out
from nodeforge.engine.sweeps.jobs import forecast
from nodeforge.lint import Severity
from nodeforge.ui.common.formatting import duration, plural
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.sweep_inputs import sweep_inputs
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.sweeps.cell_check import CellCheck
from nodeforge.ui.sweeps.values_editor import ValuesEditor

_MOST_SEEDS = 500
_WIDTH = 460
_TYPED = 200
"""Milliseconds after typing until cells are checked."""
_PROBLEMS_HIGH = 96
_MOST_PROBLEMS = 50


class GridDialog(QDialog):
    """Asks for up to three axes, and says how many pictures they make and how long that takes.

    Args:
        workspace: Node types and model folders.
        runner: Knows how long nodes took.
        opened: The document.
        name: The input that the first axis is of, as ``schedule.steps``.
        parent: The window.
    """

    started = Signal(list, bool)
    """The axes, and whether they change together."""

    def __init__(
        self,
        workspace: Workspace,
        runner: Runner,
        opened: OpenDocument,
        name: str,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Grid of “{opened.name}”")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(_WIDTH)
        self._costs = _costs(runner, opened)
        self._workspace, self._document = workspace, opened.document
        self.check = CellCheck(workspace, opened, self)
        self._wanted = False
        """Whether the grid is to start once its cells are checked."""
        inputs = sweep_inputs(opened.document, workspace.catalogue)
        first = next((each for each in inputs if each.name == name), inputs[0])
        self.axes = [
            ValuesEditor(workspace, opened.document, inputs, title, start)
            for title, start in (("Rows", first), ("Columns", None), ("Pages", None))
        ]
        self.together = QCheckBox("Change the fields together, a row for each set of values")
        self.told = QLabel(wordWrap=True)
        self.told.setMinimumHeight(36)
        self.problems = ProblemLines()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.run = QPushButton("Run grid")
        self.run.setProperty("primary", True)
        self.buttons.addButton(self.run, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self._start)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        for axis in self.axes:
            column.addWidget(axis)
            axis.changed.connect(self._tell)
        column.addWidget(self.together)
        column.addStretch(1)
        column.addWidget(self.told)
        column.addWidget(self.problems)
        column.addWidget(self.buttons)
        self.together.toggled.connect(lambda _: self._tell())
        self._typed = QTimer(self, singleShot=True)
        self._typed.setInterval(_TYPED)
        self._typed.timeout.connect(self._begin_check)
        self.check.changed.connect(self._show_check)
        self._tell()
        self.axes[0].text.selectAll()
        self.axes[0].text.setFocus()

    def chosen(self) -> list[Axis]:
        """The axes.

        Raises:
            AxisError: a value does not fit, or two axes are of one input.
        """
        found = [axis for each in self.axes if (axis := each.axis()) is not None]
        fan_out(found, together=self._is_together)
        return found

    @property
    def _is_together(self) -> bool:
        return self.together.isChecked() and self.together.isEnabled()

    def _tell(self) -> None:
        self.together.setEnabled(sum(each.chosen is not None for each in self.axes) > 1)
        together = self._is_together
        self._wanted = False
        self.check.stop()
        self.problems.show_lines([])
        try:
            axes = self.chosen()
        except AxisError as error:
            self._typed.stop()
            _show(self.told, f"{error.fact} {error.way_out}".strip(), wrong=True)
            self.run.setEnabled(False)
            return
        catalogue = self._workspace.catalogue
        made = forecast(self._document, catalogue, axes, self._costs, together=together)
        told = plural(made.cells, "picture")
        if len(axes) > 1 and not together:
            told += f" ({' × '.join(str(len(axis.values)) for axis in axes)})"
        if made.seconds is not None:
            told += f", about {duration(max(1, round(made.seconds)))}"
        _show(self.told, f"{told}. What cells have in common is computed once.", wrong=False)
        self.run.setEnabled(True)
        self._typed.start()

    def _begin_check(self) -> None:
        self._typed.stop()
        self.check.begin(fan_out(self.chosen(), together=self._is_together))

    def _show_check(self) -> None:
        """Show what was found so far; start where that was asked for, and nothing is in the way."""
        check = self.check
        lines = check.lines()
        if self._wanted and not check.is_done:
            told = f"Checking the cells: {check.findings.looked_at:,} of {check.count:,}"
            lines.append((told, False))
        self.problems.show_lines(lines)
        if check.errors_of_values:
            self._wanted = False
        self.run.setEnabled(not (check.errors_of_values or self._wanted))
        if self._wanted and check.is_done:
            self._wanted = False
            self.started.emit(self.chosen(), self._is_together)
            self.accept()

    def _start(self) -> None:
        """Start once all cells are checked. An error of the workflow itself is told in the window,
        with what mends it."""
        self._wanted = True
        if self._typed.isActive():
            self._begin_check()
        self.check.finish()


class ExploreDialog(QDialog):
    """Asks for how many seeds, and until what share of their steps.

    Args:
        runner: Knows how long nodes took.
        workspace: Node types.
        opened: The document.
        parent: The window.
    """

    started = Signal(int, float)
    """How many candidates, and the share of their steps."""

    def __init__(
        self, workspace: Workspace, runner: Runner, opened: OpenDocument, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Explore “{opened.name}”")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(_WIDTH)
        self._whole = forecast(opened.document, workspace.catalogue, [], _costs(runner, opened))
        about = QLabel(
            "Many seeds are run for a share of their steps. Star what you like on the wall, and "
            "only that is finished, from where it stopped.",
            wordWrap=True,
        )
        about.setProperty("role", "dim")
        self.seeds = QSpinBox(minimum=2, maximum=_MOST_SEEDS, value=16)
        self.seeds.setAccessibleName("Seeds")
        self.until = QSpinBox(minimum=5, maximum=95, value=30, suffix=" %", singleStep=5)
        self.until.setAccessibleName("Until")
        form = QFormLayout()
        form.addRow("Seeds", self.seeds)
        form.addRow("Until, of their steps", self.until)
        self.told = QLabel(wordWrap=True)
        self.problems = ProblemLines()
        found = runner.planner.check(opened)
        self.problems.show_lines(
            (str(each), each.severity is Severity.ERROR) for each in found if each.matters_to_a_run
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.run = QPushButton("Explore")
        self.run.setProperty("primary", True)
        buttons.addButton(self.run, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._start)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addWidget(about)
        column.addLayout(form)
        column.addWidget(self.told)
        column.addWidget(self.problems)
        column.addWidget(buttons)
        tell: Callable[[int], None] = lambda _: self._tell()  # noqa: E731
        self.seeds.valueChanged.connect(tell)
        self.until.valueChanged.connect(tell)
        self._tell()

    def _tell(self) -> None:
        count, share = self.seeds.value(), self.until.value() / 100
        told = f"{plural(count, 'estimate')}"
        if self._whole.seconds is not None:
            told += f", about {duration(max(1, round(self._whole.seconds * share * count)))}"
        _show(self.told, f"{told}. Their seeds count up from that of the workflow.", wrong=False)

    def _start(self) -> None:
        self.started.emit(self.seeds.value(), self.until.value() / 100)
        self.accept()


class ProblemLines(QListWidget):
    """What was found, a line each; as high as it has lines, up to some."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Problems")
        self.setWordWrap(True)
        self.setIconSize(QSize(16, 16))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFixedHeight(_PROBLEMS_HIGH)
        self._lines: list[tuple[str, bool]] = []
        self.hide()

    def show_lines(self, lines: Iterable[tuple[str, bool]]) -> None:
        """Show texts, and whether each is an error."""
        if (wanted := list(lines)) == self._lines:
            return
        self._lines = wanted
        self.clear()
        for text, is_error in wanted[:_MOST_PROBLEMS]:
            item = QListWidgetItem(text)
            item.setIcon(icon("x-circle" if is_error else "warning"))
            item.setToolTip(text)
            self.addItem(item)
        if len(wanted) > _MOST_PROBLEMS:
            self.addItem(f"{len(wanted) - _MOST_PROBLEMS} more")
        self.setVisible(bool(wanted))


def _costs(runner: Runner, opened: OpenDocument) -> dict[str, float]:
    """Seconds that nodes took, by path: as the worker remembers, or as they are shown."""
    shown = {path: state.seconds for path, state in opened.states.items() if state.seconds}
    return {**runner.planner.costs, **shown}


def _show(label: QLabel, text: str, *, wrong: bool) -> None:
    label.setText(text[:1].upper() + text[1:])
    label.setProperty("role", "error" if wrong else "dim")
    label.style().unpolish(label)
    label.style().polish(label)
