"""Progress of the runs that go on, and estimates of the remaining time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.graph.planned import original
from nodeforge.ui.running.job_queue import Job


@dataclass(frozen=True)
class RunProgress:
    """A snapshot of the progress of one run.

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

    @property
    def share(self) -> float:
        """How much of the running node is done, or of the model that is read, 0..1."""
        return (self.step + self.part) / self.of if self.of else 0.0


class ProgressMeter(QObject):
    """Computes the progress of the jobs that run from the workers' events."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.running: dict[str, RunProgress] = {}
        """By the job's id, in the order in which they began."""
        self._costs: dict[str, _Costs] = {}

    @property
    def left(self) -> dict[str, float]:
        """Remaining seconds of jobs, by id, where they are known."""
        return {job: told.left for job, told in self.running.items() if told.left is not None}

    def begin(self, job: Job, planned: Mapping[str, Source]) -> None:
        wanted = [node for node, source in planned.items() if source is Source.COMPUTED]
        self._costs[job.id] = _Costs({node: job.costs.get(node, 0.0) for node in wanted})
        self._show(job, RunProgress())

    def handle_event(self, job: Job, event: events.Event) -> None:
        if (costs := self._costs.get(job.id)) is None:
            return
        match event:
            case events.Started():
                left = costs.rest(event.node, None)
                self._show(job, RunProgress(original(event.node), left=left))
            case events.Reading():
                step, of, name = event.done >> 20, event.of >> 20, Path(event.path).name
                self._show(job, RunProgress(step=step, of=of, reading=name))
            case events.Progress():
                self._show(job, costs.progress(event))
            case events.Finished():
                costs.left.pop(event.node, None)

    def end(self, job: Job) -> None:
        self.running.pop(job.id, None)
        self._costs.pop(job.id, None)
        self.changed.emit()

    def _show(self, job: Job, progress: RunProgress) -> None:
        self.running[job.id] = progress
        self.changed.emit()


@dataclass
class _Costs:
    """What is left of one run.

    Args:
        left: Expected seconds of the nodes that have not ended.
        first: Steps of each node that were done before: of a run that was stopped, or of another.
    """

    left: dict[str, float]
    first: dict[str, int] = field(default_factory=dict)

    def progress(self, event: events.Progress) -> RunProgress:
        done = event.step + event.part
        first = self.first.setdefault(event.node, max(0, event.step - (not event.part)))
        rate = (done - first) / event.seconds if event.seconds > 0 else 0.0
        own = (event.of - done) / rate if rate else None
        left = self.rest(event.node, own)
        return RunProgress(original(event.node), event.step, event.of, rate, left, event.part)

    def rest(self, node: str, own: float | None) -> float | None:
        """Remaining seconds of `node` (`own`, or its last duration) and of all nodes after it."""
        if own is None and not self.left.get(node):
            return None
        mine = own if own is not None else self.left[node]
        return mine + sum(cost for each, cost in self.left.items() if each != node)
