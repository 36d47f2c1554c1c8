"""The list of jobs: what waits can be dragged to another place."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QDropEvent, QImage, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from nodeforge.engine.queue.estimates import Expected
from nodeforge.ui.common import formatting
from nodeforge.ui.common.icons import icon
from nodeforge.ui.panels.queue_painter import ROW, paint_preview, paint_share, small_preview
from nodeforge.ui.running.job_queue import (
    CANCELLED,
    DONE,
    FAILED,
    PAUSED,
    RUNNING,
    WAITING,
    Job,
)
from nodeforge.ui.running.progress import RunProgress

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
_NAME, _STATE, _START, _END = range(4)
_ALT = Qt.KeyboardModifier.AltModifier


class JobItem(QTreeWidgetItem):
    """The row of a job. What it says is made when it is painted: most rows are out of sight."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self.id = job_id
        self.expected: Expected | None = None
        self.now = 0.0
        self.progress: RunProgress | None = None
        """Of a job that runs."""
        self.preview: QImage | None = None
        """Of its last step, as small as it is shown."""
        self._job: Job | None = None
        self._told: object = None
        self._held = False

    @property
    def can_move(self) -> bool:
        return self._job is not None and self._job.state in (WAITING, PAUSED)

    def show(self, job: Job, expected: Expected | None, held: bool, now: float) -> None:
        """Show a job.

        Args:
            job: The job.
            expected: When it will run.
            held: Whether it is from before, and waits until it is resumed.
            now: Seconds since 1970.
        """
        self.expected, self.now = expected, now
        if job.state != RUNNING:
            self.progress = self.preview = None
        told = job.state, job.message, job.kept, held
        if told == self._told and job is self._job:
            return
        self._job, self._told, self._held = job, told, held
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        self.setFlags(flags | Qt.ItemFlag.ItemIsDragEnabled if self.can_move else flags)
        self.emitDataChanged()

    def data(self, column: int, role: int) -> Any:
        job = self._job
        match role:
            case _ if job is None:
                return None
            case Qt.ItemDataRole.UserRole:
                return self.id
            case Qt.ItemDataRole.DisplayRole if column in (_START, _END):
                return _times(job, self.expected, self.now)[column - _START]
            case Qt.ItemDataRole.DisplayRole:
                return job.name if column == _NAME else _told(job, self._held, self.progress)
            case Qt.ItemDataRole.SizeHintRole:
                return QSize(0, ROW)
            case Qt.ItemDataRole.DecorationRole if column == _STATE:
                return _icon(_ICONS[job.state])
            case Qt.ItemDataRole.ToolTipRole if column == _NAME:
                return "\n".join([job.name, *(str(path) for path in job.saved)])
            case Qt.ItemDataRole.ToolTipRole if column == _STATE:
                error = job.kept.error if job.kept is not None else None
                return str(error) if error is not None else job.message
        return None


