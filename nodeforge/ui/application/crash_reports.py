"""Crash reports: written to a file and shown with a button to copy them."""

from __future__ import annotations

import faulthandler
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from nodeforge import __version__

FATAL = "fatal.log"
_KEPT = 20


class CrashReports:
    """Writes reports to a folder.

    Args:
        folder: Where they go.
        show: Called in whatever thread failed, with the report's file and its text.
    """

    def __init__(self, folder: Path, show: Callable[[Path, str], None]) -> None:
        self.folder = folder
        self._show = show
        self._fatal: IO[str] | None = None

    def install(self) -> None:
        """Install hooks for uncaught exceptions in every thread, and for fatal signals."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._keep_fatal()
        self._fatal = (self.folder / FATAL).open("w", encoding="utf-8")
        faulthandler.enable(self._fatal)
        sys.excepthook = self._caught
        threading.excepthook = lambda args: self._caught(
            args.exc_type, args.exc_value, args.exc_traceback
        )

    def _caught(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.exit(1)
        text = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(text)
        self._show(*self.write(text))

    def write(self, text: str) -> tuple[Path, str]:
        """Write a report about `text`; returns the file and its content."""
        report = f"{version_report()}\n{time.strftime('%Y-%m-%d %H:%M:%S')}\n\n{text}"
        path = self.folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}.txt"
        try:
            path.write_text(report, "utf-8")
        except OSError as error:
            sys.stderr.write(f"{path} cannot be written: {error}\n")
        return path, report

    def _keep_fatal(self) -> None:
        """Write a report of the fatal error that ended the last process, if any."""
        last = self.folder / FATAL
        if last.is_file() and last.stat().st_size:
            self.write(last.read_text("utf-8", "replace"))
        for old in sorted(self.folder.glob("crash-*.txt"))[:-_KEPT]:
            old.unlink(missing_ok=True)


def version_report() -> str:
    """Versions of NodeForge, Python, Qt and the system, for a report."""
    from PySide6 import __version__ as qt

    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"NodeForge {__version__}, Python {platform.python_version()}, PySide6 {qt}, {system}"
