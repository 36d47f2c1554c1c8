"""The name and form of the lock in a saved picture, which says how it was made.

A lock is one JSON object. Files whose format does not deflate texts hold it deflated, in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping

LOCK = "nodeforge_lock"
"""The name of the chunk."""
MOST_BYTES = 64 * 2**10
"""Of a lock's JSON."""
_DEFLATED = "deflated:"


def deflated(texts: Mapping[str, str]) -> dict[str, str]:
    """`texts` with the lock, where there is one, as files hold it that do not deflate by
    themselves.
    """
    lock = texts.get(LOCK, "")
    if not lock or lock.startswith(_DEFLATED):
        return dict(texts)
    packed = base64.b64encode(zlib.compress(lock.encode(), 9)).decode()
    return {**texts, LOCK: _DEFLATED + packed}


def inflated(lock: str) -> str:
    """The JSON of a lock.

    Raises:
        ValueError: it is damaged, or more than `MOST_BYTES`.
    """
    if lock.startswith(_DEFLATED):
        unpack = zlib.decompressobj()
        try:
            packed = base64.b64decode(lock.removeprefix(_DEFLATED), validate=True)
            lock = unpack.decompress(packed, MOST_BYTES + 1).decode()
        except (binascii.Error, zlib.error) as error:
            raise ValueError(str(error)) from error
    if len(lock.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise ValueError("it is too long")
    return lock


def lock_of_item(lock: str, index: int) -> str:
    """The lock of one picture of a batch: its place in it is ``item``.

    Args:
        lock: That of the first, from this run.
        index: The picture's place in the batch.
    """
    return json.dumps({**json.loads(lock), "item": index}, separators=(",", ":"))
