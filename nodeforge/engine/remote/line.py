"""Frames over a connection that may break: numbered, acknowledged, and sent again.

Both sides hold one `Line`. What was sent is kept until the other side has acknowledged its number;
after a break each tells the last number that it has seen, and gets what came after. A reading
thread never writes, so that two full pipes cannot stop each other.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

from nodeforge.engine.protocol import Frame, read_frame

PING = 5.0
"""Seconds between two acknowledgements on a line that is silent."""
_UNACKNOWLEDGED = 16
"""Frames read until they are acknowledged."""
_NUMBER, _ACK = "n", "ack"

Stream = IO[bytes]


class Line:
    """One side of a connection.

    Args:
        receive: Called with each frame, once and in order, from the thread that listens.
        ping: Seconds between two signs of life.
    """

    def __init__(self, receive: Callable[[Frame], None], ping: float = PING) -> None:
        self._receive, self._ping = receive, ping
        self._changed = threading.Condition()
        self._sent = self._written = self._told = 0
        self._kept: deque[tuple[int, bytes]] = deque()
        self._passing: deque[bytes] = deque()
        self._stream: Stream | None = None
        self._closed = False
        self.seen = 0
        """The number of the last frame received."""
        self.bytes_sent = self.bytes_received = 0
        self._writer = threading.Thread(target=self._write, name="line", daemon=True)
        self._writer.start()

    @property
    def is_up(self) -> bool:
        return self._stream is not None

    def send(self, frame: Frame, *, passing: bool = False) -> None:
        """Send a frame, now or once the line is up again.

        Args:
            passing: It is of no use later, as a preview: sent if the line is up, and never again.
        """
        with self._changed:
            if passing:
                if self._stream is not None and len(self._passing) < _UNACKNOWLEDGED:
                    self._passing.append(frame.to_bytes())
            else:
                self._sent += 1
                numbered = Frame({**frame.header, _NUMBER: self._sent}, frame.payload)
                self._kept.append((self._sent, numbered.to_bytes()))
            self._changed.notify_all()

    def connect(self, stream: Stream, seen: int) -> None:
        """Write to `stream` from now on; the other side has seen frames up to number `seen`."""
        with self._changed:
            self._forget_up_to(seen)
            self._written = seen
            self._stream = stream
            self._passing.clear()
            self._changed.notify_all()

    def disconnect(self, stream: Stream) -> None:
        """Write no more to `stream`, if that is still the one."""
        with self._changed:
            if self._stream is stream:
                self._stream = None
                self._passing.clear()
            self._changed.notify_all()

    def listen(self, stream: Stream) -> None:
        """Receive what comes on `stream`, until it ends.

        Raises:
            ProtocolError: what comes is no frame of ours.
            OSError: it cannot be read.
        """
        counted: IO[bytes] = _Counted(stream, self)  # pyright: ignore[reportAssignmentType]
        while (frame := read_frame(counted)) is not None:
            if (ack := frame.header.pop(_ACK, None)) is not None:
                with self._changed:
                    self._forget_up_to(ack)
                continue
            number = frame.header.pop(_NUMBER, None)
            if number is not None:
                if number <= self.seen:
                    continue  # sent again before our word came through
                with self._changed:
                    self.seen = number
                    if self.seen - self._told >= _UNACKNOWLEDGED:
                        self._changed.notify_all()
            self._receive(frame)

    def flush(self, seconds: float) -> bool:
        """Wait until all that was sent is acknowledged; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._kept, seconds)

    def close(self) -> None:
        """End the writing thread; what was not acknowledged is dropped."""
        with self._changed:
            self._closed = True
            self._stream = None
            self._changed.notify_all()

    def _forget_up_to(self, number: int) -> None:
        while self._kept and self._kept[0][0] <= number:
            self._kept.popleft()
        self._changed.notify_all()

    def _write(self) -> None:
        while True:
            with self._changed:
                told = self._changed.wait_for(self._has_to_write, self._ping)
                if self._closed:
                    return
                stream, data = self._stream, self._due(not told)
            if stream is None or not data:
                continue
            try:
                stream.write(data)
                stream.flush()
                self.bytes_sent += len(data)
            except (OSError, ValueError):  # it is broken or closed; whoever listens notices too
                self.disconnect(stream)

    def _has_to_write(self) -> bool:
        if self._closed:
            return True
        if self._stream is None:
            return False
        unwritten = self._sent > self._written
        return unwritten or bool(self._passing) or self.seen - self._told >= _UNACKNOWLEDGED

    def _due(self, silent: bool) -> bytes:
        """What is to be written now; after a silence, a sign of life."""
        if self._stream is None:
            return b""
        due = [data for number, data in self._kept if number > self._written]
        due += self._passing
        self._written = self._sent
        self._passing.clear()
        if silent or self.seen - self._told >= _UNACKNOWLEDGED or due:
            self._told = self.seen
            due.append(Frame({_ACK: self.seen}).to_bytes())
        return b"".join(due)


class _Counted:
    """Counts what is read of a stream."""

    def __init__(self, stream: Stream, line: Line) -> None:
        self._stream, self._line = stream, line

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._line.bytes_received += len(data)
        return data


def closed(*streams: IO[bytes] | None) -> None:
    """Close streams whose other ends may be gone."""
    for stream in streams:
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.close()
