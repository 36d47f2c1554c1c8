"""The status bar: progress, messages, cache size, device, saved state."""

from __future__ import annotations

import threading
import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar

from nodeforge.engine.cache import DiskTier
from nodeforge.engine.remote import is_elsewhere
from nodeforge.ui.common import formatting
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.progress import RunProgress
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.running.worker_connection import Answer

_STEPS_PER_UNIT = 100
"""Progress bar units per step."""

_TEXT_MS = 6000
"""Milliseconds for which a message is shown."""


class _Measure(QObject):
    """Measures the cache in a background thread, which keeps it alive."""

    done = Signal(object, str)

    def __init__(self, tier: DiskTier) -> None:
        super().__init__()
        self._tier = tier

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        held = sum(state.st_size for state in self._tier.entries())
        limit, root = formatting.byte_size(self._tier.limit), self._tier.root
        self.done.emit(held, f"Of {limit} on disk, in {root}")


class StatusBar(QStatusBar):
    """Messages and progress on the left, permanent information on the right."""

    def __init__(self, workspace: Workspace, runner: Runner) -> None:
        super().__init__(sizeGripEnabled=False)
        self._workspace, self._runner = workspace, runner
        self._text = QLabel()
        self._text.setAccessibleName("Progress")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedWidth(160)
        self._bar.setAccessibleName("Progress of the node that runs")
        self.cache, self.device, self.saved = QLabel(), QLabel(), QLabel()
        self.addWidget(self._bar)
        self.addWidget(self._text, 1)
        for label in (self.cache, self.device, self.saved):
            self.addPermanentWidget(label)
        self._bar.hide()
        self._text_timer = QTimer(self, singleShot=True)
        self._text_timer.setInterval(_TEXT_MS)
        self._text_timer.timeout.connect(lambda: self._text.setText(""))
        runner.progress.changed.connect(self._read)
        runner.finished.connect(
            lambda job: self.show_text(f"Done in {formatting.duration(job.seconds)}")
        )
        runner.finished.connect(lambda _: self.measure_cache())
        runner.worker_lost.connect(lambda _: self.query_devices())
        workspace.current_changed.connect(self.show_saved)

    def show_text(self, text: str) -> None:
        """Show a message for a few seconds."""
        self._text.setText(text.replace("\n    ", " "))
        self._text.setToolTip(text)
        self._text_timer.start()

    @property
    def text(self) -> str:
        return self._text.text()

    def query_devices(self) -> None:
        """Ask the worker for the devices; the answer may take seconds."""
        self.device.setText("looking for devices…")
        self._runner.worker.ask("devices", self._on_devices)

    def measure_cache(self) -> None:
        """Measure the disk cache in a background thread, and show its size."""
        settings = self._workspace.settings
        tier = DiskTier(settings.result_cache, "", settings.disk_cache_bytes)
        self._measure = _Measure(tier)
        self._measure.done.connect(self._show_cache, Qt.ConnectionType.QueuedConnection)
        self._measure.start()

    def _show_cache(self, held: int, where: str) -> None:
        self.cache.setText(f"cache {formatting.byte_size(held)}")
        self.cache.setToolTip(where)

    def show_saved(self, opened: OpenDocument | None) -> None:
        """Show when the document was saved."""
        if opened is None:
            self.saved.setText("")
        elif opened.modified:
            self.saved.setText("not saved")
        elif opened.path is None:
            self.saved.setText("no changes")
        else:
            try:
                changed = time.localtime(opened.path.stat().st_mtime)
            except OSError:
                self.saved.setText("file is gone")
                return
            self.saved.setText(f"saved {time.strftime('%H:%M', changed)}")

    def _on_devices(self, answer: Answer) -> None:
        if not isinstance(answer, dict):
            self.device.setText("worker does not answer")
            self.device.setToolTip(str(answer))
            return
        settings = self._workspace.settings
        machine = f"{settings.device}: " if is_elsewhere(settings) else ""
        if not machine:
            self._workspace.graphics_cards = {
                each["device"]: each["name"] for each in answer["devices"] if ":" in each["device"]
            }
        self._workspace.attention = answer["attention"]
        chosen = answer["chosen"]
        what = "Processor" if chosen["device"] == "cpu" else "GPU"
        total = f", {formatting.byte_size(chosen['total'])} memory" if chosen["total"] else ""
        self.device.setText(f"{machine}{what}{total}")
        self.device.setToolTip(f"{chosen['name']} ({chosen['device']})")

    def _read(self, reading: RunProgress | None) -> None:
        self._bar.setVisible(reading is not None and reading.of > 0)
        if reading is None:
            self._text.setText("")
            return
        self._text_timer.stop()
        self._bar.setRange(0, max(1, reading.of) * _STEPS_PER_UNIT)
        self._bar.setValue(round((reading.step + reading.part) * _STEPS_PER_UNIT))
        self._text.setText(self._progress_text(reading))

    def _progress_text(self, reading: RunProgress) -> str:
        if reading.reading:
            return f"Reading {reading.reading} {reading.step}/{reading.of} MiB, once"
        if not reading.node:
            return "Starting"
        parts = [self._title(reading.node)]
        if reading.of:
            parts[0] += f" {reading.step}/{reading.of}"
        if reading.rate:
            parts.append(formatting.rate(reading.rate))
        if reading.left is not None and reading.left >= 1:
            parts.append(f"{formatting.duration(round(reading.left))} left")
        return "   ".join(parts)

    def _title(self, node: str) -> str:
        job = self._runner.jobs.current
        opened = self._workspace.find(job.document) if job else None
        return self._workspace.node_title(opened.document, node) if opened else node
