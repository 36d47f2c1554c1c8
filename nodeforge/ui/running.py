"""Runs workflows: sends snapshots to the worker, and tells documents what comes of them.

Every event carries its run, every run its document: what arrives for a closed one is dropped.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from nodeforge.engine import events
from nodeforge.engine.context import RunRequest
from nodeforge.engine.events import Source
from nodeforge.formats import stamp
from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.edits import SetValue
from nodeforge.lint import Problem, Severity, lint
from nodeforge.settings import Settings
from nodeforge.ui.jobs import DONE, FAILED, STOPPED, Job, Jobs, new_run_id, snapshot
from nodeforge.ui.node_state import NodeState
from nodeforge.ui.open_document import OpenDocument
from nodeforge.ui.pictures import Pictures, enlarged
from nodeforge.ui.progress import Meter
from nodeforge.ui.worker_link import Answer, Spawn, WorkerLink
from nodeforge.ui.workspace import Workspace

_KINDS = {Source.COMPUTED: "done", Source.MEMORY: "cached", Source.DISK: "on_disk"}
_PLANNED = {Source.COMPUTED: "will_run", Source.MEMORY: "cached", Source.DISK: "on_disk"}
_PAUSE = 250
"""Milliseconds after an edit until the plan is asked for again."""
_LARGEST_SEED = 2**32 - 1


class Runner(QObject):
    """The queue and the worker.

    Args:
        workspace: The documents that runs belong to.
        spawn: Starts the worker's process.
    """

    refused = Signal(object, list)
    """The document and its problems, where a run is refused."""
    failed = Signal(object, str, object)
    """The job, the node (or empty) and the `ErrorReport`."""
    saved = Signal(object, str, str)
    """The job, the node and the path it wrote."""
    finished = Signal(object)
    """The job, once it has ended well."""
    worker_lost = Signal(str)
    """What happened, a sentence or two."""
    logged = Signal(str)
    stepped = Signal(object, str)
    """The document and the node that has made a step, with a new preview in its pictures."""

    def __init__(self, workspace: Workspace, spawn: Spawn) -> None:
        super().__init__()
        self._workspace = workspace
        self.jobs = Jobs()
        self.meter = Meter()
        self.link = WorkerLink(workspace.settings, spawn)
        self.pictures = Pictures(self.link, workspace)
        self.link.told.connect(self._hear)
        self._halted = False
        self._planned: dict[str, dict[str, Source]] = {}
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self._plan_current)
        workspace.opened.connect(self._watch)
        workspace.closed.connect(self._forget)
        workspace.current_changed.connect(lambda _: self._pause.start())

    @property
    def busy(self) -> bool:
        return self.jobs.current is not None

    def run(self, opened: OpenDocument, targets: list[str] | None = None, count: int = 1) -> bool:
        """Queue `count` runs of the document as it is now; seeds that move on do so in between.

        Returns:
            False where problems refuse it (`refused`).
        """
        errors = [each for each in self.check(opened) if each.severity is Severity.ERROR]
        if targets:
            errors = [each for each in errors if each.rule != "nothing_to_run"]
        if errors:
            self.refused.emit(opened, errors)
            return False
        for _ in range(count):
            self._queue(opened, targets or [])
            self._next_seeds(opened)
        self._halted = False
        self._advance()
        return True

    def check(self, opened: OpenDocument) -> list[Problem]:
        """Look for problems in the document, and tell its views."""
        found = lint(
            opened.document,
            self._workspace.catalogue,
            self._workspace.folders,
            granted=opened.granted,
        )
        opened.show_problems(found)
        return found

    def stop(self) -> None:
        """Stop the run in hand, keeping what is done; a second time, end the worker."""
        if self.jobs.current is not None:
            self.link.cancel(self.jobs.current.id)

    def restart_worker(self) -> None:
        self._halted = False
        self.link.start()
        self._pause.start()
        self._advance()

    def use_settings(self, settings: Settings) -> None:
        """Go on with a worker that knows `settings`."""
        self.link.reconnect(settings)
        self._pause.start()

    def close(self) -> None:
        self._pause.stop()
        self.link.close()

    def _queue(self, opened: OpenDocument, targets: list[str]) -> None:
        document, settings = opened.document, self._workspace.settings
        settings.outputs.mkdir(parents=True, exist_ok=True)
        request = RunRequest(
            run=new_run_id(),
            targets=targets,
            assets=dict(document.assets),
            granted=list(opened.granted),
            stamp=stamp(document, self._workspace.catalogue),
            outputs=settings.outputs.absolute(),
            previews=self._workspace.store.value("previews", "true") != "false",
        )
        graph = snapshot(document.graph)
        self.jobs.add(Job(opened.id, opened.name, graph, request, dict(self.meter.costs)))

    def _next_seeds(self, opened: OpenDocument) -> None:
        """Move on the seeds that are set to change with every run."""
        for (path, port), mode in list(opened.seed_modes.items()):
            try:
                node = opened.document.node(path)
            except NoSuchNodeError:
                continue
            seed = int(node.values.get(port, 0))
            new = random.randint(0, _LARGEST_SEED) if mode == "random" else seed + 1
            opened.perform(SetValue(path, port, new))

    def _advance(self) -> None:
        job = None if self._halted else self.jobs.next()
        if job is None:
            return
        self.meter.begin(job, self._planned.get(job.document, {}))
        opened = self._workspace.find(job.document)
        if opened is not None:
            opened.last_run = self.pictures.snapshot(job)
            old = {
                path: NodeState() for path, state in opened.states.items() if state.kind == "error"
            }
            opened.show_states(old)
        self.link.run(job.graph, job.request)

    def _hear(self, arrived: list[events.Event]) -> None:
        for event in arrived:
            job = self.jobs.current
            if isinstance(event, events.WorkerDied):
                self._lost(event)
            elif job is not None and event.run == job.id:
                self._tell(job, self._workspace.find(job.document), event)

    def _tell(self, job: Job, opened: OpenDocument | None, event: events.Event) -> None:
        self.meter.hear(event)
        if opened is not None:
            self._show(opened, event)
        match event:
            case events.Saved():
                self.saved.emit(job, event.node, event.path)
            case events.Notice():
                self.logged.emit(f"{event.node}: {event.fact}")
            case events.Failed():
                self.logged.emit(str(event.error) + "\n" + event.error.traceback)
                self._end(FAILED, event.error.fact)
                self.failed.emit(job, event.node, event.error)
            case events.RunCancelled():
                self._end(STOPPED)
            case events.RunFinished():
                self.logged.emit(f"{job.name}: done in {event.seconds:.2f} s")
                self._end(DONE)
                self.finished.emit(job)

    def _show(self, opened: OpenDocument, event: events.Event) -> None:
        """Put what `event` says into the document's states and pictures."""
        match event:
            case events.Started():
                opened.step_pictures.pop(event.node, None)
                opened.show_states({event.node: NodeState("running")})
            case events.Progress():
                opened.steps[event.node] = event.of
                state = NodeState("running", event.step / max(1, event.of))
                opened.show_states({event.node: state})
            case events.Preview():
                size = event.width, event.height
                image = QImage(event.pixels, *size, size[0] * 3, QImage.Format.Format_RGB888)
                large = enlarged(image)
                opened.step_pictures.setdefault(event.node, {})[event.step] = large
                opened.show_picture(event.node, large)
                self.stepped.emit(opened, event.node)
            case events.Finished():
                kind = _KINDS[event.source]
                opened.show_states({event.node: NodeState(kind, seconds=event.seconds)})
                self.pictures.fetch(opened, event.node)
            case events.Reused():
                opened.show_states(
                    {node: NodeState(_KINDS[source]) for node, source in event.nodes.items()}
                )
                for node in event.nodes:
                    self.pictures.fetch(opened, node)
            case events.Saved():
                self.pictures.read(opened, event.node, event.path)
            case events.Failed() if event.node:
                state = NodeState("error", message=str(event.error))
                opened.show_states({event.node: state})
                self._settle(opened)
            case events.Failed() | events.RunCancelled() | events.WorkerDied():
                self._settle(opened)

    def _settle(self, opened: OpenDocument) -> None:
        """What ran when the run ended early would run again."""
        opened.show_states(
            {
                path: replace(state, kind="will_run", progress=None)
                for path, state in opened.states.items()
                if state.kind == "running"
            }
        )

    def _end(self, state: str, message: str = "") -> None:
        self.jobs.end(state, message)
        self.meter.end()
        self._pause.start()
        self._advance()

    def _lost(self, event: events.WorkerDied) -> None:
        job = self.jobs.current
        if job is None or event.run != job.id:
            return
        if opened := self._workspace.find(job.document):
            self._show(opened, event)
        self.logged.emit(event.last_words)
        self._halted = True
        self._end(FAILED, "the worker ended")
        self.worker_lost.emit(
            f"The worker that runs models ended with code {event.exit_code}. "
            "Your workflow is untouched, and finished results are kept."
        )

    def _watch(self, opened: OpenDocument) -> None:
        opened.changed.connect(lambda _: self._pause.start())

    def _forget(self, opened: OpenDocument) -> None:
        self._planned.pop(opened.id, None)
        for job in [job for job in self.jobs.waiting if job.document == opened.id]:
            self.jobs.remove(job)
        if self.jobs.current is not None and self.jobs.current.document == opened.id:
            self.stop()

    def _plan_current(self) -> None:
        """Find problems in the current document, and what a run of it would do."""
        opened = self._workspace.current
        if opened is None:
            return
        problems = self.check(opened)
        if any(each.severity is Severity.ERROR for each in problems) or self.busy:
            return
        self.link.ask(
            "plan",
            partial(self._planned_now, opened.id),
            graph=snapshot(opened.document.graph),
            assets=dict(opened.document.assets),
            granted=list(opened.granted),
        )

    def _planned_now(self, document_id: str, answer: Answer) -> None:
        opened = self._workspace.find(document_id)
        if opened is None or self.busy:
            return
        if not isinstance(answer, dict):
            self.logged.emit(str(answer))
            return
        before = self._planned.get(document_id, {})
        now = {node: Source(what["source"]) for node, what in answer["nodes"].items()}
        self._planned[document_id] = now
        for node, what in answer["nodes"].items():
            if what["seconds"] is not None:
                self.meter.costs[node] = what["seconds"]
        self._show_plan(opened, now, before)

    def _show_plan(
        self, opened: OpenDocument, now: dict[str, Source], before: dict[str, Source]
    ) -> None:
        states = {node: NodeState() for node in before if node not in now}
        for node, source in now.items():
            known = opened.states.get(node, NodeState())
            kind = _PLANNED[source]
            if known.kind == "error" and source is Source.COMPUTED:
                continue
            states[node] = NodeState(kind, seconds=known.seconds)
        opened.show_states(states)
        fresh = [n for n, s in now.items() if s is not Source.COMPUTED and before.get(n) != s]
        if fresh:
            opened.last_run = self.pictures.snapshot_of(opened)
        for node in fresh:
            self.pictures.fetch(opened, node)
