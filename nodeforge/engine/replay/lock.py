"""The lock that a saved picture carries: what it was made of, by node, and where.

It holds no texts of the workflow, no paths and no names of people or machines: values are
digests, files their names alone.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nodeforge.errors import RequestError
from nodeforge.values.picture_lock import MOST_BYTES, inflated

VERSION = 1
_ITEM = 16
"""Bytes left free for the picture's place in its batch."""
_LEAST_NEEDED = (
    ("steps", "digests of steps"),
    ("values", "digests of inputs"),
    ("links", "links"),
    ("digests", "digests of results"),
)
"""What goes where a lock is too long, in this order, and what a lock calls it."""
_NODES = "nodes"


class LockError(RequestError):
    """A picture whose lock is missing or damaged."""


class LockedNode(msgspec.Struct, omit_defaults=True):
    """One node above what was saved, or that itself.

    Args:
        type: Its node type.
        version: Of the node type.
        key: Named its results in the cache.
        pack: The pack of its type, where that is a user's.
        source: The hash of that pack.
        network: Whether it ran a network, so that the numerics count.
        values: By port, digests of the values that stood in the workflow, of files their content.
        files: By port, the names of files.
        links: By linked port, what fed it, as ``node.port``.
        digests: By output, digests of what it came to.
        steps: Digests of the latent after each step of its loops, in order; empty where unknown.
        made_in: What of the environment was another when it was made than when the picture was
            saved.
        fell_back: Whether it, or what fed it, was made another way than asked for, as memory ran
            out.
    """

    type: str
    version: int = 1
    key: str = ""
    pack: str = ""
    source: str = ""
    network: bool = False
    values: dict[str, str] = {}
    files: dict[str, str] = {}
    links: dict[str, list[str]] = {}
    digests: dict[str, str] = {}
    steps: list[str] = []
    made_in: dict[str, str] = {}
    fell_back: bool = False


class PictureLock(msgspec.Struct, omit_defaults=True):
    """How a picture was made.

    Args:
        lock: The version of this form.
        node: The node that saved it.
        item: The picture's place in its batch.
        environment: Versions, device, threads, by name.
        numerics: What of the device and the settings changes numbers, by name.
        models: The content keys of models by their files' names.
        packs: The hashes of users' packs by name.
        left_out: What the lock had no room for.
        nodes: In the order in which they were computed, by id.
    """

    node: str
    lock: int = VERSION
    item: int = 0
    environment: dict[str, str] = {}
    numerics: dict[str, str] = {}
    models: dict[str, str] = {}
    packs: dict[str, str] = {}
    left_out: list[str] = []
    nodes: dict[str, LockedNode] = {}

    def type_of(self, node: str) -> str:
        """The type of a node; empty where the lock does not have it."""
        return self.nodes[node].type if node in self.nodes else ""


def lock_text(lock: PictureLock) -> str:
    """The lock as JSON of at most `MOST_BYTES`; what it has no room for is named in it."""
    raw: dict[str, Any] = {"lock": VERSION, **msgspec.to_builtins(lock)}
    for part, called in _LEAST_NEEDED:
        text = _json(raw)
        if _fits(text):
            return text
        for node in raw.get(_NODES, {}).values():
            node.pop(part, None)
        raw["left_out"] = [*raw.get("left_out", ()), called]
    text = _json(raw)
    if _fits(text):
        return text
    # thousands of nodes, or of models: what remains are the places that a replay needs
    raw = {name: raw[name] for name in ("lock", "node", "environment", "numerics") if name in raw}
    return _json(raw | {"left_out": [_NODES]})


def read_lock(text: str | None, place: str) -> PictureLock:
    """The lock of a picture.

    Args:
        text: The chunk; None where the picture has none.
        place: The picture's name, for errors.

    Raises:
        LockError: there is none, or none that can be read.
    """
    if text is None:
        raise LockError(
            "holds no lock, which says how a picture was made: it was saved before NodeForge wrote "
            "locks, by a canvas or by another program, or a program took it out.",
            place=place,
            way_out=f"Its workflow still runs, without being judged: nodeforge run '{place}'.",
        )
    try:
        lock = msgspec.json.decode(inflated(text), type=PictureLock)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise LockError(
            f"its lock is damaged: {error}.",
            place=place,
            way_out="Take the file as NodeForge saved it; a program has changed this one.",
        ) from error
    if lock.lock > VERSION:
        raise LockError(
            f"its lock has form {lock.lock}; this version reads up to {VERSION}.",
            place=place,
            way_out="Update NodeForge.",
        )
    return lock


def _json(raw: dict[str, Any]) -> str:
    return msgspec.json.encode(raw).decode()


def _fits(text: str) -> bool:
    return len(text.encode()) <= MOST_BYTES - _ITEM
