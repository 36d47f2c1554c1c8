"""Compares the locks of two pictures: where the second was first made otherwise, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from nodeforge.engine.replay.lock import LockedNode, PictureLock
from nodeforge.graph.planned import original


class Differs(StrEnum):
    """What differs."""

    GONE = "gone"
    TYPE = "type"
    VERSION = "version"
    PACK = "pack"
    FILE = "file"
    CONTENT = "content"
    VALUE = "value"
    LINK = "link"
    NUMERICS = "numerics"
    ENVIRONMENT = "environment"
    MEMORY = "memory"
    SAVED = "saved"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Difference:
    """One thing that differs.

    Args:
        what: Of which kind.
        name: Of the port, the pack, or what of the environment.
        then: As the picture's lock has it; empty where that is a digest.
        now: As it is now.
    """

    what: Differs
    name: str = ""
    then: str = ""
    now: str = ""


@dataclass(frozen=True)
class Finding:
    """Where two pictures first differ.

    Args:
        node: The node as the first lock names it; empty where none was found to differ.
        type: Its node type.
        loop: The first node with steps, that or a later one, of which a step differs; else empty.
        step: That step, counted from 1 through all loops of the node; 0 where there is none.
        steps: How many there were.
        causes: What of it differs, or else of the environment.
        besides: What differs elsewhere, without having changed a result before that node.
    """

    node: str = ""
    type: str = ""
    loop: str = ""
    step: int = 0
    steps: int = 0
    causes: tuple[Difference, ...] = ()
    besides: tuple[Difference, ...] = ()


def find(then: PictureLock, now: PictureLock) -> Finding:
    """Where `now` first differs from `then`, in the order in which nodes were computed.

    A node differs where its results do. What differs of it is the cause; where nothing does, what
    it was given was as before, and the cause is the environment.
    """
    pairs = _pairs(then, now)
    idle: list[Difference] = []
    suspect: tuple[str, list[Difference]] | None = None
    for node_id, before in then.nodes.items():
        after = now.nodes.get(pairs.get(node_id, ""))
        if after is None:
            return _found(then, now, node_id, None, [Difference(Differs.GONE)], idle)
        own = list(_own(before, after, then, now, pairs))
        if not (before.digests and after.digests):
            if own and suspect is None and node_id != then.node:
                suspect = node_id, own
        elif _differ(before.digests, after.digests):
            if not own and suspect is not None:
                return _found(then, now, suspect[0], None, suspect[1], idle)
            return _found(then, now, node_id, after, own, idle)
        else:
            idle += [each for each in own if each not in idle]
    if suspect is not None:
        return _found(then, now, suspect[0], None, suspect[1], idle)
    return Finding(besides=(*idle, *_idle_environment(then, now)))


def saving_differences(then: PictureLock, now: PictureLock) -> list[Difference]:
    """What differs of the nodes that saved two pictures."""
    before, after = then.nodes.get(then.node), now.nodes.get(now.node)
    if before is None or after is None:
        return []
    return list(_own(before, after, then, now, _pairs(then, now)))


def machine_differences(then: PictureLock, now: PictureLock) -> list[Difference]:
    """What differs of where two pictures were made."""
    environment = _environment(then.environment, now.environment)
    return [*_numerics(then.numerics, now.numerics), *environment]


def _found(
    then: PictureLock,
    now: PictureLock,
    node_id: str,
    after: LockedNode | None,
    own: list[Difference],
    idle: list[Difference],
) -> Finding:
    before = then.nodes[node_id]
    environment = list(_environment(then.environment | before.made_in, now.environment))
    if own:
        causes, besides = own, [*idle, *environment]
    elif before.fell_back or (after is not None and after.fell_back):
        causes, besides = [Difference(Differs.MEMORY)], [*idle, *environment]
    else:
        causes, besides = environment or [Difference(Differs.UNKNOWN)], idle
    step = _first_step(then, now)
    told = {(each.name, each.then, each.now) for each in causes}
    besides = [each for each in besides if (each.name, each.then, each.now) not in told]
    return Finding(node_id, before.type, *step, causes=tuple(causes), besides=tuple(besides))


def _pairs(then: PictureLock, now: PictureLock) -> dict[str, str]:
    """The nodes of `now` by those of `then`.

    A picture behind a list is made again without the list, so that its copies have other ids.
    """
    alone: dict[str, str] = {}
    for node_id in now.nodes:
        name = original(node_id)
        alone[name] = node_id if name not in alone else ""
    found: dict[str, str] = {}
    for node_id in then.nodes:
        there = node_id if node_id in now.nodes else alone.get(original(node_id), "")
        if there:
            found[node_id] = there
    return found


def _own(
    before: LockedNode,
    after: LockedNode,
    then: PictureLock,
    now: PictureLock,
    pairs: Mapping[str, str],
) -> Iterator[Difference]:
    """What differs of a node itself, the most telling first."""
    if before.type != after.type:
        yield Difference(Differs.TYPE, "", before.type, after.type)
        return
    if before.source != after.source:
        yield Difference(Differs.PACK, before.pack or after.pack)
    if before.version != after.version:
        yield Difference(Differs.VERSION, "", str(before.version), str(after.version))
    if before.values or "digests of inputs" not in then.left_out:
        yield from _inputs(before, after)
    if before.links or "links" not in then.left_out:
        yield from _links(before, after, pairs)
    if before.network:
        yield from _numerics(then.numerics, now.numerics)


def _inputs(before: LockedNode, after: LockedNode) -> Iterator[Difference]:
    for port in dict.fromkeys([*before.values, *after.values]):
        if before.values.get(port) == after.values.get(port):
            continue
        one, other = before.files.get(port, ""), after.files.get(port, "")
        if not (one or other):
            yield Difference(Differs.VALUE, port)
        elif one == other:
            yield Difference(Differs.CONTENT, port, one, other)
        else:
            yield Difference(Differs.FILE, port, one, other)


def _links(before: LockedNode, after: LockedNode, pairs: Mapping[str, str]) -> Iterator[Difference]:
    for port in dict.fromkeys([*before.links, *after.links]):
        told = [_paired(each, pairs) for each in before.links.get(port, ())]
        if told != after.links.get(port, []):
            yield Difference(Differs.LINK, port)


def _paired(source: str, pairs: Mapping[str, str]) -> str:
    node, _, port = source.rpartition(".")
    return f"{pairs.get(node, node)}.{port}"


def _numerics(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for each in _environment(then, now):
        yield Difference(Differs.NUMERICS, each.name, each.then, each.now)


def _environment(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for name in dict.fromkeys([*then, *now]):
        if (one := then.get(name, "")) != (other := now.get(name, "")):
            yield Difference(Differs.ENVIRONMENT, name, one, other)


def _idle_environment(then: PictureLock, now: PictureLock) -> Iterator[Difference]:
    """What differs of where results were made, which may be elsewhere than they were saved."""
    places = [then.environment | node.made_in for node in then.nodes.values() if node.digests]
    for each in _environment(then.environment, now.environment):
        if not places or any(place.get(each.name, "") != each.now for place in places):
            yield each


def _differ(then: Mapping[str, str], now: Mapping[str, str]) -> bool:
    return any(now.get(port, digest) != digest for port, digest in then.items())


def _first_step(then: PictureLock, now: PictureLock) -> tuple[str, int, int]:
    """The first node of which a step differs, that step, and how many there were."""
    pairs = _pairs(then, now)
    for node_id, before in then.nodes.items():
        after = now.nodes.get(pairs.get(node_id, ""))
        one, other = before.steps, after.steps if after is not None else []
        for step, (first, second) in enumerate(zip(one, other, strict=False), 1):
            if first and second and first != second:
                return node_id, step, len(one)
        if one and other and len(one) != len(other):
            return node_id, min(len(one), len(other)) + 1, len(one)
    return "", 0, 0
