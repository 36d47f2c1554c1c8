"""Measure this model…: what asks for it, and what shows how far it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.engine.remote import is_elsewhere
from nodeforge.errors import NodeForgeError
from nodeforge.models import fingerprints
from nodeforge.settings import Attention, update_settings
from nodeforge.ui.common.background_task import ReportProgress, run_in_background
from nodeforge.ui.documents.measured_loops import model_names
from nodeforge.ui.panels.measure_dialog import MeasureDialog, MeasureProgress
from nodeforge.ui.running.idle_measuring import IdleMeasuring
from nodeforge.ui.running.workers.connection import Answer
from nodeforge.ui.window.base_window import BaseWindow

if TYPE_CHECKING:
    from nodeforge.engine.measurements.conditions import Extent, MeasuredModel
    from nodeforge.engine.measurements.measuring import Measuring
    from nodeforge.models.measurements.measurement import Measurement


class MeasureCommands:
    """Starts the measurement of a model, and says what came of it.

    Args:
        window: The window, whose runner, workspace and status bar are there.
        extent: How much is measured; None is all.
    """

    def __init__(self, window: BaseWindow, extent: Extent | None = None) -> None:
        self._window, self.extent = window, extent
        self.idle = IdleMeasuring(window.runner)
        self.idle.ended.connect(self._ended)
        self.dialog: MeasureDialog | None = None
        window.status.addPermanentWidget(MeasureProgress(self.idle))

    def ask(self, name: str = "") -> None:
        """Ask for the measurement of a model.

        Args:
            name: As a workflow names it; empty is the first that the current workflow loads.
        """
        window, opened = self._window, self._window.workspace.current
        if not name and opened is not None:
            name = next(iter(model_names(window.workspace, opened)), "")
        if not name:
            window.status.show_text("The workflow loads no model that can be measured.")
            return
        if self.idle.measuring is not None:
            busy = self.idle.measuring.model.name
            window.status.show_text(f"“{busy}” is being measured; cancel that first.")
            return
        from nodeforge.engine.measurements.opening import checked_model

        granted = tuple(opened.granted) if opened is not None else ()
        try:
            model = checked_model(window.workspace.folders, name, granted, self.extent)
            read = self._read(model)
        except NodeForgeError as error:
            self._refuse(error)
            return
        if read:
            window.runner.worker.ask("devices", lambda answer: self._open(model, answer))

    def _read(self, model: MeasuredModel) -> bool:
        """Read a large model once, to know its content; whether the person let it be read."""
        known = fingerprints()
        if known.known(model.path) is not None:
            return True

        def work(report: ReportProgress) -> bool:
            done = 0

            def watch(count: int) -> None:
                nonlocal done
                done += count
                report(min(1.0, done / max(1, model.info.size)))

            known.of(model.path, watch)
            return True

        return bool(run_in_background(self._window, f"Reading {Path(model.name).name}…", work))

    def _open(self, model: MeasuredModel, answer: Answer) -> None:
        window = self._window
        if isinstance(answer, NodeForgeError):
            self._refuse(answer)
            return
        try:
            from nodeforge.engine.measurements.opening import open_measurement

            known, settings = window.workspace.folders.measurements, window.workspace.settings
            opened = open_measurement(
                model, known, answer["chosen"], self.extent, here=not is_elsewhere(settings)
            )
        except NodeForgeError as error:
            self._refuse(error)
            return
        for notice in opened.notices:
            window.runner.logged.emit(notice)
            window.area.message_bars.show_message("measure", notice, kind="warn")
        if opened.measuring.is_whole and not opened.measuring.wants_attention:
            window.status.show_text(f"“{model.name}” has been measured here already.")
            self._show_everywhere()
            return
        self.idle.probe(opened.measuring)
        self.dialog = MeasureDialog(self.idle, opened.measuring, window)
        self.dialog.started.connect(self.idle.start)
        self.dialog.finished.connect(self._dialog_closed)
        self.dialog.open()

    def _dialog_closed(self) -> None:
        self.dialog = None

    def _ended(self, measuring: Measuring, why: str) -> None:
        self._show_everywhere()
        if why:
            kept = "What was measured before is kept."
            told = f"Measuring “{measuring.model.name}” ended: {why} {kept}"
            self._window.area.message_bars.show_message("measure", told)
        else:
            name = measuring.model.name
            self._window.status.show_text(f"“{name}” is measured: see steps in the inspector.")
            self._offer_attention(measuring.measurement)

    def _offer_attention(self, measured: Measurement) -> None:
        """Offer the attention kernel that is well ahead of the chosen one, if any is."""
        chosen = self._window.workspace.settings.attention
        if (faster := measured.faster_attention(chosen)) is None:
            return
        times = measured.seconds_of_call(chosen) / faster.seconds

        def use() -> None:
            self._window.area.message_bars.dismiss("attention")
            settings = self._window.workspace.settings
            try:
                way = Attention(faster.way)
                changed = update_settings(settings.home, lambda now: replace(now, attention=way))
            except (OSError, NodeForgeError) as error:
                self._window.area.message_bars.show_message("measure", str(error))
                return
            self._window.workspace.set_settings(changed)
            self._window.runner.use_settings(changed)

        told = (
            f"“{measured.name}” computes {times:.1f} times as fast with the attention "
            f"“{faster.way}” as with “{chosen}”. Results are computed anew with it."
        )
        buttons = [(f"Use “{faster.way}”", use)]
        self._window.area.message_bars.show_message("attention", told, buttons, kind="info")

    def _show_everywhere(self) -> None:
        """Have the linter and the inspector read what was measured."""
        self._window.runner.planner.schedule()
        self._window.inspector.show_curves()

    def _refuse(self, error: NodeForgeError) -> None:
        self._window.area.message_bars.show_message("measure", str(error))
