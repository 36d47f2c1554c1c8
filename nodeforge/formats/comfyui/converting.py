"""From a ComfyUI workflow to a document: each node by its row of the table, in order of links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nodeforge.errors import RequestError
from nodeforge.formats.comfyui.making import Making, NoCounterpartError
from nodeforge.formats.comfyui.neutral import CONTROL, SEEDS, ComfyGraph, ComfyNode, Source
from nodeforge.formats.comfyui.placing import Placed, place
from nodeforge.formats.comfyui.report import Became, Report
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.signals import Empty, Signal
from nodeforge.formats.comfyui.table import NOTES, ROWS
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Collapse
from nodeforge.graph.history import History
from nodeforge.graph.model import Input, Mode, Node, Output
from nodeforge.graph.paths import Names, join
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders

PLACEHOLDER = "comfyui."
"""What the type of a node without counterpart starts with; its class follows."""

_FOREIGN = re.compile(r"[^A-Za-z0-9_]+")


@dataclass
class Imported:
    """A workflow of ComfyUI as one of ours, and what there is to say about it."""

    document: Document
    report: Report


def convert(
    graph: ComfyGraph, catalogue: Catalogue, models: ModelFolders | None = None
) -> Imported:
    """Make a document of `graph`. The same graph gives the same document.

    Args:
        graph: As `reading` gives it.
        catalogue: Our node types.
        models: Where to look for the family of a model, which some values depend on; without
            it, and where a model is not there, it is taken for SD 1.5, and the report says so.
    """
    world = World(graph, catalogue, models)
    world.convert()
    return Imported(world.document, world.report)


@dataclass
class World:
    """All that is being converted."""

    graph: ComfyGraph
    catalogue: Catalogue
    models: ModelFolders | None = None
    document: Document = field(default_factory=Document)
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self.name = Names(self.document.graph.nodes)
        self.signals: dict[Source, Signal] = {}
        self.readers = Counter(s for node in self.graph.nodes.values() for s in node.links.values())
        self.slots: dict[str, int] = {}
        for source in self.readers:
            self.slots[source.node] = max(self.slots.get(source.node, 0), source.slot + 1)
        self.clusters: dict[str, list[str]] = {}
        self.notes: dict[str, str] = {}
        self.empties: dict[Empty, str] = {}
        self.shared: set[str] = set()

    def convert(self) -> None:
        done: dict[str, Became] = {}
        for node in _in_order(self.graph, self.report):
            done[node.id] = self._node(node)
        self._feed_empties()
        self.report.became = [done[name] for name in self.graph.nodes if name in done]
        self.report.oddities += self.graph.oddities
        placed = place(self.document, self.graph, self.clusters, self.notes, self.catalogue)
        self._draw(placed, self._collapse(placed))

    def family(self, kind: str, name: str) -> str:
        """The family of a model that is on this machine; empty where it is not known."""
        if self.models is None:
            return ""
        from nodeforge.models import recognise

        try:
            return recognise(self.models.find(kind, name)).family or ""
        except RequestError:
            return ""

    def type_of(self, output: Output, made: dict[str, Node]) -> str:
        """Our type of an output; empty where it is not known."""
        node = made.get(output.node) or self.document.graph.nodes.get(output.node)
        spec = self.catalogue.get(node.type) if node else None
        port = spec.output.get(output.port) if spec else None
        return port.type if port else ""

    def empty_latent(self, empty: Empty) -> Output:
        """A node that makes latents of zeros; which VAE it asks is settled in the end."""
        if empty not in self.empties:
            name = self.empties[empty] = self.name("latent.empty")
            node = self.document.graph.nodes[name] = Node("latent.empty")
            for port in ("width", "height", "batch"):
                given = getattr(empty, port)
                if given.output is not None:
                    self.document.graph.links[Input(name, port)] = given.output
                else:
                    node.values[port] = given.value
        return Output(self.empties[empty], "latent")

    @cached_property
    def picture_size(self) -> tuple[int, int] | None:
        """The size of the first picture that starts from nothing."""
        for node in self.graph.nodes.values():
            if node.kind in ("EmptyLatentImage", "EmptySD3LatentImage"):
                values = _named(node, ROWS[node.kind])[0]
                sides = values.get("width"), values.get("height")
                if all(type(side) is int and 0 < side <= 16384 for side in sides):
                    return sides  # pyright: ignore[reportReturnType]
        return None

    def reads(self, node: ComfyNode, slot: int) -> bool:
        """Whether something is linked to an output of `node`."""
        return Source(node.id, slot) in self.readers

    @cached_property
    def seeds(self) -> frozenset[str]:
        """The nodes that are linked to seeds."""
        return frozenset(
            source.node
            for reader in self.graph.nodes.values()
            for name, source in reader.links.items()
            if name in ("seed", "noise_seed")
        )

    def _node(self, node: ComfyNode) -> Became:
        row = ROWS.get(node.kind)
        signals = self._signals(node)
        title = node.title if node.title not in (node.kind, row.name if row else "") else ""
        became = Became(node.id, node.kind, title)
        if node.kind in NOTES:
            self._note(node)
            became.instead = "a note"
            return became
        if any(signal.lost for signal in signals.values()) and node.mode is Mode.ACTIVE:
            node.mode = Mode.MUTE
            self.report.oddities.append(f"{became.told} is muted, as what feeds it is.")
        making = Making(self, node, {n: s for n, s in signals.items() if not s.lost})
        if row is None:
            became.missing = "is of a class that has no counterpart here."
            self._placeholder(making)
        else:
            values, making.control = _named(node, row)
            node.values = values
            try:
                self._by_row(making, row)
            except NoCounterpartError as error:
                making = Making(self, node, making.signals)
                became.missing = error.fact
                self._placeholder(making)
        self._keep(making, became)
        return became

    def _signals(self, node: ComfyNode) -> dict[str, Signal]:
        found: dict[str, Signal] = {}
        for name, source in node.links.items():
            signal = self.signals.get(source)
            if signal is not None:
                found[name] = signal
                if signal.loader and self.readers[source] > 1:
                    self.shared.add(signal.loader)
        return found

    def _by_row(self, making: Making, row: Row) -> None:
        mode = making.node.mode
        if row.dissolves and mode is Mode.MUTE:
            making.give(*(Signal(kind, lost=True) for kind in row.gives))
            return
        around = _around(making, row.gives) if mode is Mode.BYPASS else []
        if row.dissolves and mode is Mode.BYPASS:
            making.outputs = [each or Signal("", lost=True) for each in around]
            return
        row.make(making)
        if row.differs and mode is Mode.ACTIVE:
            making.differ(row.differs)
        for slot, past in enumerate(around[: len(making.outputs)]):
            if past is not None and not self._passes(making, slot, past):
                making.outputs[slot] = past

    def _passes(self, making: Making, slot: int, past: Signal) -> bool:
        """Whether our bypassed node gives as this output what ComfyUI's gives."""
        output = making.outputs[slot].output
        if output is None or past.output is None or output.node not in making.made:
            return False
        spec, kind = (
            self.catalogue[making.made[output.node].type],
            self.type_of(output, making.made),
        )
        for port in spec.inputs:
            if port.type == kind and (fed := making.links.get(Input(output.node, port.name))):
                making.outputs[slot] = replace(past, output=output)
                return fed == past.output
        return False

    def _placeholder(self, making: Making) -> None:
        """A node of an unknown type that keeps values and links."""
        node = making.node
        name = self.name(node.kind)
        made = making.made[name] = Node(PLACEHOLDER + node.kind)
        loose = {f"value_{index}": value for index, value in enumerate(node.loose)}
        made.values = dict(node.values or loose)
        taken: set[str] = set()
        for there, signal in making.signals.items():
            port = _port(there, taken)
            made.values.pop(there, None)
            if output := making.out(signal):
                making.links[Input(name, port)] = output
        row = ROWS.get(node.kind)
        kinds = node.outputs or [(kind, kind) for kind in (row.gives if row else ())]
        count = len(kinds) or self.slots.get(node.id, 0)
        kinds = [*kinds, *[("", "*")] * count][:count]
        taken = set()
        gives = [
            Signal(kind, Output(name, _port(there or f"output_{slot}", taken)))
            for slot, (there, kind) in enumerate(kinds)
        ]
        around = _around(making, tuple(kind for _, kind in kinds))
        passes = node.mode is Mode.BYPASS
        making.give(
            *(past if passes and past else s for s, past in zip(gives, around, strict=True))
        )

    def _keep(self, making: Making, became: Became) -> None:
        """Take what was made into the document."""
        node, graph = making.node, self.document.graph
        graph.nodes.update(making.made)
        graph.links.update(making.links)
        for made in making.made.values():
            made.mode = node.mode
        became.nodes = list(making.made)
        self.clusters[node.id] = became.nodes
        if became.nodes:
            making.made[became.nodes[0]].title = became.title
            self._dress(node, became.nodes)
        for slot, signal in enumerate(making.outputs):
            self.signals[Source(node.id, slot)] = signal

    def _dress(self, node: ComfyNode, names: list[str]) -> None:
        """Give our nodes the colour, and the first of them the fold, of the one there."""
        view = self.document.view
        if node.colour:
            view.colours |= dict.fromkeys(names, node.colour)
        if node.collapsed:
            view.collapsed[names[0]] = True

    def _note(self, node: ComfyNode) -> None:
        values = [*node.values.values(), *node.loose]
        text = next((value for value in values if type(value) is str), "")
        self.notes[node.id] = text

    def _feed_empties(self) -> None:
        """Give latents of zeros the VAE that the workflow decodes with."""
        links, nodes = self.document.graph.links, self.document.graph.nodes
        decoding = [e for e in links if e.port == "vae" and nodes[e.node].type == "latent.decode"]
        found = [links[end] for end in decoding]
        found += [s.output for s in self.signals.values() if s.type == "VAE" and s.output]
        for name in self.empties.values():
            if found:
                links[Input(name, "vae")] = found[0]

    def _collapse(self, placed: Placed) -> dict[str, str]:
        """Make subgraphs of what was in subgraphs, inner ones first; their paths by ids there."""
        around: dict[str, str] = {}
        paths: dict[str, str] = {}
        for box in reversed(self.graph.boxes):
            parts = [names for origin, names in self.clusters.items() if _is_in(origin, box)]
            inside = [name for names in parts for name in names]
            if not inside:
                continue
            outer = list(dict.fromkeys(around.get(name, name) for name in inside))
            edit = Collapse(outer, self.graph.boxes[box].title)
            self.document.perform(edit)
            if box in placed.boxes:
                corner = [round(side) for side in placed.boxes[box]]
                self.document.view.positions[edit.path] = corner
            around.update(dict.fromkeys(inside, edit.path))
            paths |= {o: f"{edit.path}/{path}" for o, path in paths.items() if _is_in(o, box)}
            paths[box] = edit.path
        self.document.history = History()
        return paths

    def _draw(self, placed: Placed, paths: dict[str, str]) -> None:
        """Put notes and backdrops into the graphs that they belong to."""
        counts: Counter[str] = Counter()
        for level, table, entry in placed.entries:
            name = join(paths.get(level, ""), table.removesuffix("s"))
            counts[name] += 1
            self.document.table(table)[f"{name}:{counts[name]}"] = entry


