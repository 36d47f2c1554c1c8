"""The list of jobs: what waits can be dragged to another place."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QDropEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from nodeforge.engine.queue.estimates import Expected
from nodeforge.ui.common import formatting
from nodeforge.ui.common.icons import icon
from nodeforge.ui.running.job_queue import (
    CANCELLED,
    DONE,
    FAILED,
    PAUSED,
    RUNNING,
    WAITING,
    Job,
)

_ICONS: dict[str, str] = {
    WAITING: "clock",
    RUNNING: "play",
    PAUSED: "pause",
    DONE: "check-circle",
    FAILED: "x-circle",
    CANCELLED: "stop-circle",
}
_STATES: dict[str, str] = {CANCELLED: "stopped"}
"""States that the window has another word for."""
PRIORITIES = {1: "High", 0: "Normal", -1: "Low"}
_JOB = Qt.ItemDataRole.UserRole
_NAME, _STATE, _START, _END = range(4)
_ALT = Qt.KeyboardModifier.AltModifier


class QueueList(QTreeWidget):
    """One row a job: those that have not ended in their order, then the last that have."""

    moved = Signal(str, int)
    """A job's id, and its new place among those that wait or are paused, from 0."""
    chosen = Signal()
    """Other jobs are selected."""
    opened = Signal(str)
    """A job's id that was double-clicked, or Enter was pressed on."""
    removed = Signal()
    """Delete was pressed."""

    def __init__(self) -> None:
        super().__init__(rootIsDecorated=False, allColumnsShowFocus=True, uniformRowHeights=True)
        self.setAccessibleName("Jobs")
        self.setHeaderLabels(["Workflow", "State", "Start", "End"])
        header = self.header()
        header.setSectionResizeMode(_STATE, QHeaderView.ResizeMode.Stretch)
        header.setStretchLastSection(False)
        for column, width in ((_NAME, 260), (_START, 110), (_END, 170)):
            self.setColumnWidth(column, width)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDropIndicatorShown(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.itemSelectionChanged.connect(self.chosen)
        self.itemActivated.connect(lambda item, _: self.opened.emit(item.data(0, _JOB)))

    def show_jobs(
        self,
        pending: list[Job],
        ended: list[Job],
        expected: dict[str, Expected],
        held: set[str],
        now: float,
    ) -> None:
        """Show these jobs; those that were selected stay so."""
        selected, place = self.selected_ids(), self.verticalScrollBar().value()
        self.blockSignals(True)
        self.clear()
        items = [
            (job.id, _item(job, expected.get(job.id), job.id in held, now))
            for job in (*pending, *ended)
        ]
        self.addTopLevelItems([item for _, item in items])  # at once: each by itself lays out all
        for job_id, item in items:
            if job_id in selected:
                item.setSelected(True)
                self.setCurrentItem(item, 0, self.selectionModel().SelectionFlag.NoUpdate)
        self.blockSignals(False)
        self.verticalScrollBar().setValue(place)

    def show_times(self, expected: dict[str, Expected], now: float) -> None:
        """Show new expectations of when jobs start and end."""
        for index in range(self.topLevelItemCount()):
            item = self.topLevelItem(index)
            if item is not None and (times := expected.get(item.data(0, _JOB))):
                _show_expected(item, times, now)

    def selected_ids(self) -> set[str]:
        return {item.data(0, _JOB) for item in self.selectedItems()}

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Ask for another order; the list itself is filled from the queue alone."""
        at = self._row_at(event.position().toPoint())
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        self._move_selected(at)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
            return
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.modifiers() == _ALT and (step := steps.get(Qt.Key(event.key()))):
            rows = sorted(self.indexOfTopLevelItem(item) for item in self.selectedItems())
            if rows:
                self._move_selected(rows[0] - 1 if step < 0 else rows[-1] + 2)
            return
        super().keyPressEvent(event)

    def _row_at(self, place: QPoint) -> int:
        """The row before which something dropped at `place` belongs."""
        index = self.indexAt(place)
        if not index.isValid():
            return self.topLevelItemCount()
        rect = self.visualRect(index)
        return index.row() + (place.y() > rect.center().y())

    def _move_selected(self, before: int) -> None:
        """Move the selected jobs that wait before the row `before`."""
        items = [item for n in range(self.topLevelItemCount()) if (item := self.topLevelItem(n))]
        movable = [item for item in items if item.data(0, _JOB + 1)]
        order = [item for item in movable if not item.isSelected()]
        above = {id(item) for item in items[: max(0, before)]}
        place = sum(id(item) in above for item in order)
        order[place:place] = [item for item in movable if item.isSelected()]
        moves = [(movable.index(item), order.index(item)) for item in movable if item.isSelected()]
        down = [(old, new) for old, new in reversed(moves) if old < new]
        up = [(old, new) for old, new in moves if old > new]
        for job, new in [(movable[old].data(0, _JOB), new) for old, new in (*down, *up)]:
            self.moved.emit(job, new)


def _item(job: Job, expected: Expected | None, held: bool, now: float) -> QTreeWidgetItem:
    item = QTreeWidgetItem([job.name, _told(job, held), "", ""])
    movable = job.state in (WAITING, PAUSED)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
    if movable:
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsDragEnabled)
    item.setData(0, _JOB, job.id)
    item.setData(0, _JOB + 1, movable)
    item.setIcon(_STATE, icon(_ICONS[job.state]))
    item.setToolTip(_NAME, "\n".join([job.name, *(str(path) for path in job.saved)]))
    item.setToolTip(_STATE, job.message)
    if job.kept is not None and job.kept.error is not None:
        item.setToolTip(_STATE, str(job.kept.error))
    if expected is not None:
        _show_expected(item, expected, now)
    elif job.kept is not None and job.kept.ended:
        item.setText(_START, formatting.moment(job.kept.started, now))
        took = f" ({formatting.duration(job.seconds)})" if job.seconds else ""
        item.setText(_END, formatting.moment(job.kept.ended, now) + took)
    elif job.seconds:
        item.setText(_END, formatting.duration(job.seconds))
    return item


def _told(job: Job, held: bool) -> str:
    state = _STATES.get(job.state, job.state)
    if held:
        state = "waiting, from before"
    if job.kept is not None and job.kept.priority:
        state += f", {PRIORITIES.get(job.kept.priority, str(job.kept.priority)).lower()} priority"
    return f"{state}: {job.message}".capitalize() if job.message else state.capitalize()


def _show_expected(item: QTreeWidgetItem, expected: Expected, now: float) -> None:
    about = "" if expected.start is None or expected.start <= now else "about "
    start = formatting.moment(expected.start, now)
    item.setText(_START, start and about + start)
    end = formatting.moment(expected.end, now)
    left = ""
    if expected.end is not None and 0 < expected.end - now < 3600:
        left = f" (in {formatting.duration(max(1, round(expected.end - now)))})"
    item.setText(_END, end and f"about {end}{left}")
