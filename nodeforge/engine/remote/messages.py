"""What the two sides say to each other besides the worker's own requests and events.

A connection begins with one line from `attach`, then a frame with ``hello`` from the client and one
with ``welcome`` or ``refused`` from the host; all else goes over a `Line`.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import fields, replace
from pathlib import Path
from typing import IO, Any

from nodeforge.engine import events
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.protocol import Frame

PROTOCOL = 1
"""Counted up where the two sides would not understand each other."""
KEEP = 15 * 60.0
"""Seconds that a host waits for its client, and a client for its host."""
GREETING = b"nodeforge-attach\n"
"""The first line that `attach` writes; what a login script prints comes before."""
PIECE = 2**20
"""Bytes of a file in one frame."""
HELLO, WELCOME, REFUSED = "hello", "welcome", "refused"
NEED = "host.need"
"""Which files are missing; the header's ``named`` is a list of what `NamedFile.to_json` makes."""
BEGIN, PIECE_OF, FINISH = "host.begin_file", "host.piece", "host.finish_file"
"""To send a file: how much is there, a piece, and whether it has arrived whole."""
RESULT, FETCHED = "host.result", "host.fetched"
"""To fetch what a run has saved: a piece of it; and that all of a run's is there."""
VERSIONS = "host.versions"
"""Versions of packages there."""
KILL = "host.kill"
"""End the worker at once."""
MACHINE = "{machine}"
"""Stands for the machine's name in ways out: the host does not know what it is called."""
LACKS = "host.lacks"
"""Which checkpoints are not in the cache there; ``names`` are those of their files within it."""
ANYWHERE = (
    *("targets", "assets", "lock", "stamp", "previews", "document", "afresh"),
    *("kept_loops", "tells_steps"),
)
"""Fields of a run request that mean the same on any machine."""
_GREETED = 2**16
"""Bytes that a login script may print."""
_QUALITY = 85
_JPEG = "jpeg"


class GreetingError(Exception):
    """The other side printed something else; its last line is the argument."""


def wait_for_greeting(stream: IO[bytes]) -> None:
    """Read up to what `attach` says first.

    Raises:
        GreetingError: it does not come.
    """
    read, last = 0, b""
    while line := stream.readline(_GREETED):
        if line.endswith(GREETING):
            return
        read, last = read + len(line), line.strip() or last
        if read > _GREETED:
            break
    raise GreetingError(last.decode(errors="replace")[:200])


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, read now: one that has just come is not remembered."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def smaller_preview(event: events.Preview) -> Frame:
    """A preview as JPEG, for a line that is slow."""
    from PIL import Image

    size = event.width, event.height * event.frames
    data = io.BytesIO()
    Image.frombytes("RGB", size, event.pixels).save(data, "JPEG", quality=_QUALITY)
    return Frame({**events.to_json(event), _JPEG: True}, data.getvalue())


def event_of(frame: Frame) -> events.Event:
    """The event in a frame; the pixels of a preview are made of its JPEG."""
    header, payload = dict(frame.header), frame.payload
    if header.pop(_JPEG, False):
        from PIL import Image

        with Image.open(io.BytesIO(payload), formats=("JPEG",)) as picture:
            payload = picture.convert("RGB").tobytes()
    return events.from_frame(Frame(header, payload))


def named_machine(event: events.Event, machine: str) -> events.Event:
    """A failure, with the machine on which it happened in its words."""
    if not isinstance(event, events.Failed) or not event.error.fact:
        return event
    way_out = event.error.way_out.replace(MACHINE, machine)
    place = f"{event.error.place}, on {machine}" if event.error.place else f"on {machine}"
    return replace(event, error=replace(event.error, place=place, way_out=way_out))


def report_from(raw: dict[str, Any]) -> ErrorReport:
    known = {each.name for each in fields(ErrorReport)}
    return ErrorReport(**{key: value for key, value in raw.items() if key in known})
