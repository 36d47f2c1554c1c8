"""Measures a model while the person does nothing in the window and no run waits.

Its runs go to the window's worker beside the queue's, with ids of their own. A key, the mouse or
a queued run stops the one that is going on at its next model call; it goes on from there later.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.engine.measurements.workflow import LOOP, PICTURE, Purpose, Step
from nodeforge.errors import NodeForgeError
from nodeforge.ui.running.job_queue import new_run_id
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.running.workers.connection import Answer

if TYPE_CHECKING:
    from nodeforge.engine.measurements.measuring import Measuring

IDLE = 5.0
"""Seconds without a key or a movement of the mouse until a run is begun."""
_TICK = 250
_PROBES = (Purpose.WARM_UP, Purpose.PROBE)
_MOST_DEATHS = 3
_WORK = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseMove,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TouchUpdate,
        QEvent.Type.TabletMove,
        QEvent.Type.TabletPress,
        QEvent.Type.HoverMove,
        QEvent.Type.DragMove,
    }
)


class IdleMeasuring(QObject):
    """Runs a measurement in idle time.

    Args:
        runner: The window's queue and worker; its runs go before.
        idle: Seconds without work until a run is begun.
    """

    changed = Signal()
    """Something to show has changed: what is left, whether it waits, or that it has ended."""
    ended = Signal(object, str)
    """The `Measuring`, and why it ended before all was measured; empty where all is."""

    def __init__(self, runner: Runner, idle: float = IDLE) -> None:
        super().__init__()
        self.idle = idle
        self.measuring: Measuring | None = None
        self._runner = runner
        self._agreed = False
        self._step: Step | None = None
        self._run = ""
        """The id of the run that is going on; empty between runs."""
        self._stopping = False
        self._asking = False
        """Whether the worker is timing attention kernels."""
        self._seconds: dict[str, float] = {}
        self._deaths = 0
        self._touched = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK)
        self._timer.timeout.connect(self._advance)
        runner.worker.events_received.connect(self._on_events)
        runner.worker.reconnected.connect(self._on_reconnected)
        runner.jobs.changed.connect(self._on_jobs)

    @property
    def is_running(self) -> bool:
        """Whether a run of it is going on at this moment."""
        return bool(self._run)

    @property
    def is_agreed(self) -> bool:
        """Whether more than the probe is to be run."""
        return self._agreed and self.measuring is not None

    def probe(self, measuring: Measuring) -> None:
        """Run the few steps by which the time is forecast, as soon as no run waits."""
        self.cancel()
        self.measuring, self._deaths = measuring, 0
        self._timer.start()
        self._advance()

    def start(self) -> None:
        """Measure, from now on whenever the person does nothing."""
        if self.measuring is None or self._agreed:
            return
        self._agreed, self._touched = True, time.monotonic()
        app = QCoreApplication.instance()
        assert app is not None
        app.installEventFilter(self)
        self._timer.start()
        self.changed.emit()

    def cancel(self) -> None:
        """Measure no more; what was measured is kept."""
        self._interrupt()
        if self.measuring is not None:
            self._end(None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stop while the person works."""
        if event.type() in _WORK:
            self._touched = time.monotonic()
            if self._run and not self._stopping:
                self._interrupt()
                self.changed.emit()
        return super().eventFilter(watched, event)

    @property
    def _may_run(self) -> bool:
        jobs = self._runner.jobs
        if self._runner.busy or (jobs.waiting and not jobs.paused):
            return False
        return not self._agreed or time.monotonic() - self._touched >= self.idle

    def _advance(self) -> None:
        """Begin the next run, if it may be begun."""
        if self.measuring is None or self._run or self._asking or not self._may_run:
            return
        self._step = self.measuring.next
        if self._step is None and self._agreed and self.measuring.wants_attention:
            self._ask_attention()
        elif self._step is None:
            self._end("")
        elif self._agreed or self._step.purpose in _PROBES:
            self._run, self._seconds, self._stopping = new_run_id(), {}, False
            request = self.measuring.request(self._run)
            self._runner.worker.run(self.measuring.graph(self._step), request)
            self.changed.emit()
        else:
            self._timer.stop()  # until the person agrees
            self.changed.emit()

    def _interrupt(self) -> None:
        """Stop the run that is going on; a second request would end the worker."""
        if self._run and not self._stopping and self.measuring and self._step:
            self._stopping = True
            self.measuring.interrupt(self._step)
            self._runner.worker.cancel(self._run)

    def _on_jobs(self) -> None:
        if self._runner.busy:
            self._interrupt()

    def _on_events(self, arrived: list[events.Event]) -> None:
        for event in arrived:
            if not self._run or event.run != self._run or self.measuring is None:
                continue
            match event:
                case events.Finished() if event.source is Source.COMPUTED:
                    self._seconds[event.node] = event.seconds
                case events.RunFinished():
                    self._ask_picture(event)
                case events.RunCancelled():
                    self._run = ""
                    self.changed.emit()
                case events.WorkerDied():
                    self._on_worker_died(event)
                case events.Failed():
                    self._end(str(event.error))
                case _:
                    pass

    def _ask_attention(self) -> None:
        """Have the attention kernels timed, and end."""
        measuring = self.measuring
        assert measuring is not None

        def done(answer: Answer) -> None:
            self._asking = False
            if measuring is not self.measuring:
                return
            try:
                if isinstance(answer, NodeForgeError):
                    raise answer
                if answer["speeds"] is None:  # a run came in between
                    return
                measuring.take_attention(answer["speeds"])
            except NodeForgeError as error:
                self._end(str(error))
            else:
                self._end("")

        self._asking = True
        self._runner.worker.ask("attention_speeds", done, **measuring.attention_request)

    def _ask_picture(self, event: events.RunFinished) -> None:
        measuring, step = self.measuring, self._step
        assert measuring is not None
        assert step is not None

        def done(answer: Answer) -> None:
            if measuring is self.measuring and step is self._step:
                self._take(answer, event.model_calls)

        self._runner.worker.ask("render", done, **measuring.picture_request(step))

    def _take(self, answer: Answer, model_calls: int) -> None:
        assert self.measuring is not None
        assert self._step is not None
        self._run = ""
        if isinstance(answer, NodeForgeError):
            self._end(str(answer))
            return
        from nodeforge.engine.measurements.measuring import RunResult
        from nodeforge.engine.measurements.opening import picture_of

        seconds, picture = self._seconds, picture_of(answer)
        result = RunResult(seconds.get(LOOP), seconds.get(PICTURE), model_calls, picture)
        try:
            self.measuring.take(self._step, result)
        except NodeForgeError as error:
            self._end(str(error))
            return
        self._deaths = 0
        self.changed.emit()
        self._advance()

    def _on_worker_died(self, event: events.WorkerDied) -> None:
        self._run = ""
        self._deaths += 1
        if self._deaths == _MOST_DEATHS:
            self._end(f"The worker ended with code {event.exit_code}, {self._deaths} times.")
        self.changed.emit()

    def _on_reconnected(self) -> None:
        if self.measuring is not None:
            self._end("The worker was started with other settings. Measure again to go on.")

    def _end(self, why: str | None) -> None:
        """End the measurement; None says nothing of it."""
        measuring, self.measuring = self.measuring, None
        self._run, self._step, self._agreed = "", None, False
        self._timer.stop()
        app = QCoreApplication.instance()
        if app is not None:
            app.removeEventFilter(self)
        if why is not None:
            self.ended.emit(measuring, why)
        self.changed.emit()
