"""Run on change: runs cheap nodes after every edit, all others after a pause.

Runs of an outdated graph are cancelled. Nodes that save files are left to a manual run; their
inputs are computed.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer

from nodeforge.engine.events import Source
from nodeforge.graph.inline import Inlined, inline
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.job_queue import snapshot
from nodeforge.ui.running.runner import Runner

PAUSE = 700
"""Milliseconds without an edit until expensive nodes are run."""
CHEAP = 0.1
"""Seconds up to which a node counts as cheap."""


class AutoRun(QObject):
    """Runs the current document after edits, while enabled."""

    def __init__(self, workspace: Workspace, runner: Runner, pause: int = PAUSE) -> None:
        super().__init__()
        self._workspace, self._runner = workspace, runner
        self._wanted: list[str] = []
        self._ran: dict[str, Any] | None = None
        """The graph that was last run completely; it is not run again."""
        self._pause = QTimer(self, singleShot=True)
        self._pause.setInterval(pause)
        self._pause.timeout.connect(self._run_rest)
        runner.planner.plan_changed.connect(self._planned)
        workspace.opened.connect(self._watch)
        workspace.current_changed.connect(lambda _: self._pause.stop())
        self.set_enabled(self.enabled)

    @property
    def enabled(self) -> bool:
        return self._workspace.store.value("run_on_change", "false") == "true"

    def set_enabled(self, on: bool) -> None:
        """Turn run on change on or off."""
        self._workspace.store.setValue("run_on_change", "true" if on else "false")
        self._runner.planner.set_continuous(on)
        self._pause.stop()
        if not on:
            self._runner.stop_auto()

    def _watch(self, opened: OpenDocument) -> None:
        opened.graph_changed.connect(lambda: self._changed(opened))

    def _changed(self, opened: OpenDocument) -> None:
        if self.enabled and opened is self._workspace.current:
            graph = snapshot(opened.document.graph)
            self._pause.stop()
            self._ran = self._ran if self._ran == graph else None
            self._runner.stop_auto(unless=graph)

    def _planned(self, opened: OpenDocument) -> None:
        """Run the cheap nodes of a new plan, and start the pause for the others."""
        jobs = self._runner.jobs
        if not self.enabled or self._runner.busy or jobs.waiting or jobs.paused:
            return
        planned = self._runner.planner.planned(opened.id)
        whole = inline(opened.document.graph)
        missing = {node for node, source in planned.items() if source is Source.COMPUTED}
        missing -= {node for node in missing if self._saves(whole, node)}
        if not missing or self._ran == snapshot(opened.document.graph):
            return
        feeds = _feeds(whole)
        cheap = self._cheap(whole, missing, feeds)
        self._wanted = _last(missing, feeds)
        if now := _last(cheap, feeds):
            self._runner.run_auto(opened, now)
        if missing - cheap:
            self._pause.start()
        else:
            self._ran = snapshot(opened.document.graph)

    def _run_rest(self) -> None:
        opened = self._workspace.current
        if opened is not None and self.enabled and not self._runner.jobs.waiting:
            self._ran = snapshot(opened.document.graph)
            self._runner.run_auto(opened, self._wanted)

    def _saves(self, whole: Inlined, node: str) -> bool:
        spec = (
            self._workspace.catalogue.get(whole.nodes[node].type) if node in whole.nodes else None
        )
        return spec is None or spec.effects

    def _cheap(self, whole: Inlined, missing: set[str], feeds: dict[str, set[str]]) -> set[str]:
        """The cheap nodes of `missing` whose missing inputs are cheap, too."""
        quick = {node for node in missing if self._is_quick(whole, node)}
        while slow := {node for node in quick if (feeds.get(node, set()) & missing) - quick}:
            quick -= slow
        return quick

    def _is_quick(self, whole: Inlined, node: str) -> bool:
        """Whether the last run was quick; if unknown, whether the node runs no network."""
        seconds = self._runner.planner.costs.get(node)
        if seconds is not None:
            return seconds <= CHEAP
        spec = self._workspace.catalogue.get(whole.nodes[node].type)
        return spec is not None and not spec.runs_network


def _feeds(whole: Inlined) -> dict[str, set[str]]:
    """For each node, the nodes that it reads from."""
    found: dict[str, set[str]] = {}
    for end, start in whole.node_links().items():
        found.setdefault(end.node, set()).add(start.node)
    return found


def _last(nodes: set[str], feeds: dict[str, set[str]]) -> list[str]:
    """The nodes of `nodes` that no other of them reads."""
    inner = {source for node in nodes for source in feeds.get(node, ())}
    return sorted(nodes - inner)
