"""Frames between client and worker: lengths, a JSON header, an optional raw payload."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

import msgspec

from nodeforge.errors import NodeForgeError

_LENGTHS = struct.Struct(">4sII")
_MAGIC = b"NFG1"
_LIMIT = 2**28
REFUSED = "refused"
"""The header's field of a worker that cannot begin: an error's report. Its process then ends."""


class ProtocolError(NodeForgeError):
    """What arrived is not a frame of ours."""


@dataclass(frozen=True)
class Frame:
    """One message: `header` is JSON, `payload` raw bytes (a preview's pixels)."""

    header: dict[str, Any]
    payload: bytes = b""

    def to_bytes(self) -> bytes:
        header = json.dumps(self.header, separators=(",", ":")).encode()
        return _LENGTHS.pack(_MAGIC, len(header), len(self.payload)) + header + self.payload


def write_frames(stream: IO[bytes], frames: Iterable[Frame]) -> None:
    """Write `frames` in one piece and flush."""
    stream.write(b"".join(frame.to_bytes() for frame in frames))
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """The next frame; None where the stream has ended, also within a frame.

    Raises:
        ProtocolError: the bytes are no frame, or one of over 256 MiB.
    """
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    magic, header_size, payload_size = _LENGTHS.unpack(lengths)
    if magic != _MAGIC or max(header_size, payload_size) > _LIMIT:
        raise ProtocolError("the other side sent what is no message.")
    header = stream.read(header_size)
    payload = stream.read(payload_size) if payload_size else b""
    if len(header) < header_size or len(payload) < payload_size:
        return None
    try:
        return Frame(_decoded(header), payload)
    except ValueError as error:
        raise ProtocolError(f"the other side sent a broken header: {error}.") from error


def _decoded(header: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(header)
    except msgspec.DecodeError:  # the standard library also reads NaN
        return json.loads(header)
