"""The status bar: progress, messages, cache size, device, saved state."""

from __future__ import annotations

import threading
import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar

from nodeforge.engine.cache import DiskTier
from nodeforge.ui.common import formatting
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.progress import RunProgress
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.running.workers.connection import Answer

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
        self._bar.setAccessibleName("Progress of what runs")
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
        machine = f"{name}: " if (name := self._runner.worker.machine) else ""
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

    def _read(self) -> None:
        readings = self._runner.progress.running
        alone = len(readings) == 1  # MiB that are read do not add up with steps
        known = [each for each in readings.values() if each.of and (alone or not each.reading)]
        self._bar.setVisible(bool(known))
        if not readings:
            self._text.setText("")
            return
        self._text_timer.stop()
        done, of = sum(each.step + each.part for each in known), sum(each.of for each in known)
        self._bar.setRange(0, max(1, of) * _STEPS_PER_UNIT)
        self._bar.setValue(round(done * _STEPS_PER_UNIT))
        if not alone:
            self._text.setText(_told_together([*readings.values()]))
            return
        ((job_id, reading),) = readings.items()
        self._text.setText(self._progress_text(job_id, reading))

    def _progress_text(self, job_id: str, reading: RunProgress) -> str:
        if reading.reading:
            return f"Reading {reading.reading} {reading.step}/{reading.of} MiB, once"
        if not reading.node:
            return "Starting"
        title = self._title(job_id, reading.node)
        if reading.of:
            title += f" {reading.step}/{reading.of}"
        return _told(title, reading.rate, reading.left)

    def _title(self, job_id: str, node: str) -> str:
        job = self._runner.jobs.running.get(job_id)
        opened = self._workspace.find(job.document) if job else None
        return self._workspace.node_title(opened.document, node) if opened else node


def _told_together(readings: list[RunProgress]) -> str:
    """What several runs do in sum; what reads a model counts no steps."""
    counted = [each for each in readings if each.of and not each.reading]
    title = f"{len(readings)} running"
    if counted:
        title += f" {sum(each.step for each in counted)}/{sum(each.of for each in counted)}"
    lefts = [each.left for each in readings if each.left is not None]
    left = max(lefts) if len(lefts) == len(readings) else None
    return _told(title, sum(each.rate for each in counted), left)


def _told(title: str, rate: float, left: float | None) -> str:
    parts = [title]
    if rate:
        parts.append(formatting.rate(rate))
    if left is not None and left >= 1:
        parts.append(f"{formatting.duration(round(left))} left")
    return "   ".join(parts)
