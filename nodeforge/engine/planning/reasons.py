"""Compares a plan with the document's last run, to say why a node is computed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from nodeforge.engine.planning.keys import digest
from nodeforge.engine.planning.plan import Plan, PlannedNode
from nodeforge.engine.planning.reason import Cause, Reason
from nodeforge.graph.model import Output

_IN_MEMORY = 20
"""Documents whose last run stays in memory."""
_KEPT = 200
"""Documents whose last run is remembered on disk."""


class Parts(msgspec.Struct):
    """What of a node's key a later run compares: digests, no texts."""

    key: str
    static: str
    type: str
    values: dict[str, str]
    files: dict[str, str]
    links: dict[str, str]


def _parts(node: PlannedNode) -> Parts:
    values = {port: digest(repr(value))[:12] for port, value in node.counted.items()}
    paths = {port: value for port, value in node.literals.items() if isinstance(value, Path)}
    return Parts(
        key=node.key,
        static=digest(node.static),
        type=f"{node.spec.type} {node.spec.version} {node.spec.source}",
        values=values,
        files={port: digest(str(path))[:12] for port, path in paths.items()},
        links={port: _sources(link) for port, link in node.links.items()},
    )


def _sources(link: Output | list[Output]) -> str:
    feeds = link if isinstance(link, list) else [link]
    return ",".join(f"{feed.node}.{feed.port}" for feed in feeds)


Before = PlannedNode | Parts
"""A node of the last run: as it was planned, or as it was read from disk."""
_Run = dict[str, Before]
_DECODER = msgspec.json.Decoder(dict[str, Parts])


class Reasons:
    """Remembers the last run of each document, and compares plans with it.

    Args:
        folder: Where last runs are kept between processes; None keeps them in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._last: dict[str, _Run] = {}
        self._unsaved: set[str] = set()

    def of(self, document: str, plan: Plan) -> Callable[[str], Reason]:
        """A function from a node that is computed to why."""
        last = self._last_run(document)
        known: dict[str, Reason | None] = {}
        return lambda node_id: (
            _reason(plan, node_id, last, known)
            or _at(
                Cause.EFFECT if plan.nodes[node_id].spec.effects else Cause.CACHE,
                plan.nodes[node_id],
            )
        )

    def remember(self, document: str, plan: Plan) -> None:
        """Compare later runs of `document` with this one."""
        if document:
            # a run of one branch leaves the others as they were
            self._last[document] = {**self._last_run(document), **plan.nodes}
            self._unsaved.add(document)
            saved = [each for each in self._last if each not in self._unsaved]
            for old in saved[: max(0, len(self._last) - _IN_MEMORY)]:
                del self._last[old]

    def save(self) -> None:
        """Write the last runs to disk, for other processes."""
        unsaved, self._unsaved = self._unsaved, set()
        if self._folder is None or not unsaved:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for document in unsaved:
                run = self._last[document]
                made = {n: _parts(b) if isinstance(b, PlannedNode) else b for n, b in run.items()}
                path = self._path(document)
                part = path.with_suffix(f".{os.getpid()}.part")
                part.write_bytes(msgspec.json.encode(made))
                part.replace(path)
            files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
            for old in files[:-_KEPT]:
                old.unlink()

    def _last_run(self, document: str) -> _Run:
        if not document:
            return {}
        if document not in self._last:
            self._last[document] = {}
            if self._folder is not None:
                with contextlib.suppress(OSError, msgspec.MsgspecError):
                    self._last[document] = {**_DECODER.decode(self._path(document).read_bytes())}
        return self._last[document]

    def _path(self, document: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{digest(document)}.json"


def _at(cause: Cause, node: PlannedNode, port: str = "") -> Reason:
    return Reason(cause, node.id, node.spec.title, port)


def _reason(
    plan: Plan, node_id: str, last: Mapping[str, Before], known: dict[str, Reason | None]
) -> Reason | None:
    """What first differs at a node or before it; None where its key is as it was. Iterative."""
    stack = [node_id]
    while stack:
        node = plan.nodes[stack[-1]]
        before = last.get(node.id)
        if before and before.key == node.key:
            known[stack.pop()] = None
            continue
        if own := _own_reason(node, before):
            known[stack.pop()] = own
            continue
        waiting = next((s.node for s in node.feeds if s.node not in known), None)
        if waiting is not None:
            stack.append(waiting)
            continue
        causes = (known[source.node] for source in node.feeds)
        found = next((cause for cause in causes if cause), None)
        # its key differs, and neither its own part nor what feeds it: device, precision, ...
        known[stack.pop()] = found or _at(Cause.NUMERICS, node)
    return known[node_id]


def _own_reason(node: PlannedNode, before: Before | None) -> Reason | None:
    if before is None:
        return _at(Cause.NEW, node)
    if isinstance(before, PlannedNode):
        if before.static == node.static and before.links == node.links:
            return None
        before = _parts(before)
    now = _parts(node)
    if now.type != before.type:
        return _at(Cause.TYPE, node)
    for port, value in now.values.items():
        if port in before.values and before.values[port] != value:
            same_path = port in before.files and before.files[port] == now.files.get(port)
            return _at(Cause.FILE if same_path else Cause.VALUE, node, port)
    for port in sorted(now.links.keys() | before.links.keys()):
        if now.links.get(port) != before.links.get(port):
            return _at(Cause.LINK, node, port)
    for port in sorted(now.values.keys() ^ before.values.keys()):
        return _at(Cause.VALUE, node, port)
    return None
