"""Group nodes, ComfyUI's subgraphs before 2025, read as subgraphs.

Their type is ``workflow/Name`` or ``workflow>Name``, their nodes are in ``extra.groupNodes``.
Nodes there have no ids: links name them by their places in the list. Inputs and outputs of the
group are those of its nodes that no link inside feeds or reads, in order; its widget values are
those of its nodes, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nodeforge.formats.comfyui.comfy_graph import SEEDS, control_word
from nodeforge.formats.comfyui.table import ROWS
from nodeforge.formats.comfyui.ui_json import dicts, text_at

_PREFIXES = ("workflow/", "workflow>")


@dataclass
class GroupNode:
    """One use of a group node, as a subgraph's.

    Args:
        use: The node, without the values that went to the nodes inside.
        definition: Its subgraph.
        problems: What could not be read.
    """

    use: dict[str, Any]
    definition: dict[str, Any]
    problems: list[str] = field(default_factory=list)


def as_subgraph(use: dict[str, Any], file: dict[str, Any]) -> GroupNode | None:
    """The subgraph of the group node `use`; None where it is no group node of `file`."""
    name = next((use["type"][len(p) :] for p in _PREFIXES if use["type"].startswith(p)), "")
    extra = file.get("extra")
    groups = extra.get("groupNodes") if type(extra) is dict else None
    group = groups.get(name) if type(groups) is dict else None
    if type(group) is not dict:
        return None
    nodes = dicts(group.get("nodes"))
    if not nodes or not all(type(each.get("type")) is str for each in nodes):
        return None
    return _Group(name, group, nodes).made(use)


class _Group:
    def __init__(self, name: str, group: dict[str, Any], nodes: list[dict[str, Any]]) -> None:
        self.name, self.config = name, group.get("config")
        self.nodes = [
            {**node, "id": place, "inputs": [dict(port) for port in dicts(node.get("inputs"))]}
            for place, node in enumerate(nodes)
        ]
        self.links: list[list[Any]] = []
        self.fed: set[tuple[int, int]] = set()
        self.read: set[tuple[int, int]] = set()
        for node in self.nodes:
            for port in node["inputs"]:
                port["link"] = None
        links = group.get("links")
        for link in links if type(links) is list else ():
            if type(link) is list and len(link) >= 4 and all(type(n) is int for n in link[:4]):
                start, output, end, place = link[:4]
                self._link(start, output, end, place)
                self.fed.add((end, place))
                self.read.add((start, output))
        shown = group.get("external")
        for place in shown if type(shown) is list else ():
            if type(place) is list and len(place) >= 2 and all(type(n) is int for n in place[:2]):
                self.read.discard((place[0], place[1]))

    def _link(self, start: int, output: int, end: int, place: int) -> None:
        if 0 <= end < len(self.nodes) and 0 <= place < len(self.nodes[end]["inputs"]):
            number = len(self.links)
            self.links.append([number, start, output, end, place, "*"])
            self.nodes[end]["inputs"][place]["link"] = number

    def made(self, use: dict[str, Any]) -> GroupNode:
        problems = []
        held = use.get("widgets_values")
        if type(held) is list and held and not self._give_values(held):
            problems.append(
                f"The values of the group node {use['id']} are not as many as its nodes have; "
                "those inside count."
            )
        inputs, outputs = dicts(use.get("inputs")), dicts(use.get("outputs"))
        for slot, (end, place) in enumerate(self._inputs(inputs)):
            if end >= 0:
                self._link(-10, slot, end, place)
        for slot, (start, output) in enumerate(self._outputs(outputs)):
            if start >= 0:
                self.links.append([len(self.links), start, output, -20, slot, "*"])
        definition = {"name": self.name, "nodes": self.nodes, "links": self.links}
        definition |= {"inputs": inputs, "outputs": outputs}
        return GroupNode({**use, "widgets_values": []}, definition, problems)

    def _inputs(self, ports: list[dict[str, Any]]) -> Iterator[tuple[int, int]]:
        """The node and slot that each input of the group feeds; -1 where none is found."""
        free = [
            (place, slot)
            for place, node in enumerate(self.nodes)
            for slot, port in enumerate(node["inputs"])
            if (place, slot) not in self.fed
            and "widget" not in port
            and self._is_shown(place, "input", text_at(port, "name"))
        ]
        for port in ports:
            if type(port.get("widget")) is dict:
                yield self._widget(text_at(port, "name"))
                continue
            kind = text_at(port, "type")
            found = next((each for each in free if self._kind(*each) == kind), (-1, -1))
            if found in free:
                free = free[free.index(found) + 1 :]
            yield found

    def _kind(self, place: int, slot: int) -> str:
        return text_at(self.nodes[place]["inputs"][slot], "type")

    def _widget(self, name: str) -> tuple[int, int]:
        """The node with the widget `name`, before which its title may stand, and a new slot."""
        for place, node in enumerate(self.nodes):
            row = ROWS.get(node["type"].strip())
            for widget in row.widgets if row else ():
                taken = any(text_at(port, "name") == widget for port in node["inputs"])
                if name in (widget, f"{node.get('title') or node['type']} {widget}") and not taken:
                    node["inputs"].append({"name": widget, "widget": {"name": widget}})
                    return place, len(node["inputs"]) - 1
        return -1, -1

    def _outputs(self, ports: list[dict[str, Any]]) -> Iterator[tuple[int, int]]:
        """The node and slot that each output of the group shows; -1 where none is found."""
        free = [
            (place, slot, text_at(port, "type"))
            for place, node in enumerate(self.nodes)
            for slot, port in enumerate(dicts(node.get("outputs")))
            if self._is_shown(place, "output", str(slot), (place, slot) not in self.read)
        ]
        for port in ports:
            kind = text_at(port, "type")
            found = next((index for index, each in enumerate(free) if each[2] == kind), -1)
            if found < 0:
                yield -1, -1
                continue
            yield free[found][:2]
            free = free[found + 1 :]

    def _is_shown(self, place: int, part: str, name: str, usual: bool = True) -> bool:
        """Whether the group shows a port of one of its nodes."""
        config = self.config
        for key in (str(place), part, name):
            config = config.get(key) if type(config) is dict else None
        shown = config.get("visible") if type(config) is dict else None
        return shown if type(shown) is bool else usual

    def _give_values(self, held: list[Any]) -> bool:
        """Give the group's values to its nodes; False where they are not as many."""
        shares = [self._own_places(place, node) for place, node in enumerate(self.nodes)]
        if sum(map(len, shares)) != len(held):
            return False
        rest = iter(held)
        for node, places in zip(self.nodes, shares, strict=True):
            values = list(node["widgets_values"]) if places else []
            for place in places:
                values[place] = next(rest)
            if places:
                node["widgets_values"] = values
        return True

    def _own_places(self, place: int, node: dict[str, Any]) -> list[int]:
        """The places among a node's widget values that the group holds."""
        held = node.get("widgets_values")
        if type(held) is not list or node["type"] == "Note":
            return []
        linked = {text_at(port, "name") for port in node["inputs"] if port["link"] is not None}
        row = ROWS.get(node["type"].strip())
        names: list[str] = []
        rest = list(row.widgets) if row else []
        for value in held:
            after_seed = names and names[-1] in SEEDS and control_word(value)
            names.append(names[-1] if after_seed else rest.pop(0) if rest else "")
        return [
            index
            for index, name in enumerate(names)
            if name not in linked and self._is_shown(place, "input", name)
        ]
