"""Commands of the Run menu."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from nodeforge import models
from nodeforge.graph.document import Document
from nodeforge.graph.inline import inline
from nodeforge.spec import Catalogue
from nodeforge.ui.common.command_registry import Command
from nodeforge.ui.common.formatting import plural
from nodeforge.ui.running.auto_run import AutoRun
from nodeforge.ui.window.base_window import BaseWindow


class RunMenu:
    """Runs the current document and controls the queue and the worker."""

    def __init__(self, window: BaseWindow) -> None:
        self._window, self._runner = window, window.runner
        self.auto = AutoRun(window.workspace, window.runner)

    def run(self) -> None:
        """Run the current workflow as often as the toolbar's spin box says; on the canvas,
        generate.
        """
        if (canvas := self._window.area.canvas) is not None:
            canvas.generate()
            return
        self._run([], self._window.run_count.value())

    def run_to_selected(self) -> None:
        """Run the selected nodes and their inputs."""
        current = self._window.workspace.current
        if current is not None:
            self._run(current.selection, 1)

    def run_selected(self) -> None:
        """Run the selected nodes and everything downstream of them."""
        window, current = self._window, self._window.workspace.current
        if current is None:
            return
        targets = reachable_outputs(current.document, current.selection, window.workspace.catalogue)
        if targets:
            self._run(targets, 1)
        else:
            window.status.show_text(
                "No selected node leads to a node that saves or shows something."
            )

    def stop(self) -> None:
        """Cancel the current gesture; if there is none, stop the run."""
        canvas, view = self._window.area.canvas, self._window.area.view
        if canvas is not None:
            in_hand = canvas.cancel()
        else:
            in_hand = view is not None and view.input_handler.cancel()
        if not in_hand and not self._runner.stop() and self._runner.busy:
            self._window.status.show_text("Runs of other tabs go on; stop one in the queue.")

    def run_label(self) -> str:
        return "Run" if self._window.area.canvas is None else "Generate"

    def restart_worker(self) -> None:
        self._window.messages.clear()
        self._runner.workers.kill()
        self._runner.restart_worker()

    def free_memory(self) -> None:
        """Make the worker release loaded networks and cached results."""
        say = self._window.status.show_text
        self._runner.workers.ask_all(
            "free", lambda _: say("Models and results were released from memory.")
        )

    def check_contents(self) -> None:
        """Have every model file read again where size and times may not tell a change."""
        models.fingerprints().forget()

        def done(_: object) -> None:
            self._window.status.show_text("Model files are read again when they are next used.")
            self._runner.planner.schedule()

        self._runner.workers.ask_all("forget_contents", done)

    def previews_on(self) -> bool:
        return self._window.workspace.store.value("previews", "true") != "false"

    def switch_previews(self) -> None:
        store = self._window.workspace.store
        store.setValue("previews", "false" if self.previews_on() else "true")

    def switch_auto(self) -> None:
        self.auto.set_enabled(not self.auto.enabled)
        if self.auto.enabled:
            self._window.status.show_text(
                "Run on change is on; nodes that save files wait for Run."
            )

    def switch_pause(self) -> None:
        self._runner.pause(not self._runner.jobs.paused)

    def commands(self) -> list[Command]:
        """The commands of the menu."""
        window = self._window
        any_open, any_chosen = window.has_document, window.has_selection
        enter, to_enter = ("Ctrl+Return", "Ctrl+Enter"), ("Ctrl+Shift+Return", "Ctrl+Shift+Enter")
        return [
            Command("run.run", "Run", self.run, enter, "play", any_open, label=self.run_label),
            Command(
                "run.to_selected",
                "Run to selected node",
                self.run_to_selected,
                to_enter,
                "crosshair",
                any_chosen,
            ),
            Command(
                "run.selected",
                "Run from selected node",
                self.run_selected,
                ("Ctrl+Alt+Return", "Ctrl+Alt+Enter"),
                "git-branch",
                any_chosen,
            ),
            Command("run.stop", "Stop", self.stop, ("Esc",), "stop", lambda: self._runner.busy),
            Command(
                "run.grid",
                "Grid…",
                window.ask_grid,
                (),
                "table",
                any_open,
                words=("Sweep", "XY plot", "Compare values"),
            ),
            Command(
                "run.explore",
                "Explore…",
                window.ask_explore,
                (),
                "sparkle",
                any_open,
                words=("Many seeds", "Choose early", "Candidates"),
            ),
            Command(
                "run.measure",
                "Measure model…",
                window.ask_measurement,
                (),
                "chart-line",
                any_open,
                words=("Converged", "How many steps", "Benchmark sampler"),
            ),
            _switch(
                "run.on_change",
                "Run on change",
                self.switch_auto,
                "lightning",
                lambda: self.auto.enabled,
            ),
            _switch(
                "run.pause",
                "Pause the queue",
                self.switch_pause,
                "pause",
                lambda: self._runner.jobs.paused,
            ),
            _switch(
                "run.previews", "Preview every step", self.switch_previews, "eye", self.previews_on
            ),
            Command(
                "run.relink",
                "Relink models…",
                partial(self._with_current, window.relink),
                (),
                "link-simple",
                any_open,
            ),
            Command("run.free", "Free memory", self.free_memory, (), "hard-drives"),
            Command(
                "run.check_contents",
                "Check contents again",
                self.check_contents,
                (),
                "fingerprint",
            ),
            Command(
                "run.restart_worker", "Restart worker", self.restart_worker, (), "arrows-clockwise"
            ),
        ]

    def _run(self, targets: list[str], count: int) -> None:
        window, current = self._window, self._window.workspace.current
        window.messages.clear()
        if current is None or not self._runner.run(current, targets, count):
            return
        if (holder := self._runner.kept.holder) is not None:
            window.status.show_text(f"Queued; {holder.title} runs the queue.")
        elif self._runner.jobs.paused:
            window.status.show_text("Queued; the queue is paused.")
        elif count > 1:
            window.status.show_text(f"{plural(count, 'run')} queued")

    def _with_current(self, do: Callable) -> None:
        if (current := self._window.workspace.current) is not None:
            do(current)


def reachable_outputs(
    document: Document, chosen: Collection[str], catalogue: Catalogue
) -> list[str]:
    """The output nodes (that save or show something) among `chosen` and downstream of them."""
    whole = inline(document.graph)
    fed: dict[str, list[str]] = {}
    for end, start in whole.node_links().items():
        fed.setdefault(start.node, []).append(end.node)
    waiting = [n for n in whole.nodes if any(n == c or n.startswith(f"{c}/") for c in chosen)]
    seen = set(waiting)
    while waiting:
        new = [node for node in fed.get(waiting.pop(), ()) if node not in seen]
        seen.update(new)
        waiting += new
    specs = {node: catalogue.get(whole.nodes[node].type) for node in seen if node in whole.nodes}
    return sorted(node for node, spec in specs.items() if spec is not None and spec.wanted)


def _switch(
    name: str, text: str, do: Callable[[], object], icon: str, on: Callable[[], bool]
) -> Command:
    return Command(name, text, do, (), icon, checked=on)
