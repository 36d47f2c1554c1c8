"""Sends files to another machine and fetches what was saved there, in pieces, by content."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from nodeforge.engine.remote import messages
from nodeforge.engine.remote.address import MachineError
from nodeforge.engine.remote.messages import sha256_of
from nodeforge.engine.remote.questions import Answer, Questions
from nodeforge.errors import DiskFullError, RequestError
from nodeforge.settings.whole_file import free_name, is_disk_full, take_name

_ON_THE_WAY = 4
"""Pieces of a file that are sent before the first is acknowledged."""
_TRIES = 100
Progress = Callable[[int, int], None]
"""Called with the bytes done, and those of all; what it raises stops the transfer."""


def send_file(
    questions: Questions, header: Mapping[str, Any], path: Path, progress: Progress
) -> None:
    """Send a file, from where an earlier attempt has come to.

    Args:
        questions: To the host.
        header: Which file it becomes there, as `Store.place` reads it.
        path: The file here.
        progress: Is told what is done.

    Raises:
        MachineError, DiskFullError: it cannot be read here, or written there.
    """
    try:
        size = path.stat().st_size
        offset = questions.ask(messages.BEGIN, **header, size=size).result()["there"]
        sent: list[Future[Answer]] = []
        with path.open("rb") as file:
            file.seek(offset)
            while data := file.read(messages.PIECE):
                sent.append(questions.ask(messages.PIECE_OF, data, **header, offset=offset))
                offset += len(data)
                if len(sent) > _ON_THE_WAY:
                    sent.pop(0).result()
                progress(offset, size)
        for each in sent:
            each.result()
    except OSError as error:
        raise MachineError(f"cannot be read: {error.strerror}.", place=str(path)) from error
    questions.ask(messages.FINISH, **header).result()


def fetch_file(
    questions: Questions, asked: Mapping[str, Any], told: Mapping[str, Any], part: Path
) -> None:
    """Fetch a file in pieces.

    Args:
        questions: To the host.
        asked: Where it is there, as `Host` reads it.
        told: Its ``name``, ``size`` and ``sha256``.
        part: Where it is written here.

    Raises:
        MachineError: it cannot be read there, or is another than was told.
        OSError: it cannot be written here.
    """
    with part.open("wb") as file:
        while file.tell() < told["size"]:
            where = {**asked, "name": told["name"], "offset": file.tell()}
            data = questions.ask(messages.RESULT, **where).result()["payload"]
            if not data:
                break
            file.write(data)
    if sha256_of(part) != told["sha256"]:
        raise MachineError("a result did not arrive as it was saved.", way_out="Run again.")


class Results:
    """Brings what runs have saved to this machine; the same content travels once.

    Args:
        questions: To the host.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._known: dict[str, Path] = {}

    def fetch(self, run: str, saved: Mapping[str, Any], outputs: Path) -> Path:
        """A file that a run has saved, under the name that it has there or the next free one.

        Args:
            run: The run.
            saved: The ``name``, ``size`` and ``sha256`` of the file.
            outputs: The output folder here.

        Raises:
            NodeForgeError: it cannot be fetched or written.
        """
        wish = outputs / saved["name"]
        if not wish.resolve().is_relative_to(outputs.resolve()):
            raise MachineError("names a result outside of the output folder.")
        part = wish.with_name(f".{uuid.uuid4().hex}.part")
        try:
            wish.parent.mkdir(parents=True, exist_ok=True)
            self._fill(part, run, saved)
            placed = self._known[saved["sha256"]] = _placed(part, wish)
            return placed
        except OSError as error:
            way_out = "Free some space, or choose a folder that may be written."
            kind = DiskFullError if is_disk_full(error) else RequestError
            raise kind(
                f"cannot be written: {error.strerror}.", place=str(wish.parent), way_out=way_out
            ) from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _fill(self, part: Path, run: str, saved: Mapping[str, Any]) -> None:
        digest = saved["sha256"]
        known = self._known.get(digest)
        if known is not None and known.is_file() and sha256_of(known) == digest:
            shutil.copyfile(known, part)
            return
        fetch_file(self._questions, {"run": run}, saved, part)


def _placed(part: Path, wish: Path) -> Path:
    """Give a whole file its name, or the next that is free."""
    for _ in range(_TRIES):
        target = free_name(wish)
        if take_name(part, target):
            return target
    raise RequestError(f"{_TRIES} names in a row are taken.", place=str(wish.parent))
