"""Expands a flattened workflow: planned nodes to values, what is behind a list to copies.

Every node that the targets need is visited once, its sources first, without recursion. A copy is
made for each combination of the lists that a node depends on; nodes before the lists, and behind
a *Collect*, stay one. Copies whose inputs are equal get equal keys, and are computed once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.graph.flatten import FlatGraph, FlatNode
from nodeforge.graph.model import Input, Output
from nodeforge.graph.planned.copies import (
    LOST,
    Axis,
    Collected,
    Item,
    Known,
    Places,
    Spread,
    copy_id,
    joined,
    original,
    places_along,
)
from nodeforge.spec import FLOAT, INTEGER, Catalogue, NodeSpec, Role

MOST_VALUES = 10_000
"""Of one list."""
MOST_COPIES = 20_000
"""Of all nodes of a run."""
HOLDERS = {
    bool: "values.boolean",
    int: "values.integer",
    float: "values.float",
    str: "values.text",
}
"""By type, the node that gives a value where a link is wanted."""

Evaluate = Callable[[NodeSpec, Mapping[str, Any]], Mapping[str, Any] | None]
"""The outputs of a planned node; None where they are not known."""
_Steps = Generator[str, None, None]
"""Gives paths of nodes that must be expanded before it goes on."""


class ExpandError(RequestError):
    """What hangs on a planned value cannot be planned."""


class UnknownHereError(ExpandError):
    """A value that a run would know, and that cannot be had here: it stands in a file, say."""


@dataclass
class Expanded:
    """A workflow in which every value that can be known stands at the node that takes it.

    Args:
        graph: The copies, by id, and their links.
        copies: By path, the ids of a node's copies; a node that is one has its path as id.
        values: By output, what planned nodes give, in the order of their copies; of a list, all
            its values.
        lists: By path of a node that gives lists, those of its outputs.
        places: By copy, its place in each list that stands before it, from 0.
    """

    graph: FlatGraph
    copies: dict[str, list[str]] = field(default_factory=dict)
    values: dict[Output, list[Any]] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, dict[str, int]] = field(default_factory=dict)

    def ids(self, targets: Iterable[str]) -> list[str]:
        """The ids of the copies of `targets`, which are paths or ids of copies.

        For a copy that there is no more, the first one.
        """
        found: list[str] = []
        for target in targets:
            copies = self.copies.get(target)
            if copies is None and target not in self.graph.nodes:
                copies = self.copies.get(original(target), [target])[:1]
            found += [target] if copies is None else copies
        return found


def expand(
    flat: FlatGraph, catalogue: Catalogue, evaluate: Evaluate, targets: Iterable[str]
) -> Expanded:
    """Expand what `targets` need.

    Args:
        flat: The flattened workflow.
        catalogue: All node types.
        evaluate: Computes planned nodes.
        targets: Paths of nodes, or ids of copies.

    Raises:
        ExpandError: a circle, too many copies, or a choice or a list that only a run knows.
        RequestError: a planned node refuses its input.
    """
    paths = [original(target) for target in targets]
    if not any(node.spec and node.spec.replaced_by_planner for node in flat.nodes.values()):
        return Expanded(flat, {path: [path] for path in flat.nodes})
    return _Expansion(flat, catalogue, evaluate, frozenset(paths)).result(paths)


def open_expansion(flat: FlatGraph, catalogue: Catalogue, evaluate: Evaluate) -> _Expansion:
    """An expansion that is asked for one node after another, and goes on after a failure."""
    return _Expansion(flat, catalogue, evaluate, frozenset())


class _Expansion:
    def __init__(
        self, flat: FlatGraph, catalogue: Catalogue, evaluate: Evaluate, targets: frozenset[str]
    ) -> None:
        self.flat = flat
        self.targets = targets
        self.catalogue = catalogue
        self.evaluate = evaluate
        self.feeds = flat.feeds()
        self.count = 0
        self.failed: dict[str, NodeForgeError] = {}
        self.unknown: set[str] = set()
        """Ids of copies of planned nodes whose values a run would know."""
        self.made = Expanded(FlatGraph({}, {}))
        self.spreads: dict[str, dict[str, Spread]] = {}
        """By path and output; the outputs of a node that is computed share one, named ''."""
        self.branches: dict[str, dict[int, Output]] = {}
        for end, start in flat.links.items():
            if end.item is not None:
                self.branches.setdefault(end.node, {})[end.item] = start

    def result(self, targets: list[str]) -> Expanded:
        waiting: list[tuple[str, _Steps]] = []
        open_paths: set[str] = set()
        for target in targets:
            if target not in self.spreads:
                waiting.append((target, self._expanded(target)))
                open_paths.add(target)
            while waiting:
                path, steps = waiting[-1]
                needed = next(steps, None)
                if needed is None:
                    waiting.pop()
                    open_paths.discard(path)
                elif needed in open_paths:
                    raise ExpandError(
                        f"'{needed}' needs its own result.",
                        place=path,
                        way_out="Remove one link of the circle.",
                    )
                elif needed not in self.spreads:
                    waiting.append((needed, self._expanded(needed)))
                    open_paths.add(needed)
        return self.made

    def _expanded(self, path: str) -> _Steps:
        if (known := self.failed.get(path)) is not None:
            raise known  # said already, to another node that needs it
        node = self.flat.nodes.get(path)
        if node is None or node.spec is None:
            self._keep_unknown(path, node)
            return
        try:
            match node.spec.role:
                case Role.SWITCH:
                    yield from self._switch(path, node, node.spec)
                case Role.COLLECT:
                    yield from self._collect(path, node.spec)
                case _:
                    yield from self._copied(path, node, node.spec)
        except NodeForgeError as error:
            self.failed[path] = error
            raise error.at(f"{node.spec.title} ({path})") from error

    def _keep_unknown(self, path: str, node: FlatNode | None) -> None:
        """The planner says what is wrong with it."""
        if node is not None:
            self.made.graph.nodes[path] = node
        self.made.copies[path] = [path]
        self.spreads[path] = {"": Spread((), {(): Output(path, "")})}

    # a switch, a list's end

    def _switch(self, path: str, node: FlatNode, spec: NodeSpec) -> _Steps:
        choice = self.flat.links.get(Input(path, "choice"))
        if choice is not None:
            yield choice.node
            picks = self._spread(choice)
        else:
            literal = node.values.get("choice", spec.input["choice"].default)
            picks = Spread((), {(): Known(literal)})
        chosen: dict[int, Spread] = {}
        for item in picks.items.values():
            if isinstance(item, Output) and item.node in self.unknown:
                raise UnknownHereError("hangs on a value that is not known here.")
            number = _choice(item)
            if number not in chosen:
                feed = self.branches.get(path, {}).get(number)
                if feed is None:
                    raise ExpandError(
                        f"nothing feeds branch {number}.",
                        place="port 'choice'",
                        way_out="Branches count from 0. Choose another, or connect it.",
                    )
                yield feed.node
                chosen[number] = self._spread(feed)
        axes = joined((*picks.axes, *(axis for each in chosen.values() for axis in each.axes)))
        items = {
            tuple(places[axis] for axis in axes): chosen[_choice(picks.at(places))].at(places)
            for places in self._rows(axes)
        }
        self.spreads[path] = {spec.outputs[0].name: Spread(axes, items)}

    def _collect(self, path: str, spec: NodeSpec) -> _Steps:
        port = spec.inputs[0].name
        feed = self.flat.links.get(Input(path, port))
        if feed is None:
            raise ExpandError(
                "has neither a link nor a value.",
                place=f"port '{port}'",
                way_out="Connect what was computed for a list.",
            )
        yield feed.node
        items = [each for each in self._spread(feed).items.values() if each is not LOST]
        self.spreads[path] = {spec.outputs[0].name: Spread((), {(): Collected(items)})}

    # nodes that compute something

    def _copied(self, path: str, node: FlatNode, spec: NodeSpec) -> _Steps:
        feeds = {
            port: feed if isinstance(feed, list) else [feed]
            for port, feed in self.feeds.get(path, {}).items()
        }
        for several in feeds.values():
            for source in several:
                yield source.node
        given = {
            port: [self._input_spread(spec, port, source) for source in several]
            for port, several in feeds.items()
        }
        axes = joined(a for spreads in given.values() for each in spreads for a in each.axes)
        rows = self._rows(axes)
        outputs: dict[int, dict[str, Any] | Output] = {}
        for number, places in enumerate(rows):
            items = {
                port: [inner for each in spreads for inner in _inner(each.at(places))]
                for port, spreads in given.items()
            }
            if not _is_lost(spec, node, items):
                name = copy_id(path, number + 1, len(rows))
                left = {port: [e for e in some if e is not LOST] for port, some in items.items()}
                outputs[number] = self._made_copy(name, node, spec, left)
                if axes:
                    self.made.places[name] = {axis.node: at for axis, at in places.items()}
        self.made.copies[path] = [copy_id(path, number + 1, len(rows)) for number in outputs]
        keys = [tuple(places[axis] for axis in axes) for places in rows]
        if any(port.many for port in spec.outputs):
            self._add_list(path, spec, rows, axes, outputs)
        elif spec.planned:
            for port in spec.outputs:
                items = {key: _given(outputs.get(n), port.name) for n, key in enumerate(keys)}
                self._set_spread(path, port.name, Spread(axes, items))
        else:
            items = {key: _given(outputs.get(n), "") for n, key in enumerate(keys)}
            self.spreads[path] = {"": Spread(axes, items)}

    def _input_spread(self, spec: NodeSpec, port: str, source: Output) -> Spread:
        """What feeds an input; nodes that work on lists take whole ones where they take several."""
        found = self._spread(source)
        declared = spec.input.get(port)
        if declared and declared.many and spec.takes_lists:
            return Spread((), {(): Collected(list(found.items.values()))})
        return found

    def _rows(self, axes: tuple[Axis, ...]) -> list[Places]:
        self.count += math.prod(len(axis.places) for axis in axes)
        if self.count > MOST_COPIES:
            told = " × ".join(f"{len(axis.places):,} of {axis.node}" for axis in axes)
            raise ExpandError(
                f"is computed {told} times, and a run computes {MOST_COPIES:,} nodes at most.",
                way_out="Take shorter lists, or Zip lists, which takes their values pair by pair.",
            )
        return list(places_along(axes))

    def _made_copy(
        self, name: str, node: FlatNode, spec: NodeSpec, items: dict[str, list[Item]]
    ) -> dict[str, Any] | Output:
        """What a planned node gives; of others, a copy is added."""
        if spec.planned and (given := self._evaluated(node, spec, items)) is not None:
            if original(name) in self.targets and not any(port.many for port in spec.outputs):
                self._add(name, node, spec, items)
            return given
        self._add(name, node, spec, items)
        results = [each for some in items.values() for each in some if isinstance(each, Output)]
        if spec.planned and all(each.node in self.unknown for each in results):
            self.unknown.add(name)
        return Output(name, "")

    def _add(self, name: str, node: FlatNode, spec: NodeSpec, items: dict[str, list[Item]]) -> None:
        values = dict(node.values)
        for port, several in items.items():
            declared = spec.input.get(port)
            if declared and declared.many:
                for place, item in enumerate(several):
                    self._link(Input(name, port, place), item)
            elif len(several) > 1:
                raise ExpandError(
                    "is given all values of a list at once.",
                    place=f"port '{port}'",
                    way_out="Link Collect to an input that takes several.",
                )
            elif several and declared and declared.widget and isinstance(several[0], Known):
                values[port] = _fitted(spec, port, several[0].value)
            elif several:
                self._link(Input(name, port), several[0])
        self.made.graph.nodes[name] = node._replace(values=values)

    def _evaluated(
        self, node: FlatNode, spec: NodeSpec, items: dict[str, list[Item]]
    ) -> dict[str, Any] | None:
        given = dict(node.values)
        for port, several in items.items():
            known = [each.value for each in several if isinstance(each, Known)]
            if len(known) < len(several) or port not in spec.input:
                return None
            if spec.input[port].many:
                given[port] = known
            elif known:
                given[port] = _fitted(spec, port, known[0])
        outputs = self.evaluate(spec, given)
        return None if outputs is None else dict(outputs)

    def _link(self, end: Input, item: Item) -> None:
        """Link an input to a copy, or to a node that holds a value."""
        if isinstance(item, Known):
            kind = HOLDERS.get(type(item.value), "")
            holder = f"{end.node}#{end.port}" + ("" if end.item is None else f"#{end.item}")
            value = FlatNode(kind, {"value": item.value}, False, self.catalogue.get(kind))
            self.made.graph.nodes[holder] = value
            item = Output(holder, "value")
        assert isinstance(item, Output)
        self.made.graph.links[end] = item

    def _add_list(
        self,
        path: str,
        spec: NodeSpec,
        rows: list[Places],
        axes: tuple[Axis, ...],
        outputs: Mapping[int, dict[str, Any] | Output],
    ) -> None:
        """What a node that gives lists gives: an axis of its own, which hangs on `axes`."""
        ports = [port.name for port in spec.outputs if port.many]
        self.made.lists[path] = ports
        outer = tuple(dict.fromkeys(each for axis in axes for each in (axis, *axis.outer)))
        places: list[tuple[int, ...]] = []
        values: dict[str, list[Any]] = {port: [] for port in ports}
        for number, given in outputs.items():
            if isinstance(given, Output):
                if given.node in self.unknown:
                    raise UnknownHereError("is a list that is not known here.")
                raise ExpandError(
                    "is a list of values that only a run knows.",
                    way_out="Lists are planned before a run: give it values, not results.",
                )
            for port in ports:
                values[port] += given[port]
            here = tuple(rows[number][each] for each in outer)
            places += [here] * len(given[ports[0]])
        if not places:
            raise ExpandError("gives an empty list.", way_out="Give it one value at least.")
        if len(places) > MOST_VALUES:
            raise ExpandError(
                f"gives {len(places):,} values, and a list has {MOST_VALUES:,} at most.",
                way_out="Give it fewer.",
            )
        axis = Axis(path, outer, tuple(places))
        for port in spec.outputs:
            if port.many:
                items: dict[tuple[int, ...], Item] = {
                    (place,): Known(value) for place, value in enumerate(values[port.name])
                }
                self._set_spread(path, port.name, Spread((axis,), items))
            else:
                items = {
                    tuple(row[each] for each in axes): _given(outputs.get(number), port.name)
                    for number, row in enumerate(rows)
                }
                self._set_spread(path, port.name, Spread(axes, items))

    def _set_spread(self, path: str, port: str, spread: Spread) -> None:
        self.spreads.setdefault(path, {})[port] = spread
        known = [each.value for each in spread.items.values() if isinstance(each, Known)]
        if len(known) == len(spread.items):
            self.made.values[Output(path, port)] = known

    def _spread(self, source: Output) -> Spread:
        ports = self.spreads[source.node]
        if source.port in ports:
            return ports[source.port]
        if "" not in ports:
            raise ExpandError(
                f"'{source.node}' has no output '{source.port}'.", way_out="Connect another output."
            )
        of_node = ports[""]
        items = {
            key: item._replace(port=source.port) if isinstance(item, Output) else item
            for key, item in of_node.items.items()
        }
        return Spread(of_node.axes, items)


def _choice(item: Item) -> int:
    """The number of a switch's branch."""
    if not isinstance(item, Known):
        raise ExpandError(
            "hangs on a value that only a run knows, and a switch is set before the run.",
            place="port 'choice'",
            way_out="Link a value that is known before: a number, a comparison of numbers, a list.",
        )
    value = item.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or value < 0:
        raise ExpandError(
            f"is {value!r}, which is no branch.",
            place="port 'choice'",
            way_out="Branches count from 0.",
        )
    return int(value)


def _inner(item: Item) -> list[Any]:
    return item.items if isinstance(item, Collected) else [item]


def _given(outputs: dict[str, Any] | Output | None, port: str) -> Item:
    if outputs is None:
        return LOST
    return outputs._replace(port=port) if isinstance(outputs, Output) else Known(outputs[port])


def _is_lost(spec: NodeSpec, node: FlatNode, items: Mapping[str, list[Item]]) -> bool:
    """Whether something that a copy cannot do without comes from what is muted."""
    for name, several in items.items():
        port = spec.input.get(name)
        if port is None or any(item is not LOST for item in several):
            continue
        needed = not port.optional if port.many else port.required and name not in node.values
        if needed:
            return True
    return False


def _fitted(spec: NodeSpec, port: str, value: Any) -> Any:
    """`value` for an input of a type that it widens to."""
    wanted = spec.input[port].type
    return int(value) if isinstance(value, bool) and wanted in (INTEGER, FLOAT) else value
