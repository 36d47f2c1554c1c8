"""The Candidates panel: a wall of candidates that sharpen as they come, and stars to choose by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QWidget,
)

from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.states import PENDING, State
from nodeforge.engine.sweeps.exploration import EXPLORATION
from nodeforge.errors import NodeForgeError
from nodeforge.ui.common.icons import icon
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.sweeps.cell_painter import CAPTION, FACE, CellFace, star_rect
from nodeforge.ui.sweeps.group_panel import GroupPanel
from nodeforge.ui.sweeps.job_groups import JobGroups

EMPTY = (
    "Candidates appear here: Run > Explore… runs many seeds for a share of their steps. "
    "Star those that you like, and finish only them."
)
_NUMBER = Qt.ItemDataRole.UserRole
_STAR_KEYS = (Qt.Key.Key_S, Qt.Key.Key_Asterisk)


class ExplorePanel(GroupPanel):
    """Shows an exploration as a wall; a click on a star, or S, chooses a candidate."""

    def __init__(self, groups: JobGroups, runner: Runner) -> None:
        self.list = QListWidget()
        self.list.setAccessibleName("Wall of candidates")
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setUniformItemSizes(True)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._items: dict[int, QListWidgetItem] = {}
        self._shown = ""
        super().__init__(groups, runner, EXPLORATION, EMPTY, self.list)
        self.setAccessibleName("Candidates")
        self.list.viewport().installEventFilter(self)
        self.list.itemSelectionChanged.connect(lambda: self.show_number(self.chosen()))
        self.list.itemDoubleClicked.connect(lambda item: self.enlarge(item.data(_NUMBER)))
        self.refresh()

    def buttons(self) -> Iterator[QWidget]:
        self.star = self.button("star", "Star", self.switch_star)
        self.star.setToolTip("Star the selected candidate, or take its star (S)")
        self.finish = QPushButton(icon("check-circle"), "Finish these")
        self.finish.clicked.connect(lambda: self._finish())
        self.finish.setToolTip("Run the rest of the steps of the starred candidates")
        yield self.star
        yield self.finish

    def fill(self) -> None:
        assert self.group is not None
        if self._shown != self.group.id or set(self._items) != set(self.group.jobs):
            self._shown, selected = self.group.id, self.chosen()
            self.list.blockSignals(True)
            self.list.clear()
            self._items = {}
            self._seen.clear()
            for number in sorted(self.group.jobs):
                item = self._items[number] = QListWidgetItem()
                item.setData(_NUMBER, number)
                self.list.addItem(item)
                if number == selected:
                    item.setSelected(True)
            self.list.blockSignals(False)
            self.resize_cells()
        self.update_changed(self._items)

    def update_cell(self, number: int) -> None:
        if (item := self._items.get(number)) is not None:
            face = self.face(number)
            item.setData(FACE, face)
            item.setToolTip(self.tooltip(number))
            starred = ", starred" if face.star else ""
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole, f"Candidate {number}, {face.state}{starred}"
            )

    def resize_cells(self) -> None:
        side = self.size_slider.value()
        self.list.setGridSize(QSize(side, side + CAPTION))
        for item in self._items.values():
            item.setSizeHint(QSize(side, side + CAPTION))

    def chosen(self) -> int | None:
        found = self.list.selectedItems()
        return found[0].data(_NUMBER) if found else None

    def face(self, number: int) -> CellFace:
        assert self.group is not None
        done = self.group.finishing.get(number)
        finished = done is not None and done.state is State.DONE
        return replace(super().face(number), star=number in self.group.stars, finished=finished)

    def caption(self, number: int, job: Job) -> str:
        assert self.group is not None
        told = super().caption(number, job)
        if job.state is State.DONE and job.seed is not None:
            told = f"{number}  seed {job.seed}"
        later = self.group.finishing.get(number)
        if later is not None and later.state in PENDING:
            return (
                f"{number}  {'finishing' if later.state is State.RUNNING else 'will be finished'}"
            )
        return told

    def offer(self) -> None:
        super().offer()
        group = self.group
        self.star.setEnabled(group is not None and self.chosen() is not None)
        count = len(self._unfinished())
        self.finish.setEnabled(bool(count))
        self.finish.setText(f"Finish these ({count})" if count else "Finish these")

    def switch_star(self, number: int | None = None) -> None:
        """Give a candidate a star, or take it; the selected one by default."""
        number = self.chosen() if number is None else number
        if self.group is None or number is None:
            return
        self.groups.switch_star(self.group, number)
        self.update_cell(number)
        self.offer()

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in _STAR_KEYS and self.chosen() is not None:
            self.switch_star()
            return True
        return super().key(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """A press on a star switches it, and selects nothing."""
        pressed = event.type() == QEvent.Type.MouseButtonPress
        if pressed and isinstance(event, QMouseEvent) and watched is self.list.viewport():
            item = self.list.itemAt(event.position().toPoint())
            if item is not None and event.button() == Qt.MouseButton.LeftButton:
                corner = star_rect(self.list.visualItemRect(item))
                if corner.contains(event.position().toPoint()):
                    self.switch_star(item.data(_NUMBER))
                    return True
        return super().eventFilter(watched, event)

    def _unfinished(self) -> set[int]:
        group = self.group
        if group is None:
            return set()
        going = {
            number
            for number, job in group.finishing.items()
            if job.state in PENDING or job.state is State.DONE
        }
        return group.stars - going

    def _finish(self) -> None:
        if self.group is None:
            return
        try:
            self.groups.finish(self.group, self._unfinished())
        except NodeForgeError as error:
            self.note.setText(str(error))
