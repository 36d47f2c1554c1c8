"""Lints the cells of a grid before it is run, a few at a time, so that the dialog stays alive."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from nodeforge.engine.sweeps.cells import Cell
from nodeforge.engine.sweeps.findings import Findings, axes_first, values_in_common
from nodeforge.engine.sweeps.jobs import copied, with_cell
from nodeforge.graph.document import Document
from nodeforge.lint import Severity, lint
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace

_BUDGET = 0.02
"""Seconds of a turn of the event loop; one cell takes about 10 ms."""
_PAUSE = 5
"""Milliseconds between turns, for what else there is to do."""
_AT_ONCE = 0.25
"""Seconds that `finish` may take: a small grid starts with the click."""
_SHOWN = 4
"""Values of one axis that are told."""


class CellCheck(QObject):
    """Lints cells; those of one grid at a time.

    Args:
        workspace: Node types and model folders.
        opened: The document.
        parent: The dialog.
    """

    changed = Signal()
    """More is known."""

    def __init__(self, workspace: Workspace, opened: OpenDocument, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace, self._opened = workspace, opened
        self.findings = Findings()
        self._cells: dict[int, Cell] = {}
        self._left: Iterator[Cell] = iter(())
        self._own: set[str] = set()
        """Errors of the workflow as it is."""
        self.is_done = True
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(lambda: self._look(_BUDGET))

    def begin(self, cells: Sequence[Cell]) -> None:
        """Look at these cells, and at no others any more."""
        self.findings = Findings()
        self._cells = {cell.number: cell for cell in cells}
        self._left = iter(axes_first(cells))
        self._copy = copied(self._opened.document)
        self._own = {text for text, is_error in self._lint(self._copy) if is_error}
        self.is_done = False
        self._timer.start()

    def stop(self) -> None:
        """Look at no more cells."""
        self.is_done = True
        self._timer.stop()

    def finish(self) -> None:
        """Look at what is left where that is little; else it goes on in the event loop."""
        self._look(_AT_ONCE)

    @property
    def count(self) -> int:
        """How many cells there are to be looked at."""
        return len(self._cells)

    def lines(self) -> list[tuple[str, bool]]:
        """What was found, and whether it is an error; with the values that make it so."""
        told = []
        for finding in self.findings:
            text = finding.text
            if not self.findings.is_of_all(finding):
                values = values_in_common(finding.cells, self._cells)
                text = f"{', '.join(f'{n} = {_list(v)}' for n, v in values.items())}: {text}"
            told.append((text, finding.is_error))
        return told

    @property
    def errors_of_values(self) -> bool:
        """Whether values of the axes make errors, and not the workflow itself."""
        return any(
            each.is_error and not (each.text in self._own and self.findings.is_of_all(each))
            for each in self.findings
        )

    def _look(self, budget: float) -> None:
        end = time.monotonic() + budget
        while not self.is_done and time.monotonic() < end:
            cell = next(self._left, None)
            if cell is None:
                self.stop()
            else:
                self.findings.add(cell.number, self._lint(with_cell(self._copy, cell)))
        self.changed.emit()

    def _lint(self, document: Document) -> list[tuple[str, bool]]:
        workspace, granted = self._workspace, self._opened.granted
        found = lint(document, workspace.catalogue, workspace.folders, granted=granted)
        return [
            (str(problem), problem.severity is Severity.ERROR)
            for problem in found
            if problem.matters_to_a_run
        ]


def _list(values: Sequence[str]) -> str:
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return f"{', '.join(values[:_SHOWN])}{more}"
