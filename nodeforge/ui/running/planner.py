"""Lints the current workflow and plans its run, after each edit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from nodeforge.engine.events import Source
from nodeforge.engine.remote import is_elsewhere
from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.paths import join, split
from nodeforge.graph.planned import original
from nodeforge.lint import Problem, Severity, lint
from nodeforge.ui.documents.auto_values import auto_values
from nodeforge.ui.documents.node_state import NodeState
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.job_queue import snapshot
from nodeforge.ui.running.picture_problems import PictureProblems
from nodeforge.ui.running.reasons import forecast_text
from nodeforge.ui.running.result_pictures import ResultPictures
from nodeforge.ui.running.workers.connection import Answer, WorkerConnection

_STATE_OF_SOURCE = {Source.COMPUTED: "will_run", Source.MEMORY: "cached", Source.DISK: "on_disk"}
_PAUSE = 250
"""Milliseconds after an edit until it is planned again."""
_QUICK = 0.05
"""Seconds that a check may take to be done at once after an edit, and not after the pause."""
_HURRIED = 60
"""The same while run on change is on, counted from the first of several edits."""


class Planner(QObject):
    """Lints and plans the current document after a short pause.

    Args:
        busy: Whether a run is in progress; its events give the states then.
    """

    logged = Signal(str)
    plan_changed = Signal(object)
    """The document that has a new plan."""

    def __init__(
        self,
        workspace: Workspace,
        link: WorkerConnection,
        pictures: ResultPictures,
        busy: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._workspace, self._link, self._pictures, self._busy = workspace, link, pictures, busy
        self.costs: dict[str, float] = {}
        """Seconds of the last run, by node."""
        self._planned: dict[str, dict[str, Source]] = {}
        self._graphs: dict[str, Any] = {}
        """The graph of the last plan, by document."""
        self._of_pictures: dict[str, list[Problem]] = {}
        self._picture_problems = PictureProblems()
        self._picture_problems.found.connect(self._on_picture_problems)
        self._continuous = self._is_closed = False
        self._seconds: dict[str, float] = {}
        """What linting a document took last."""
        self._checked: tuple[str, list[Problem]] | None = None
        """The document that was linted since its last edit, and its problems."""
        self._at_once = QTimer(self, singleShot=True)
        self._at_once.timeout.connect(self._check_current)
        self._pause = QTimer(self, singleShot=True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._plan_current)
        workspace.opened.connect(self._watch)
        workspace.closed.connect(self._forget)
        workspace.current_changed.connect(lambda _: self.schedule())

    def schedule(self) -> None:
        """Lint and plan the current document after the pause."""
        if self._is_closed:
            return  # the views of documents go, one after another
        self._checked = None
        if not (self._continuous and self._pause.isActive()):
            self._pause.start()

    def set_continuous(self, on: bool) -> None:
        """Whether to plan also while the document is being edited."""
        self._continuous = on
        self._pause.setInterval(_HURRIED if on else _PAUSE)
        self.schedule()

    def close(self) -> None:
        """Nothing is linted or planned any more: the window goes."""
        self._is_closed = True
        self._pause.stop()
        self._at_once.stop()
        self._picture_problems.close()

    def planned(self, document_id: str) -> dict[str, Source]:
        """The source of each node's result in the last plan of a document."""
        return self._planned.get(document_id, {})

    def check(self, opened: OpenDocument) -> list[Problem]:
        """Lint the document and show the problems in its views.

        Those of its pictures are from when they were last read; `schedule` has them read.
        """
        start = time.perf_counter()
        found = lint(
            opened.document,
            self._workspace.catalogue,
            self._workspace.folders,
            granted=opened.granted,
            elsewhere=is_elsewhere(self._workspace.settings),
        )
        found += self._of_pictures.get(opened.id, [])
        found.sort(key=lambda problem: problem.severity.rank)
        opened.show_problems(found, self._auto_values(opened))
        self._seconds[opened.id] = time.perf_counter() - start
        self._checked = opened.id, found
        return found

    def _on_edit(self, opened: OpenDocument) -> None:
        """Lint at once where that is quick: no key waits for it."""
        self.schedule()
        if self._is_closed:
            return
        if opened is self._workspace.current and self._seconds.get(opened.id, 1.0) < _QUICK:
            self._at_once.start()

    def _check_current(self) -> None:
        opened = self._workspace.current
        if opened is not None and self._checked is None:
            self.check(opened)

    def _auto_values(self, opened: OpenDocument) -> dict[str, dict[str, str]]:
        recognised = self._workspace.recognised(opened.granted)
        return auto_values(opened.document, self._workspace.catalogue, recognised)

    def _forget(self, opened: OpenDocument) -> None:
        for known in (self._planned, self._of_pictures, self._graphs, self._seconds):
            known.pop(opened.id, None)
        self._picture_problems.forget(opened.id)

    def _on_picture_problems(self, document_id: str, found: list[Problem]) -> None:
        opened = self._workspace.find(document_id)
        if self._is_closed or opened is None or found == self._of_pictures.get(document_id, []):
            return
        self._of_pictures[document_id] = found
        self._checked = None
        if opened is self._workspace.current:
            self._plan(opened)
        else:
            self.check(opened)

    def _watch(self, opened: OpenDocument) -> None:
        opened.graph_changed.connect(partial(self._on_edit, opened))

    def _plan_current(self) -> None:
        """Lint the current document and request its plan."""
        opened = self._workspace.current
        if opened is None:
            return
        self._picture_problems.look(opened, self._workspace.catalogue, self._workspace.settings)
        self._plan(opened)

    def _plan(self, opened: OpenDocument) -> None:
        known = self._checked
        problems = known[1] if known and known[0] == opened.id else self.check(opened)
        if any(each.severity is Severity.ERROR for each in problems) or self._busy():
            return
        # the worker that ran it last knows more results than the disk has
        self._pictures.link_of(opened).ask(
            "plan",
            partial(self._on_plan, opened.id),
            graph=snapshot(opened.document.graph),
            **opened.meaning,
            document=opened.run_id,
        )

    def _on_plan(self, document_id: str, answer: Answer) -> None:
        opened = self._workspace.find(document_id)
        if opened is None or self._busy():
            return
        if not isinstance(answer, dict):
            self.logged.emit(str(answer))
            return
        opened.show_companions(answer["companions"])
        before = self._planned.get(document_id, {})
        copies = answer["nodes"]
        self._planned[document_id] = {copy: Source(what["source"]) for copy, what in copies.items()}
        for copy, what in copies.items():
            if what["seconds"] is not None:
                self.costs[copy] = what["seconds"]
        # an answer of its own: it imports diffusers, which takes seconds the first time
        self._link.ask(
            "memory_needs", partial(self._on_memory_needs, opened.id), models=answer["models"]
        )
        forecasts = _by_node(copies)
        reasons = {
            node: forecast_text(self._workspace, opened, what, answer["unread"])
            for node, what in forecasts.items()
        }
        now = {node: Source(what["source"]) for node, what in forecasts.items()}
        self._show_plan(opened, now, {original(copy): s for copy, s in before.items()}, reasons)
        self.plan_changed.emit(opened)

    def _on_memory_needs(self, document_id: str, answer: Answer) -> None:
        opened = self._workspace.find(document_id)
        if opened is not None and isinstance(answer, dict):
            opened.show_memory_needs(answer["models"])

    def _current_effects(self, opened: OpenDocument, now: dict[str, Source]) -> set[str]:
        """Nodes that run only as they save with every run: nothing that feeds them is new."""
        found: set[str] = set()
        for node, source in now.items():
            group, name = split(node)
            try:
                spec = self._workspace.catalogue.get(opened.document.node(node).type)
                links = opened.document.group(group).links.items()
            except NoSuchNodeError:
                continue
            feeds = [join(group, start.node) for end, start in links if end.node == name]
            fed_anew = any(now.get(feed) is Source.COMPUTED for feed in feeds)
            if spec is not None and spec.effects and source is Source.COMPUTED and not fed_anew:
                found.add(node)
        return found

    def _show_plan(
        self,
        opened: OpenDocument,
        now: dict[str, Source],
        before: dict[str, Source],
        reasons: Mapping[str, str],
    ) -> None:
        # what a run would not even ask for still says how long it took
        states = {
            node: NodeState(seconds=opened.states.get(node, NodeState()).seconds)
            for node in before
            if node not in now
        }
        opened.current_effects = self._current_effects(opened, now)
        graph = snapshot(opened.document.graph)
        failed = opened.failed_graph == graph
        changed = self._graphs.get(opened.id) != graph
        self._graphs[opened.id] = graph
        for node, source in now.items():
            known = opened.states.get(node, NodeState())
            kind = _STATE_OF_SOURCE[source]
            if known.kind == "error" and source is Source.COMPUTED and failed:
                continue
            states[node] = NodeState(kind, seconds=known.seconds, reason=reasons[node])
        opened.show_states(states)
        kept = [n for n, s in now.items() if s is not Source.COMPUTED]
        fresh = [n for n in kept if before.get(n) != now[n] or (changed and n in opened.pictures)]
        if fresh:
            self._pictures.show_now(opened)
        for node in fresh:
            self._pictures.fetch(opened, node)


def _by_node(copies: Mapping[str, Any]) -> dict[str, Any]:
    """The forecasts of nodes, of several copies behind a list that of the first to be computed."""
    found: dict[str, Any] = {}
    for copy, what in copies.items():
        known = found.get(original(copy))
        if known is None or (
            Source(known["source"]) is not Source.COMPUTED
            and Source(what["source"]) is Source.COMPUTED
        ):
            found[original(copy)] = what
    return found