def _is_in(name: str, box: str) -> bool:
    """Whether a node is in the subgraph of id `box`, or in one inside of it."""
    return name.startswith(f"{box}:")


def _in_order(graph: ComfyGraph, report: Report) -> Iterator[ComfyNode]:
    """Every node after those that feed it; a link that closes a ring is left out."""
    state: dict[str, int] = {}
    for root in graph.nodes:
        stack = [(root, iter(list(graph.nodes[root].links.items())))] if root not in state else []
        state.setdefault(root, 1)
        while stack:
            name, rest = stack[-1]
            for port, source in rest:
                if state.get(source.node) == 1:
                    graph.nodes[name].links.pop(port)
                    report.oddities.append(f"{name} feeds itself; its link '{port}' was left out.")
                elif source.node in graph.nodes and source.node not in state:
                    state[source.node] = 1
                    stack.append((source.node, iter(list(graph.nodes[source.node].links.items()))))
                    break
            else:
                state[name] = 2
                stack.pop()
                yield graph.nodes[name]


def _named(node: ComfyNode, row: Row) -> tuple[dict[str, Any], str]:
    """A node's values by name, and what its seed does after a run."""
    values, control = dict(node.values), ""
    rest = list(reversed(node.loose))
    for name in row.widgets:
        if not rest:
            break
        values[name] = rest.pop()
        if name in SEEDS and rest and type(rest[-1]) is str and rest[-1] in CONTROL:
            control = rest.pop()
    given = values.pop("control_after_generate", control)
    return values, given if type(given) is str else ""


def _around(making: Making, kinds: tuple[str, ...]) -> list[Signal | None]:
    """What ComfyUI gives as each output of a bypassed node: an input of its type."""
    names = list(making.node.input_types or making.node.links)
    fed = [making.signals.get(name) for name in names]
    found: list[Signal | None] = []
    for slot, kind in enumerate(kinds):
        same = [each for each in fed if each is not None and each.type == kind]
        own = fed[slot] if slot < len(fed) else None
        found.append(own if own in same else next(iter(same), None))
    return found


def _port(name: str, taken: set[str]) -> str:
    """A port's name of ours like `name`, that is free."""
    wish = _FOREIGN.sub("_", name).strip("_") or "input"
    free, number = wish, 2
    while free in taken:
        free, number = f"{wish}_{number}", number + 1
    taken.add(free)
    return free
