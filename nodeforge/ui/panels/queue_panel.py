"""The queue panel: current, waiting and ended runs."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common import formatting
from nodeforge.ui.common.icons import icon
from nodeforge.ui.running.job_queue import DONE, FAILED, RUNNING, STOPPED, WAITING, Job
from nodeforge.ui.running.progress import RunProgress
from nodeforge.ui.running.runner import Runner

EMPTY = "Runs that wait appear here. Press Run, more than once to queue several."
_ICONS = {
    WAITING: "clock",
    RUNNING: "play",
    DONE: "check-circle",
    FAILED: "x-circle",
    STOPPED: "stop-circle",
}
_JOB = Qt.ItemDataRole.UserRole


class QueuePanel(QWidget):
    """Lists jobs; waiting ones can be moved and removed."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self.setAccessibleName("Queue")
        self._runner = runner
        self._jobs: dict[str, Job] = {}
        self.list = QTreeWidget(rootIsDecorated=False)
        self.list.setAccessibleName("Runs")
        self.list.setHeaderLabels(["Workflow", "State", "Time"])
        self.list.setColumnWidth(0, 280)
        self.list.setColumnWidth(1, 320)
        self.list.currentItemChanged.connect(self._offer)
        self.pause = QPushButton(icon("pause"), "Pause", checkable=True)
        self.pause.setToolTip("Pause the queue; the current run is finished")
        self.pause.clicked.connect(lambda: runner.pause(not runner.jobs.paused))
        self._earlier = self._button("arrow-up", "Earlier", lambda: self._move(-1))
        self._later = self._button("arrow-down", "Later", lambda: self._move(1))
        self._remove = self._button("x", "Remove", self._take_off)
        self._clear = self._button("trash", "Clear", runner.jobs.clear)
        self._stack = QStackedLayout()
        empty = QLabel(EMPTY, wordWrap=True, alignment=Qt.AlignmentFlag.AlignTop)
        empty.setProperty("role", "empty")
        self._stack.addWidget(empty)
        self._stack.addWidget(self._full())
        self.setLayout(self._stack)
        runner.jobs.changed.connect(self._show)
        runner.progress.changed.connect(self._read)
        self._show()

    def _full(self) -> QWidget:
        full = QWidget()
        row, column = QHBoxLayout(full), QVBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(self.list, 1)
        for button in (self.pause, self._earlier, self._later, self._remove, self._clear):
            column.addWidget(button)
        column.addStretch(1)
        row.addLayout(column)
        return full

    def _button(self, name: str, text: str, do: object) -> QPushButton:
        button = QPushButton(icon(name), text)
        button.clicked.connect(do)
        return button

    def _show(self) -> None:
        jobs = self._runner.jobs
        shown = [*([jobs.current] if jobs.current else []), *jobs.waiting, *jobs.ended]
        chosen = self._chosen()
        self._jobs = {job.id: job for job in shown}
        self.list.clear()
        for job in shown:
            item = self._item(job)
            self.list.addTopLevelItem(item)
            if chosen is job:
                self.list.setCurrentItem(item)
        self._stack.setCurrentIndex(1 if shown or jobs.paused else 0)
        self.pause.setChecked(jobs.paused)
        self.pause.setText("Resume" if jobs.paused else "Pause")
        self.pause.setIcon(icon("play" if jobs.paused else "pause"))
        self._offer()

    def _item(self, job: Job) -> QTreeWidgetItem:
        state = f"{job.state}: {job.message}" if job.message else job.state
        item = QTreeWidgetItem([job.name, state.capitalize(), ""])
        expected = sum(job.costs.values())
        if job.seconds:
            item.setText(2, formatting.duration(job.seconds))
        elif job.state == WAITING and expected >= 1:
            item.setText(2, f"about {formatting.duration(round(expected))}")
        item.setIcon(1, icon(_ICONS[job.state]))
        item.setToolTip(1, job.message)
        item.setData(0, _JOB, job.id)
        return item

    def _read(self, reading: RunProgress | None) -> None:
        """Show the remaining time of the current run, the first item."""
        item = self.list.topLevelItem(0)
        if item is not None and reading is not None and self._runner.jobs.current is not None:
            left = reading.left
            text = f"{formatting.duration(round(left))} left" if left and left >= 1 else ""
            item.setText(2, text)

    def _chosen(self) -> Job | None:
        items = self.list.selectedItems()
        return self._jobs.get(items[0].data(0, _JOB)) if items else None

    def _offer(self) -> None:
        job, jobs = self._chosen(), self._runner.jobs
        waits = job in jobs.waiting
        self._earlier.setEnabled(waits and jobs.waiting[0] is not job)
        self._later.setEnabled(waits and jobs.waiting[-1] is not job)
        self._remove.setEnabled(job is not None and job is not jobs.current)
        self._clear.setEnabled(bool(jobs.waiting or jobs.ended))

    def _move(self, by: int) -> None:
        if job := self._chosen():
            self._runner.jobs.move(job, by)

    def _take_off(self) -> None:
        if job := self._chosen():
            self._runner.jobs.remove(job)
