"""Progress of the current run and estimate of the remaining time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.graph.planned import original
from nodeforge.ui.running.job_queue import Job


@dataclass(frozen=True)
class RunProgress:
    """A snapshot of the progress, as the status bar shows it.

    Args:
        node: The path of the running node.
        rate: Steps a second; 0 where unknown.
        part: Progress within the current step, 0..1.
        left: Remaining seconds of the run; None if unknown.
        reading: The name of the model that is read before the run; steps are MiB then.
    """

    node: str = ""
    step: int = 0
    of: int = 0
    rate: float = 0.0
    left: float | None = None
    part: float = 0.0
    reading: str = ""


class ProgressMeter(QObject):
    """Computes the progress from the worker's events."""

    changed = Signal(object)
    """A `RunProgress`, or None between runs."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds_left: dict[str, float] = {}
        self._first: dict[str, int] = {}
        """Steps of each node that were done before: of a run that was stopped, or of another."""

    def begin(self, job: Job, planned: Mapping[str, Source]) -> None:
        wanted = [node for node, source in planned.items() if source is Source.COMPUTED]
        self._seconds_left = {node: job.costs.get(node, 0.0) for node in wanted}
        self._first.clear()
        self.changed.emit(RunProgress())

    def handle_event(self, event: events.Event) -> None:
        match event:
            case events.Started():
                left = self._rest(event.node, None)
                self.changed.emit(RunProgress(original(event.node), left=left))
            case events.Reading():
                step, of, name = event.done >> 20, event.of >> 20, Path(event.path).name
                self.changed.emit(RunProgress(step=step, of=of, reading=name))
            case events.Progress():
                done = event.step + event.part
                first = self._first.setdefault(event.node, max(0, event.step - (not event.part)))
                rate = (done - first) / event.seconds if event.seconds > 0 else 0.0
                own = (event.of - done) / rate if rate else None
                left = self._rest(event.node, own)
                node = original(event.node)
                progress = RunProgress(node, event.step, event.of, rate, left, event.part)
                self.changed.emit(progress)
            case events.Finished():
                self._seconds_left.pop(event.node, None)

    def end(self) -> None:
        self.changed.emit(None)

    def _rest(self, node: str, own: float | None) -> float | None:
        """Remaining seconds of `node` (`own`, or its last duration) and of all nodes after it."""
        if own is None and not self._seconds_left.get(node):
            return None
        mine = own if own is not None else self._seconds_left[node]
        return mine + sum(cost for each, cost in self._seconds_left.items() if each != node)
