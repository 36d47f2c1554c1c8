"""Messages of runs and of the linter, shown in the message bars above the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QApplication

from nodeforge.engine.events import ErrorReport
from nodeforge.graph.edits import GraphEdit, SetValue, Together
from nodeforge.lint import Problem, Severity
from nodeforge.models import PickleRefusedError
from nodeforge.ui.common.formatting import plural
from nodeforge.ui.common.message_bars import Button, MessageBars
from nodeforge.ui.common.number_text import format_number
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.seeds import random_seed, seed_ports
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.pickle_dialog import ALLOW
from nodeforge.ui.files.refused_pickles import refused_pickles
from nodeforge.ui.running.job_queue import Job
from nodeforge.ui.running.runner import Runner

_ALWAYS = ("run", "stopped")
"""What is said of a run also where its document is not in front."""


class MessageActions(Protocol):
    """Actions of the buttons in the message bars."""

    def show_problems(self) -> None: ...

    def show_queue(self) -> None: ...

    def show_node(self, opened: OpenDocument, node: str) -> None: ...

    def relink(self, opened: OpenDocument) -> None: ...

    def allow_pickle(self, opened: OpenDocument, file: Path, *, run: bool) -> None: ...

    def restart_worker(self) -> None: ...

    def save(self, opened: OpenDocument) -> object: ...


class RunMessages:
    """Shows refused and failed runs, missing models and a lost worker."""

    def __init__(
        self, workspace: Workspace, runner: Runner, message_bars: MessageBars, ways: MessageActions
    ) -> None:
        self._workspace, self._message_bars, self._ways = workspace, message_bars, ways
        self._runner = runner
        self._offered: set[str] = set()
        self._about: dict[str, str] = {}
        """The id of the document that a message is about, by subject."""
        runner.refused.connect(self._refused)
        runner.failed.connect(self._failed)
        runner.repeated.connect(self._repeated)
        runner.stopped.connect(self._stopped)
        runner.worker_lost.connect(self._lost_worker)
        runner.worker_replaced.connect(self._replaced_worker)
        runner.workers.refused.connect(self._lost_worker)
        runner.kept.changed.connect(self._queue_changed)
        workspace.opened.connect(self._watch)
        workspace.closed.connect(self._closed)

    def clear(self) -> None:
        """Remove the messages of the last run."""
        for subject in ("run", "refused", "worker", "repeated", "stopped"):
            self._message_bars.dismiss(subject)

    def tell_of_queue(self) -> None:
        """Say at the start what the queue on disk holds that does not start by itself."""
        kept = self._runner.kept
        show: Button = ("Show queue", self._ways.show_queue)
        if self._runner.workers.problem:
            self._lost_worker(self._runner.workers.problem)
        if kept.moved_aside:
            text = f"The job queue was damaged. It is kept as {kept.moved_aside}; "
            text += "the jobs that could be read are in a new one."
            self._message_bars.show_message("damaged queue", text, [show], kind="warn")
        if kept.holder is not None and self._runner.jobs.pending:
            text = f"Process {kept.holder.pid}, {kept.holder.title}, runs the queue."
            text = f"{text} What you run here waits there for its turn."
            self._message_bars.show_message("queue", text, [show], kind="info")
        elif kept.holder is None and kept.held:
            begun = sum(job.attempts > 0 for job in kept.jobs if job.id in kept.held)
            text = f"In the queue from before: {plural(len(kept.held), 'job')}"
            text += f", {begun} begun, to go on from the last step." if begun else "."
            go_on: Button = ("Go on", kept.release_all)
            self._message_bars.show_message("queue", text, [go_on, show], kind="info")

    def _queue_changed(self) -> None:
        """Remove what was said of the queue once it is so no longer."""
        kept = self._runner.kept
        if kept.holder is None and not kept.held:
            self._message_bars.dismiss("queue")

    def recovered(self, opened: OpenDocument) -> None:
        text = f"“{opened.name}” was not saved when NodeForge last ended. Here it is."
        save = ("Save", lambda: self._ways.save(opened))
        self._show(f"recovered {opened.id}", opened.id, text, [save], kind="info")

    def _watch(self, opened: OpenDocument) -> None:
        opened.problems_changed.connect(lambda: self._problems_changed(opened))
        opened.file_status_changed.connect(lambda: self._standing_changed(opened))

    def _standing_changed(self, opened: OpenDocument) -> None:
        """Remove the recovery message once the document is saved."""
        if not opened.recovered:
            self._dismiss(f"recovered {opened.id}", opened)

    def _closed(self, opened: OpenDocument) -> None:
        for subject in [each for each, about in self._about.items() if about == opened.id]:
            self._dismiss(subject, opened)

    def _show(
        self,
        subject: str,
        document: str,
        text: str,
        buttons: Sequence[Button] = (),
        kind: str = "error",
    ) -> None:
        self._about[subject] = document
        about = "" if subject in _ALWAYS else document
        self._message_bars.show_message(subject, text, buttons, kind, about)

    def _dismiss(self, subject: str, opened: OpenDocument) -> None:
        """Remove a message, if it is about `opened`."""
        if self._about.get(subject) == opened.id:
            del self._about[subject]
            self._message_bars.dismiss(subject)

    def _problems_changed(self, opened: OpenDocument) -> None:
        """Offer once to relink models; remove a refusal once its errors are fixed."""
        missing = any(each.rule == "missing_models" for each in opened.problems)
        if missing and opened.id not in self._offered:
            self._offered.add(opened.id)
            text = f"“{opened.name}” names models that are not on this machine."
            relink = ("Relink…", lambda: self._ways.relink(opened))
            self._show(f"models {opened.id}", opened.id, text, [relink], kind="warn")
        elif not missing:
            self._dismiss(f"models {opened.id}", opened)
        if not any(each.severity is Severity.ERROR for each in opened.problems):
            self._dismiss("refused", opened)

    def _refused(self, opened: OpenDocument, problems: list[Problem]) -> None:
        text = f"Not run: {plural(len(problems), 'problem')} to fix first. {problems[0].told}"
        buttons: list[Button] = [("Show problems", self._ways.show_problems)]
        if fixes := [each.fix for each in problems if each.fix is not None]:
            fix = partial(self._fix, opened, fixes)
            buttons.insert(0, (_fixing(fixes, whole=len(fixes) == len(problems)), fix))
        if any(each.rule == "missing_models" for each in problems):
            buttons.append(("Relink…", lambda: self._ways.relink(opened)))
        pickles = refused_pickles(self._workspace, opened)
        named = (pickles.get((each.node, each.port)) for each in problems)
        if (file := next(filter(None, named), None)) is not None:
            buttons.insert(0, self._allowing(opened, file))
        self._show("refused", opened.id, text, buttons)
        self._ways.show_problems()

    def _allowing(self, opened: OpenDocument, file: Path) -> Button:
        """Allow a pickle, then run again."""
        return ALLOW, lambda: self._ways.allow_pickle(opened, file, run=True)

    def _fix(self, opened: OpenDocument, fixes: list[GraphEdit]) -> None:
        if opened in self._workspace.documents:
            opened.perform(fixes[0] if len(fixes) == 1 else Together("fix problems", fixes))

    def _repeated(self, opened: OpenDocument, targets: list[str], count: int) -> None:
        """Say that runs were left out, and offer what would give another picture."""
        text = "Same as last: nothing changed, so nothing was run again."
        if self._runner.busy or self._runner.jobs.waiting:
            text = f"{plural(count, 'run')} left out, which would give the same picture again."
        again = ("Run again", lambda: self._runner.run(opened, targets, again=True))
        buttons: list[Button] = [again]
        if any(seed_ports(opened.document, self._workspace.catalogue)):
            buttons.insert(0, ("Run with a new seed", lambda: self._run_anew(opened, targets)))
        self._show("repeated", opened.id, f"“{opened.name}”: {text}", buttons, kind="info")

    def _stopped(self, job: Job) -> None:
        """Offer to go on; a run whose seed would be another has nothing to go on from."""
        opened = self._workspace.find(job.document)
        running = self._runner.jobs.running.values()
        if opened is None or any(each.is_of(opened.id) for each in running):
            return
        text = f"“{opened.name}” was stopped. What is done is kept."
        targets = job.request.targets

        def resume() -> None:
            if job.kept is not None:
                self._runner.resume_job(job)
            else:
                self._runner.run(opened, targets, again=True, draw=False)

        self._show("stopped", opened.id, text, [("Resume", resume)], kind="info")

    def _run_anew(self, opened: OpenDocument, targets: list[str]) -> None:
        ports = seed_ports(opened.document, self._workspace.catalogue)
        edits = [SetValue(path, port, random_seed()) for path, port in ports]
        opened.perform(Together("new seed", edits))
        self._runner.run(opened, targets)

    def _failed(self, job: Job, node: str, error: ErrorReport) -> None:
        if job.kept is not None and job.kept.group is not None:
            return  # its cell says so, and the others go on
        inputs = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in error.inputs.items())
        opened = self._workspace.find(job.document)
        text = self._told(opened, node, error) + (f"\nInputs: {inputs}." if inputs else "")
        buttons: list[Button] = []
        if node and opened is not None:
            buttons.append(("Show node", lambda: self._ways.show_node(opened, node)))
        if opened is not None and error.kind == PickleRefusedError.__name__:
            pickles = refused_pickles(self._workspace, opened)
            if file := next((each for (path, _), each in pickles.items() if path == node), None):
                buttons.insert(0, self._allowing(opened, file))
        copied = f"{text}\n{error.traceback}"
        buttons.append(("Copy", lambda: QApplication.clipboard().setText(copied)))
        self._show("run", job.document, f"{job.name}: {text}", buttons)

    def _told(self, opened: OpenDocument | None, node: str, error: ErrorReport) -> str:
        """The error's text, with the node's title as its place."""
        if opened is None or not node:
            return str(error)
        title = self._workspace.node_title(opened.document, node)
        within = error.place.partition(f"({node})")[2]
        return str(replace(error, place=f"{title}{within}"))

    def _lost_worker(self, text: str) -> None:
        self._message_bars.show_message("worker", text, [("Restart", self._ways.restart_worker)])

    def _replaced_worker(self, text: str) -> None:
        show: Button = ("Show queue", self._ways.show_queue)
        self._message_bars.show_message("worker", text, [show], kind="warn")


def _fixing(fixes: list[GraphEdit], *, whole: bool) -> str:
    """What the button says that fixes problems; `whole` where these are all."""
    only = fixes[0]
    if len(fixes) == 1 and isinstance(only, SetValue) and type(only.value) in (int, float):
        return f"Use {format_number(only.value)}"
    return "Fix" if whole else f"Fix {plural(len(fixes), 'problem')}"
