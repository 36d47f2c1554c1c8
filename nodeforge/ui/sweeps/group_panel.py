"""What the panels of grids and of explorations share: which group is shown, and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QSlider, QWidget

from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.states import PENDING, State
from nodeforge.ui.common.button_panel import ButtonPanel
from nodeforge.ui.common.formatting import duration, moment
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.sweeps.cell_painter import CellFace, CellPainter
from nodeforge.ui.sweeps.job_groups import Group, JobGroups

SMALLEST, USUAL, LARGEST = 72, 144, 512
"""Pixels of a cell's longer side."""
_ROOMY = 1000
"""Pixels of the panel from which all its buttons have texts."""
_NARROW, _LEAST = 560, 290
"""Pixels below which the row is short of room, and the panel's least width."""
_NOTE = 500
"""Milliseconds until what is left is told anew."""
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")


class GroupPanel(ButtonPanel):
    """A panel of one kind of group.

    Args:
        groups: All groups.
        runner: Runs the queue.
        kind: Which groups are shown.
        empty: What is said while there is none.
        view: Shows the jobs of a group.
    """

    shown = Signal(object)
    """A `Picture` that was clicked."""
    command = Signal(str, list)
    """A command of the picture menu, and `Picture`s: those of the whole group for ``large``."""
    menu_requested = Signal(list, QPoint)
    """`Picture`s, and a screen position."""
    open_requested = Signal(object)
    """A job whose workflow is to be opened."""

    def __init__(
        self, groups: JobGroups, runner: Runner, kind: str, empty: str, view: QAbstractItemView
    ) -> None:
        super().__init__(empty, _ROOMY)
        self.groups, self._runner, self._kind, self.view = groups, runner, kind, view
        self.group: Group | None = None
        self._delegate = CellPainter(self)
        view.setItemDelegate(self._delegate)
        self._delegate.thumbnails.wanted.connect(lambda: view.viewport().update())
        view.setMouseTracking(True)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show_menu)
        view.installEventFilter(self)
        self.chooser = QComboBox()
        self.chooser.setAccessibleName("Which one")
        self.chooser.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.chooser.setMinimumContentsLength(8)
        self.chooser.setMaximumWidth(220)
        self.chooser.activated.connect(lambda _: self.show_group(self.chooser.currentData()))
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.size_slider.setRange(SMALLEST, LARGEST)
        self.size_slider.setValue(USUAL)
        self.size_slider.setFixedWidth(96)
        self.size_slider.setAccessibleName("Size of the pictures")
        self.size_slider.setToolTip("Size of the pictures")
        self.size_slider.valueChanged.connect(lambda _: self.resize_cells())
        self.open = self.button("file", "Open this workflow", self._open)
        self.resume = self.button("play", "Resume", self._resume)
        self.resume.setToolTip("Run what failed, was stopped, or is from before")
        self.cancel = self.button("stop", "Cancel", self._cancel)
        self.cancel.setToolTip("Cancel what has not ended; what is done is kept")
        row = ((self.chooser, 1), (self.note, 1), (self.size_slider, 0))
        last = (*self.buttons(), self.open, self.resume, self.cancel)
        self.set_content([*row, *((button, 0) for button in last)], view)
        self._seen: dict[int, tuple[Job, Job | None, bool]] = {}
        """By number, what its cell was painted from."""
        groups.changed.connect(self._changed)
        groups.previewed.connect(self._on_preview)
        self._note_due = QTimer(self, singleShot=True)
        self._note_due.setInterval(_NOTE)
        self._note_due.timeout.connect(self._show_note)
        runner.progress.changed.connect(self._step)

    # What a kind of group does its own way

    def fill(self) -> None:
        """Show the jobs of the group anew."""
        raise NotImplementedError

    def update_cell(self, number: int) -> None:
        """Show the job of a number anew."""
        raise NotImplementedError

    def resize_cells(self) -> None:
        """Give the cells the size that the slider says."""
        raise NotImplementedError

    def chosen(self) -> int | None:
        """The number that is selected."""
        raise NotImplementedError

    def buttons(self) -> Iterator[QWidget]:
        """What the panel's row has beside the common buttons."""
        yield from ()

    def offer(self) -> None:
        """Enable the buttons that can do something."""
        group, number = self.group, self.chosen()
        self.open.setEnabled(group is not None and number is not None)
        self.cancel.setEnabled(group is not None and any(j.state in PENDING for j in group.all))
        self.resume.setEnabled(group is not None and self.groups.can_resume(group))

    def key(self, event: QKeyEvent) -> bool:
        """Whether a key that was pressed in the view has done something."""
        number = self.chosen()
        if number is None:
            return False
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.enlarge(number)
            return True
        return False

    # What both do

    def show_group(self, group_id: str) -> None:
        """Show a group."""
        found = {group.id: group for group in self.groups.of_kind(self._kind)}
        self.group = found.get(group_id)
        self.refresh()

    def update_changed(self, numbers: Iterable[int]) -> None:
        """Show anew what has changed since it was last shown; the group may be a long one."""
        assert self.group is not None
        held = self._runner.kept.held
        for number in numbers:
            job, later = self.group.jobs[number], self.group.finishing.get(number)
            is_held = bool(held) and job.id in held
            seen = self._seen.get(number)
            if seen is None or seen[0] is not job or seen[1] is not later or seen[2] != is_held:
                self._seen[number] = job, later, is_held
                self.update_cell(number)

    def face(self, number: int) -> CellFace:
        """What is painted of a number."""
        assert self.group is not None
        job = self.group.current(number)
        pictures = _pictures(job)
        running = job.state is State.RUNNING
        if not pictures and number in self.group.finishing:  # the estimate, until it is finished
            pictures = _pictures(self.group.jobs[number])
        return CellFace(
            State.WAITING if job.id in self._runner.kept.held else job.state,
            pictures[0] if pictures else None,
            self.groups.preview(job) if running else None,
            self.caption(number, job),
            str(job.error) if job.error is not None and not pictures else "",
        )

    def caption(self, number: int, job: Job) -> str:
        """The line below a picture."""
        if job.id in self._runner.kept.held:
            return f"{number}  from before"
        if job.state is State.DONE:
            return f"{number}  {duration(job.seconds)}" if job.seconds >= 0.05 else f"{number}"
        return f"{number}  {'stopped' if job.state is State.CANCELLED else job.state}"

    def tooltip(self, number: int) -> str:
        assert self.group is not None
        job = self.group.current(number)
        told = [*job.overrides, str(job.error or ""), *map(str, job.files)]
        return "\n".join(filter(None, told))

    def pictures_of(self, number: int) -> list[Picture]:
        """The pictures that a number has saved, the last first."""
        assert self.group is not None
        jobs = [self.group.finishing.get(number), self.group.jobs[number]]
        paths = [path for job in jobs if job is not None for path in _pictures(job)]
        return [Picture.of_file(path) for path in paths]

    def enlarge(self, number: int) -> None:
        """Show the pictures of the group large, beginning with that of a number."""
        assert self.group is not None
        order = sorted(self.group.jobs)
        turned = [*order[order.index(number) :], *order[: order.index(number)]]
        if found := [each for n in turned for each in self.pictures_of(n)[:1]]:
            self.command.emit("large", found)

    def show_number(self, number: int | None) -> None:
        """A number was clicked."""
        if self.group is not None and number is not None and (made := self.pictures_of(number)):
            self.shown.emit(made[0])
        self.offer()

    def show_texts(self) -> None:
        super().show_texts()
        self.size_slider.setVisible(self.width() >= _NARROW)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Less than the row asks for: narrow, it has no texts and no slider."""
        return QSize(_LEAST, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if watched is self.view and isinstance(event, QKeyEvent):
            mine = self.group is not None and event.type() == QEvent.Type.KeyPress
            if mine and self.key(event):
                return True
        return super().eventFilter(watched, event)

    def _changed(self) -> None:
        if self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        found = self.groups.of_kind(self._kind)
        if self.group is None or self.group.id not in {group.id for group in found}:
            self.group = found[0] if found else None
        self._list_groups(found)
        self.set_empty(not found)
        if self.group is not None:
            self.fill()
        self._show_note()
        self.offer()

    def _list_groups(self, found: list[Group]) -> None:
        """Offer the groups; the list stays as it is, and open, while they do."""
        ids = [group.id for group in found]
        if ids != [self.chooser.itemData(n) for n in range(self.chooser.count())]:
            self.chooser.clear()
            now = self._runner.kept.queue.clock()
            for group in found:
                when = moment(min(job.queued for job in group.all), now)
                self.chooser.addItem(f"{group.title}, {when}", group.id)
        if self.group is not None:
            self.chooser.setCurrentIndex(ids.index(self.group.id))

    def _step(self) -> None:
        """Tell of the time that is left, not at every step: that is asked of all jobs."""
        if self.isVisible() and not self._note_due.isActive():
            self._note_due.start()

    def _show_note(self) -> None:
        self._note_due.stop()
        if self.group is None:
            return
        states = Counter(job.state for job in self.group.all)
        done, pending = states[State.DONE], sum(states[state] for state in PENDING)
        told = [f"{done} of {len(self.group.all)} done"]
        for state, word in ((State.FAILED, "failed"), (State.CANCELLED, "stopped")):
            told += [f"{states[state]} {word}"] if states[state] else []
        if pending and (left := self._left()) is not None:
            told.append(f"about {duration(max(1, round(left)))} left")
        self.note.setText(", ".join(told))

    def _left(self) -> float | None:
        """Seconds until the last job of the group is expected to end."""
        assert self.group is not None
        kept = self._runner.kept
        expected = self._runner.expected()
        ends = [
            expected[job.id].end
            for job in self.group.all
            if job.state in PENDING and job.id in expected
        ]
        known = [end for end in ends if end is not None]
        return max(known) - kept.queue.clock() if known and len(known) == len(ends) else None

    def _on_preview(self, group_id: str, number: int) -> None:
        if self.group is not None and self.group.id == group_id and self.isVisible():
            self.update_cell(number)

    def _show_menu(self, place: QPoint) -> None:
        number = self.chosen()
        if number is not None and self.group is not None and (made := self.pictures_of(number)):
            self.menu_requested.emit(made[:1], self.view.viewport().mapToGlobal(place))

    def _open(self) -> None:
        number = self.chosen()
        if self.group is not None and number is not None:
            self.open_requested.emit(self.group.current(number))

    def _cancel(self) -> None:
        if self.group is not None:
            self.groups.cancel(self.group)

    def _resume(self) -> None:
        if self.group is not None:
            self.groups.resume(self.group)


def _pictures(job: Job) -> list:
    return [path for path in job.files if path.suffix.lower() in _PICTURES]
