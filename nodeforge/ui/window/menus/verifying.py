"""*Verify*: makes a saved picture again in the queue, and shows whether it came out the same."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from nodeforge.errors import NodeForgeError
from nodeforge.graph.upgrade import upgrade
from nodeforge.ui.common.background_reader import BackgroundReader, ReportProgress
from nodeforge.ui.common.images import read_scaled
from nodeforge.ui.running.job_queue import FAILED, Job, new_run_id, snapshot
from nodeforge.ui.window.base_window import BaseWindow

if TYPE_CHECKING:
    from nodeforge.engine.replay.lock import PictureLock
    from nodeforge.engine.replay.verdict import Verdict

_SHOWN = 2048
"""Longer side of the pictures in the dialog, pixels; all of them is judged."""
_STRONGEST = 64
"""How many times as strong the difference is shown at most."""


@dataclass(frozen=True)
class _Asked:
    """A picture that is being made again.

    Args:
        picture: The file.
        lock: What it says of how it was made.
        job: Makes it again.
        folder: What is saved there is judged, then deleted.
    """

    picture: Path
    lock: PictureLock
    job: Job
    folder: tempfile.TemporaryDirectory[str]


class Verifying(QObject):
    """Makes pictures again, one after another as jobs, and shows the verdicts.

    Args:
        window: The window, with its queue.
    """

    def __init__(self, window: BaseWindow) -> None:
        super().__init__(window)
        self._window, self._bars = window, window.area.message_bars
        self._reader = BackgroundReader(self)
        self._asked: dict[str, _Asked] = {}
        runner = window.runner
        runner.finished.connect(self._finished)
        runner.failed.connect(lambda job, *_: self._forget(job))
        runner.stopped.connect(self._forget)
        runner.worker_lost.connect(lambda _: self._forget_failed())

    def verify(self, picture: Path) -> None:
        """Queue a picture to be made again; a message says why it cannot be."""
        workspace = self._window.workspace
        settings, catalogue = workspace.settings, workspace.catalogue

        def read(_: ReportProgress) -> Any:
            from nodeforge.engine.replay import replaying  # only when needed, as below

            document, lock = replaying.read_picture(picture)
            upgrade(document, catalogue)
            folder = tempfile.TemporaryDirectory(prefix="nodeforge-verify-")
            told = [str(each) for each in replaying.missing_packs(lock, settings)]
            errors = replaying.errors_of(document, catalogue, settings)
            told += [each.told for each in errors]
            request = replaying.replay_request(
                document, lock, catalogue, settings, run=new_run_id(), outputs=Path(folder.name)
            )
            job = Job("", f"Verify {picture.name}", snapshot(document.graph), request)
            return told, None if errors else _Asked(picture, lock, job, folder)

        self._in_background(picture, read, lambda found: self._queue(picture, *found))

    def close(self) -> None:
        """The window ends."""
        self._reader.close()
        for asked in self._asked.values():
            asked.folder.cleanup()

    def _queue(self, picture: Path, told: list[str], asked: _Asked | None) -> None:
        if told:
            text = f"{picture.name}: {' '.join(told)}"
            self._bars.show_message("verify", text, kind="warn" if asked else "error")
        if asked:
            self._asked[asked.job.id] = asked
            self._window.status.show_text(f"{asked.picture.name} is made again…")
            self._window.runner.queue(asked.job)

    def _finished(self, job: Job) -> None:
        if (asked := self._asked.get(job.id)) is None:
            return
        catalogue = self._window.workspace.catalogue

        def judge(_: ReportProgress) -> Any:
            from nodeforge.engine.replay import replaying, verdict

            again = replaying.picture_again(asked.lock, job.saved)
            found = verdict.judge(asked.picture, again, catalogue)
            return found, read_scaled(asked.picture, _SHOWN), read_scaled(again, _SHOWN)

        self._in_background(asked.picture, judge, partial(self._show, asked))

    def _show(self, asked: _Asked, judged: tuple[Verdict, Any, Any]) -> None:
        from nodeforge.ui.gallery.compare_dialog import BESIDE, CompareDialog  # numpy

        verdict, before, after = judged
        self._forget(asked.job)
        stronger = min(_STRONGEST, max(4, 255 // max(1, verdict.apart)))
        CompareDialog(
            (asked.picture.name, before),
            ("made again", after),
            [*verdict.lines()],
            self._window,
            title=f"Verify {asked.picture.name}",
            heading="Verdict",
            mode=BESIDE,
            stronger=stronger,
        ).open()

    def _forget_failed(self) -> None:
        for job in [asked.job for asked in self._asked.values() if asked.job.state == FAILED]:
            self._forget(job)

    def _forget(self, job: Job) -> None:
        if (asked := self._asked.pop(job.id, None)) is not None:
            asked.folder.cleanup()

    def _in_background(
        self, picture: Path, work: Callable[[ReportProgress], Any], then: Callable[[Any], object]
    ) -> None:
        def failed(error: NodeForgeError) -> None:
            told = error if picture.name in error.place else error.at(picture.name)
            self._bars.show_message("verify", str(told))

        self._reader.read(picture.name, work, then, failed)
