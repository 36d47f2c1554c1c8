"""Texts in GIF files: an application extension of ours behind the header, which holds JSON.

FFmpeg's muxer writes no metadata into a GIF.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from nodeforge.imaging.picture_files.text import MOST_TEXT

_MARK = b"NODEFORG1.0"
"""Identifier and code of the extension."""
_MOST_BLOCKS = 10_000


def gif_with_text(data: memoryview, text: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    """The parts of a GIF, with `text` put in."""
    head = 13 + _palette_bytes(data[10])
    yield data[:head]
    yield b"\x21\xff\x0b" + _MARK
    whole = json.dumps(dict(text)).encode()
    for at in range(0, len(whole), 255):
        part = whole[at : at + 255]
        yield bytes([len(part)]) + part
    yield b"\0"
    yield data[head:]


def read_gif_text(path: Path) -> dict[str, str]:
    """The texts that `gif_with_text` put into a GIF; none where it has none, or is damaged.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        file.seek(10)
        file.seek(_palette_bytes((file.read(3) or b"\0")[0]), 1)
        for _ in range(_MOST_BLOCKS):
            if file.read(1) != b"\x21":  # the first picture
                return {}
            kind, blocks = file.read(1), list(_blocks(file, MOST_TEXT))
            if kind == b"\xff" and blocks and blocks[0] == _MARK:
                return _texts(b"".join(blocks[1:]))
    return {}


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _texts(raw: bytes) -> dict[str, str]:
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    items = told.items() if isinstance(told, dict) else ()
    return {name: value for name, value in items if isinstance(value, str)}


def _blocks(file: IO[bytes], most: int) -> Iterator[bytes]:
    while most > 0 and (length := file.read(1)) and length != b"\0":
        part = file.read(length[0])
        most -= len(part)
        yield part