_icon = lru_cache(maxsize=None)(icon)


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
        self._items: dict[str, JobItem] = {}
        self._running: list[JobItem] = []
        """The rows of jobs that run."""
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
        self.itemActivated.connect(lambda item, _: self.opened.emit(item.id))

    def show_jobs(
        self,
        pending: list[Job],
        ended: list[Job],
        expected: dict[str, Expected],
        held: set[str],
        now: float,
    ) -> None:
        """Show these jobs; those that were selected stay so."""
        place = self.verticalScrollBar().value()
        self.blockSignals(True)
        self._take_order([job.id for job in (*pending, *ended)])
        for job in (*pending, *ended):
            self._items[job.id].show(job, expected.get(job.id), job.id in held, now)
        self.blockSignals(False)
        self.verticalScrollBar().setValue(place)
        self.viewport().update()

    def show_times(self, expected: dict[str, Expected], now: float) -> None:
        """Show new expectations of when jobs start and end."""
        for job_id, times in expected.items():
            if (item := self._items.get(job_id)) is not None:
                item.expected, item.now = times, now
        self.viewport().update()

    def show_progress(self, running: Mapping[str, RunProgress]) -> None:
        """Show how far jobs have come, by id."""
        self._running = [self._items[job_id] for job_id in running if job_id in self._items]
        for item in self._running:
            if item.progress is not running[item.id]:
                item.progress = running[item.id]
                self.update(self.indexFromItem(item, _STATE))  # this cell alone: all take long

    def show_preview(self, job_id: str, image: QImage) -> None:
        """Show the last step of a job that runs."""
        if (item := self._items.get(job_id)) is not None:
            item.preview = small_preview(image)
            self.update(self.indexFromItem(item, _NAME))

    def _take_order(self, wanted: list[str]) -> None:
        """Have a row for each job, moving no more rows than need be: a long list takes long."""
        selected, current = self.selected_ids(), self.currentItem()
        rows = [item.id for item in self._rows()]
        steps = SequenceMatcher(None, rows, wanted, autojunk=False).get_opcodes()
        for _, start, end, _, _ in reversed([step for step in steps if step[0] != "equal"]):
            for row in reversed(range(start, end)):
                self.takeTopLevelItem(row)
        self._items = {job_id: self._items.get(job_id) or JobItem(job_id) for job_id in wanted}
        moved = []
        for _, _, _, start, end in [step for step in steps if step[0] != "equal"]:
            items = [self._items[job_id] for job_id in wanted[start:end]]
            self.insertTopLevelItems(start, items)  # at once: each by itself lays out all
            moved += items
        for item in moved:  # whoever is taken out is not selected any more
            item.setSelected(item.id in selected)
        if isinstance(current, JobItem) and current in moved:
            self.setCurrentItem(current, 0, self.selectionModel().SelectionFlag.NoUpdate)

    def _rows(self) -> list[JobItem]:
        found = (self.topLevelItem(row) for row in range(self.topLevelItemCount()))
        return [item for item in found if isinstance(item, JobItem)]

    def selected_ids(self) -> set[str]:
        return {item.id for item in self.selectedItems() if isinstance(item, JobItem)}

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the rows, then over the few whose jobs run what these have done."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        for item in self._running:
            if item.preview is not None:
                place = self.visualRect(self.indexFromItem(item, _NAME))
                paint_preview(painter, place, item.preview)
            if item.progress is not None:
                place = self.visualRect(self.indexFromItem(item, _STATE))
                share, selected = item.progress.share, item.isSelected()
                paint_share(painter, place, share, self.palette(), selected=selected)
        painter.end()

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
        items = self._rows()
        movable = [item for item in items if item.can_move]
        order = [item for item in movable if not item.isSelected()]
        above = {id(item) for item in items[: max(0, before)]}
        place = sum(id(item) in above for item in order)
        order[place:place] = [item for item in movable if item.isSelected()]
        moves = [(movable.index(item), order.index(item)) for item in movable if item.isSelected()]
        down = [(old, new) for old, new in reversed(moves) if old < new]
        up = [(old, new) for old, new in moves if old > new]
        for job, new in [(movable[old].id, new) for old, new in (*down, *up)]:
            self.moved.emit(job, new)


def _told(job: Job, held: bool, progress: RunProgress | None) -> str:
    state = _STATES.get(job.state, job.state)
    if held:
        state = "waiting, from before"
    elif job.state == RUNNING:
        if progress is not None and progress.of and not progress.reading:
            state += f" {progress.step}/{progress.of}"
        if job.kept is not None and job.kept.worker:
            state += f" on {job.kept.worker}"
    if job.kept is not None and job.kept.priority:
        state += f", {PRIORITIES.get(job.kept.priority, str(job.kept.priority)).lower()} priority"
    told = f"{state}: {job.message}" if job.message else state
    return told[:1].upper() + told[1:]


def _times(job: Job, expected: Expected | None, now: float) -> tuple[str, str]:
    """When a job starts and ends, or has done so."""
    if expected is not None:
        return _expected_times(expected, now)
    if job.kept is not None and job.kept.ended:
        took = f" ({formatting.duration(job.seconds)})" if job.seconds else ""
        end = formatting.moment(job.kept.ended, now) + took
        return formatting.moment(job.kept.started, now), end
    return "", formatting.duration(job.seconds) if job.seconds else ""


def _expected_times(expected: Expected, now: float) -> tuple[str, str]:
    about = "" if expected.start is None or expected.start <= now else "about "
    start = formatting.moment(expected.start, now)
    end = formatting.moment(expected.end, now)
    left = ""
    if expected.end is not None and 0 < expected.end - now < 3600:
        left = f" (in {formatting.duration(max(1, round(expected.end - now)))})"
    return start and about + start, end and f"about {end}{left}"
