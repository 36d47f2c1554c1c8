"""One attempt to run a job: what is asked of the worker, and what its events come to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nodeforge import models
from nodeforge.engine import events
from nodeforge.engine.content.files import Files
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.planning.plan import default_targets
from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.expected_files import expected_files
from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.output_files import OutputError, OutputFiles
from nodeforge.engine.queue.states import State
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.sweeps.exploration import EXPLORATION, PREFIX, estimates_of
from nodeforge.errors import DiskFullError, NodeForgeError
from nodeforge.formats import graph_to_json, run_stamp
from nodeforge.formats.sampling_settings import Recognised
from nodeforge.graph.document import Document
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph
from nodeforge.graph.planned import original
from nodeforge.graph.upgrade import upgrade
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue

JOB = "nodeforge_job"
"""The text of a saved picture that names the job."""
MOST_DEATHS = 5
"""So often may the worker die under a job that gets no further."""
NO_ROOM = frozenset({"NoRoomError", "DiskFullError"})
"""Kinds of errors that the next job would meet as well."""


class DeadlyJobError(NodeForgeError):
    """A job has ended its process again and again."""


@dataclass(frozen=True)
class Outcome:
    """What an attempt came to.

    Args:
        state: The job's from now on; waiting where it is tried again.
        error: Why it failed.
    """

    state: State
    error: ErrorReport | None = None

    @property
    def is_no_room(self) -> bool:
        """Whether the disk is full, so that other jobs would fail as well."""
        return self.error is not None and self.error.kind in NO_ROOM


def recogniser(settings: Settings, granted: Sequence[str]) -> Recognised:
    """Tells what a model of a workflow is."""
    folders, given = models.ModelFolders(settings), frozenset(map(Path, granted))
    return lambda kind, name: folders.info(kind, name, given)


class Attempt:
    """One attempt to run a job that was claimed (`JobClaims.next`).

    Args:
        claims: The runner's side of the queue.
        job: The job.
        settings: Folders; the output folder is that of jobs which name none.
        catalogue: The node types of a workflow, also of packs.
        previews: Whether pictures of work in progress are wanted.

    Raises:
        NodeForgeError: the workflow cannot be read, as one of a newer format, or its output
            folder cannot be written. The job has not ended yet.
    """

    def __init__(
        self,
        claims: JobClaims,
        job: Job,
        settings: Settings,
        catalogue: Callable[[Document], Catalogue],
        *,
        previews: bool = False,
    ) -> None:
        self._claims = claims
        self.log = JobLog(Path(job.log) if job.log else None)
        self.log.write(f"started, attempt {job.attempts}")
        if job.deaths >= MOST_DEATHS:
            raise DeadlyJobError(
                f"NodeForge ended {job.deaths} times at the same place of this job.",
                way_out="It may be short of memory: make the picture smaller, then resume it.",
            )
        if job.outputs is None or not job.outputs.is_absolute():
            job = replace(job, outputs=(job.outputs or settings.outputs).absolute())
            assert job.outputs is not None
            claims.keep_outputs(job, job.outputs)
        self.job = job
        document = claims.queue.document(job.id)
        known = catalogue(document)
        upgrade(document, known)
        self._files = OutputFiles(claims, job)
        self.document = document
        files = Files(settings, document.assets, job.granted, document.lock)
        texts = run_stamp(document, known, recogniser(settings, job.granted), files.resolve)
        graph, targets, loops = _part_to_run(job, document.graph, known)
        self.graph: dict[str, Any] = graph_to_json(graph)
        expected = expected_files(graph, known, targets, texts, files.resolve)
        self.saved: list[Path] = self._files.open(expected)
        if self._files.saved:
            targets = targets or default_targets(flatten(graph, known))
            copies = [[each for each in expected if original(each) == t] or [t] for t in targets]
            targets = [each for some in copies for each in some if each not in self._files.saved]
        self.request = RunRequest(
            run=f"{job.id}.{job.attempts}",
            targets=targets,
            assets=document.assets,
            granted=list(job.granted),
            lock=document.lock,
            stamp=texts | {JOB: job.id},
            outputs=self._files.folder,
            previews=previews,
            document=job.source or job.id,
            kept_loops=loops,
            checkpoints=list(job.checkpoints),
        )
        self._failed: NodeForgeError | None = None
        self._working = self._progressed = self._reused = False
        self._deaths = job.deaths

    @property
    def is_done(self) -> bool:
        """Whether an earlier attempt has saved all: `last_event` is then what is to be told."""
        return self._files.is_all_saved

    @property
    def last_event(self) -> events.Event:
        return events.RunFinished(self.request.run, [], 0.0, 0)

    def handle(self, event: events.Event) -> events.Event:
        """Take note of an event; gives it as others are to see it, with files in their places.

        Raises:
            LeaseLostError: another process runs the queue now.
        """
        match event:
            case events.Started():
                self._begin_work()
            case events.Finished(source=events.Source.COMPUTED):
                self._note_progress()
                self._files.finish(event.node)
                self.log.write(f"{event.node}: {event.seconds:.2f} s")
            case events.Progress() if event.step:
                self._note_progress()
            case events.Reused():
                self._reused = True
                self.log.write(f"already there: {', '.join(event.nodes)}")
            case events.Notice():
                self.log.write(f"{event.node}: {event.fact}")
            case events.Saved():
                return self._place(event)
            case events.Failed():
                return replace(event, error=self._with_real_folder(event.error))
            case events.RunFinished():
                return replace(event, outputs=[str(path) for path in self.saved])
            case _:
                pass
        return event

    def conclude(self, event: events.Event, wanted: str = "") -> Outcome:
        """Write what the last event means for the job.

        Args:
            event: One of `events.LAST`.
            wanted: The state that people want of it where it was stopped; waiting by default.

        Raises:
            LeaseLostError: another process runs the queue now.
        """
        outcome = self._outcome(event, wanted)
        self._files.close()
        seconds = None  # of a run that computed all, none
        if isinstance(event, events.RunFinished) and (event.model_calls or not self._reused):
            seconds = event.seconds
        self._claims.end(
            self.job,
            outcome.state,
            error=outcome.error,
            model_calls=getattr(event, "model_calls", 0),
            seconds=seconds if self.job.attempts == 1 else None,
            kept=getattr(event, "checkpoints", ()),
        )
        self.log.write(f"{outcome.state}" + (f": {outcome.error}" if outcome.error else ""))
        if outcome.error and not outcome.error.known:
            self.log.write(outcome.error.traceback)
        return outcome

    def interrupt(self) -> None:
        """Leave the job waiting: this process ends, and whoever runs it next goes on."""
        self._files.close()
        self._claims.end(self.job, State.WAITING)
        self.log.write("interrupted")

    def _outcome(self, event: events.Event, wanted: str) -> Outcome:
        match event:
            case events.RunFinished() if self._failed is not None:
                return _failed(ErrorReport.of(self._failed))
            case events.RunFinished():
                return Outcome(State.DONE)
            case events.Failed():
                return _failed(event.error)
            case events.WorkerDied() if not wanted:
                return self._died(event)
            case _:
                return Outcome(State(wanted) if wanted else State.WAITING)

    def _died(self, event: events.WorkerDied) -> Outcome:
        """It is tried again, unless it kills the worker each time at one place."""
        self.log.write(f"the worker ended with code {event.exit_code}\n{event.last_words}")
        if self._deaths < MOST_DEATHS:
            return Outcome(State.WAITING)
        return Outcome(
            State.FAILED,
            ErrorReport(
                "WorkerDied",
                f"the worker ended {self._deaths} times at the same place, last with code "
                f"{event.exit_code}.",
                way_out="It may be short of memory: make the picture smaller, or use tiles.",
                traceback=event.last_words,
            ),
        )

    def _with_real_folder(self, error: ErrorReport) -> ErrorReport:
        """An error that names the output folder, and not the hidden one inside it."""
        hidden, real = str(self._files.folder), str(self.job.outputs)
        place, fact = (text.replace(hidden, real) for text in (error.place, error.fact))
        return replace(error, place=place, fact=fact)

    def _begin_work(self) -> None:
        """Count a death in advance: whoever kills this process cannot be told about."""
        if not self._working:
            self._working = True
            self._deaths += 1
            self._claims.count_death(self.job, self._deaths)

    def _note_progress(self) -> None:
        if not self._progressed:
            self._progressed = True
            self._deaths = 0
            self._claims.count_death(self.job, 0)

    def _place(self, event: events.Saved) -> events.Event:
        try:
            path = self._files.place(event.node, Path(event.path))
        except (OutputError, DiskFullError) as error:
            self._failed = error.at(event.node)
            return event
        self.saved.append(path)
        self.log.write(f"saved {path}")
        return replace(event, path=str(path))


def _part_to_run(
    job: Job, graph: Graph, catalogue: Catalogue
) -> tuple[Graph, list[str], list[str]]:
    """What of a job's workflow is run, its targets, and the loops whose last steps are kept.

    Raises:
        ExplorationError: it is a candidate's estimate, and there is none to be made.
    """
    place = job.group.place if job.group is not None and job.group.kind == EXPLORATION else None
    until = place.get("until") if isinstance(place, dict) else None
    if not isinstance(until, float):
        return graph, list(job.targets), []
    number = place.get("number", 0) if isinstance(place, dict) else 0
    estimates = estimates_of(graph, catalogue, until, f"{PREFIX}_{number:03}")
    return estimates.graph, list(estimates.saves), list(estimates.loops)


def _failed(error: ErrorReport) -> Outcome:
    """A job that met a full disk is not at fault: it waits until there is room."""
    return Outcome(State.WAITING if error.kind in NO_ROOM else State.FAILED, error)


class JobLog:
    """A text file with what happened to a job, a line each.

    Args:
        file: Where; None keeps none. A log that cannot be written is not missed.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def write(self, text: str) -> None:
        if self._file is None:
            return
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8", errors="replace") as log:
                log.write(f"{now} {text.rstrip()}\n")
