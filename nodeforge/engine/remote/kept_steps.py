"""Checkpoints of runs on other machines, in this machine's cache under their keys.

So that a run whose machine has ended goes on from its last step on another one, or here.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nodeforge.engine.remote import messages
from nodeforge.engine.remote.address import MachineError
from nodeforge.engine.remote.messages import sha256_of
from nodeforge.engine.remote.questions import Questions
from nodeforge.engine.remote.transfers import fetch_file, send_file
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings

SECONDS = 10.0
"""Between two checkpoints of a run that come home: so much is lost where its machine ends."""
MOST_BYTES = 64 * 2**20
"""Of a checkpoint that comes home; those of long videos are larger, and stay where they are."""
_NAME = re.compile(r"[\w.+-]{1,100}/[0-9a-f]{2}/[0-9a-f]{16,128}-step\.result")
"""Of an entry of the disk cache that is a checkpoint, within the cache's folder."""


def checked_name(name: Any) -> str:
    """The name of a checkpoint's file within the cache.

    Raises:
        MachineError: it is no such name.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.startswith("."):
        raise MachineError("the other side names a checkpoint by what is no key.")
    return name


def described(path: Path, settings: Settings) -> dict[str, Any] | None:
    """What another machine must know to fetch a checkpoint; None where it is not to come.

    Args:
        path: Its file in the cache of this machine.
        settings: Where the cache is.
    """
    with contextlib.suppress(OSError, ValueError, MachineError):
        name = checked_name(path.relative_to(settings.result_cache).as_posix())
        size = path.stat().st_size
        if size <= MOST_BYTES:
            return {"name": name, "size": size, "sha256": sha256_of(path)}
    return None


class KeptSteps:
    """Brings checkpoints to this machine, and sends them to another.

    Args:
        settings: Where the cache of this machine is.
        questions: To the host.
    """

    def __init__(self, settings: Settings, questions: Questions) -> None:
        self._root, self._questions = settings.result_cache, questions

    def fetch(self, told: Iterable[Mapping[str, Any]]) -> list[str]:
        """The files of checkpoints in this machine's cache, brought here where they are not.

        A checkpoint that cannot be fetched or written is left out: it saves time, and no more.

        Args:
            told: As `described` makes them.
        """
        files = []
        for each in told:
            with contextlib.suppress(NodeForgeError, OSError):
                files.append(str(self._fetched(each)))
        return files

    def send(self, files: Iterable[str]) -> None:
        """Have checkpoints of this machine in the host's cache, as far as both can."""
        names = {}
        for file in files:
            path = Path(file)
            with contextlib.suppress(ValueError):
                if path.is_file():
                    names[path.relative_to(self._root).as_posix()] = path
        if not names:
            return
        with contextlib.suppress(NodeForgeError, OSError):
            missing = self._questions.ask(messages.LACKS, names=list(names)).result()["missing"]
            for name in missing:
                header = {"cache": name, "digest": sha256_of(names[name])}
                send_file(self._questions, header, names[name], lambda *_: None)

    def _fetched(self, told: Mapping[str, Any]) -> Path:
        path = self._root / checked_name(told["name"])
        if path.is_file() and path.stat().st_size == told["size"]:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
        try:
            fetch_file(self._questions, {"cache": told["name"]}, told, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path
