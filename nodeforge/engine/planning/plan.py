"""Makes a plan: the nodes to compute, in order, with their keys. Iterative and linear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodeforge.engine.content.files import Files
from nodeforge.engine.content.referenced_models import Named, referenced_models
from nodeforge.engine.planning.keys import node_key, static_part
from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.graph.flatten import FlatGraph
from nodeforge.graph.model import Output
from nodeforge.graph.planned import coerce, number_of, original
from nodeforge.models import ModelInfo
from nodeforge.spec import ModelFileWidget, NodeSpec
from nodeforge.spec import types as names


class PlanError(RequestError):
    """The workflow cannot be run as it stands."""


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """One node of a plan.

    Args:
        id: Its id in the flattened workflow: ``denoise``, ``group/denoise``.
        literals: Arguments that stand in the workflow, files as paths.
        links: For each linked input the output that feeds it; a list for a list port.
        feeds: Every output that feeds it.
        counted: The literals as they count in keys, files as their digests.
        static: What of its key does not come from its links.
        key: Names its results.
        named: Models that its texts name, by name.
        companions: Files that were found for ports left empty, by port.
    """

    id: str
    spec: NodeSpec
    literals: dict[str, Any]
    links: dict[str, Output | list[Output]]
    feeds: tuple[Output, ...]
    counted: dict[str, Any]
    static: str
    key: str
    pin: bool
    named: Named
    companions: Mapping[str, ModelInfo]


@dataclass(frozen=True)
class Plan:
    """Nodes in an order in which each comes after what feeds it.

    Args:
        unread: Models whose content must be read before a run, with their bytes; the keys of
            what they feed are not final before.
    """

    nodes: dict[str, PlannedNode]
    targets: list[str]
    unread: Mapping[Path, int] = field(default_factory=dict)


def make_plan(graph: FlatGraph, targets: Iterable[str], files: Files, numerics: str) -> Plan:
    """Plan what `targets` need.

    Args:
        graph: The flattened workflow.
        targets: Ids of the nodes whose results are wanted.
        files: Resolves file values.
        numerics: Digest of what changes numbers.

    Raises:
        PlanError: a cycle, or an input that has neither link nor value.
        RequestError: an unknown node type, a missing file.
    """
    targets = list(targets)
    links = graph.feeds()
    planned: dict[str, PlannedNode] = {}
    for node_id in _order(targets, links):
        fed = links.get(node_id, {})
        planned[node_id] = _plan_node(node_id, graph, fed, planned, files, numerics)
    return Plan(planned, targets, files.unread)


def place(node_id: str, spec: NodeSpec) -> str:
    """A node as errors name it: ``Denoise loop (denoise)``."""
    number, of = number_of(node_id)
    return f"{spec.title} ({original(node_id)})" + (f", {number} of {of}" if of > 1 else "")


def default_targets(graph: FlatGraph) -> list[str]:
    """Nodes that save or show something; where there are none, those that feed no other."""
    wanted = [node_id for node_id, node in graph.nodes.items() if node.spec and node.spec.wanted]
    if wanted:
        return wanted
    feeding = {source.node for source in graph.links.values()}
    # Where every node feeds another there is a circle: planning it says so.
    return [node_id for node_id in graph.nodes if node_id not in feeding] or list(graph.nodes)


def _order(
    targets: list[str], links: Mapping[str, Mapping[str, Output | list[Output]]]
) -> list[str]:
    """What `targets` depend on, sources first: depth-first, without recursion."""
    done: dict[str, bool] = {}  # False while a node's own sources are being visited
    order: list[str] = []
    stack = [(target, False) for target in reversed(targets)]
    while stack:
        node, left = stack.pop()
        if left:
            done[node] = True
            order.append(node)
            continue
        if node in done:
            continue
        done[node] = False
        stack.append((node, True))
        for source in reversed([*_sources(links.get(node, {}))]):  # the first is visited first
            state = done.get(source.node)
            if state is None:
                stack.append((source.node, False))
            elif not state:
                raise PlanError(
                    f"'{source.node}' needs its own result.",
                    place=node,
                    way_out="Remove one link of the circle.",
                )
    return order


def _sources(links: Mapping[str, Output | list[Output]]) -> Iterable[Output]:
    for link in links.values():
        if isinstance(link, list):
            yield from link
        else:
            yield link


def _plan_node(
    node_id: str,
    graph: FlatGraph,
    links: dict[str, Output | list[Output]],
    planned: Mapping[str, PlannedNode],
    files: Files,
    numerics: str,
) -> PlannedNode:
    node = graph.nodes.get(node_id)
    if node is None or node.spec is None:
        raise PlanError(
            f"there is no node type '{node.type}'." if node else "there is no such node.",
            place=node_id,
            way_out="Install the pack that has it, or delete the node and its links.",
        )
    try:
        fed = {port: _feed(node.spec, port, link, planned) for port, link in links.items()}
        literals, counted = _literals(node.spec, node.values, links, files)
        companions = _companions(node_id, node.spec, literals, links, files)
        for port, info in companions.items():
            literals[port] = info.path
            counted[port] = files.digest(node.spec.input[port], info.path)
        named = referenced_models(node.spec, literals, files)
    except NodeForgeError as error:
        raise error.at(place(node_id, node.spec)) from error
    counted |= named.counted
    static = static_part(node.spec, counted, numerics)
    return PlannedNode(
        node_id, node.spec, literals, links, tuple(_sources(links)), counted, static,
        node_key(static, fed),
        node.pin, named.found, companions,
    )  # fmt: skip


def _feed(
    spec: NodeSpec,
    port: str,
    link: Output | list[Output],
    planned: Mapping[str, PlannedNode],
) -> str:
    """What feeds `port`, as it counts in the key."""
    if port not in spec.input:
        raise PlanError(f"has no input '{port}'.", way_out="Remove the link to it.")
    fed = []
    for source in link if isinstance(link, list) else (link,):
        feeder = planned[source.node]
        if source.port not in feeder.spec.output:
            raise PlanError(
                f"'{source.node}' has no output '{source.port}'.",
                place=f"port '{port}'",
                way_out="Connect another output.",
            )
        fed.append(f"{feeder.key}.{source.port}")
    return ",".join(fed)


def _literals(
    spec: NodeSpec, values: Mapping[str, Any], links: Mapping[str, object], files: Files
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments that stand in the workflow, and the same as they count in the key."""
    arguments: dict[str, Any] = {}
    counted: dict[str, Any] = {}
    for port in spec.inputs:
        if port.name in links:
            continue
        value = values.get(port.name, port.default) if port.widget else None
        if value is None:
            if port.required:
                raise PlanError(
                    "has neither a link nor a value.",
                    place=f"port '{port.name}'",
                    way_out="Connect it, or give a value.",
                )
            continue
        try:
            arguments[port.name] = counted[port.name] = coerce(port, value)
            if port.type == names.PATH:
                path = files.resolve(port, value)
                arguments[port.name], counted[port.name] = path, files.digest(port, path)
        except NodeForgeError as error:
            raise error.at(f"port '{port.name}'") from error
    return arguments, counted


def _companions(
    node_id: str,
    spec: NodeSpec,
    arguments: Mapping[str, Any],
    links: Mapping[str, object],
    files: Files,
) -> dict[str, ModelInfo]:
    """What models that come alone need beside them and the workflow leaves open, by port."""
    found: dict[str, ModelInfo] = {}
    with_others: dict[str, list[str]] = {}
    for port in spec.inputs:
        if isinstance(port.widget, ModelFileWidget) and (of := port.widget.goes_with):
            with_others.setdefault(of, []).append(port.name)
    for of, ports in with_others.items():
        if isinstance(model := arguments.get(of), Path):
            given = {name: arguments[name] for name in ports if name in arguments}
            made = files.companions(original(node_id), model, given)
            found |= {name: info for name, info in made.items() if name not in links}
    return found
