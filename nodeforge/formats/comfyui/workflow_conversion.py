"""Converts a ComfyUI workflow to a document: each node by its row, in topological order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nodeforge.errors import RequestError
from nodeforge.formats.comfyui.comfy_graph import (
    SEEDS,
    ComfyGraph,
    ComfyNode,
    Source,
    control_word,
    in_order,
)
from nodeforge.formats.comfyui.families import families_not_run, why_not_run
from nodeforge.formats.comfyui.link_value import EmptyLatent, LinkValue
from nodeforge.formats.comfyui.missing_models import models_not_here
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.placement import Placement, place
from nodeforge.formats.comfyui.report import ConvertedNode, Report
from nodeforge.formats.comfyui.row import Row
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
"""Prefix of a placeholder's type; the ComfyUI class follows."""

_FOREIGN = re.compile(r"[^A-Za-z0-9_]+")


@dataclass
class Imported:
    """A ComfyUI workflow as a NodeForge document, and the report of the conversion."""

    document: Document
    report: Report


def convert(
    graph: ComfyGraph, catalogue: Catalogue, models: ModelFolders | None = None
) -> Imported:
    """Convert `graph`. The same graph gives the same document.

    Args:
        graph: As `reading` gives it.
        catalogue: Our node types.
        models: Where to look for the family of a model, which some values depend on; without
            it, and where a model is not there, it is taken for SD 1.5, and the report says so.
    """
    world = WorkflowConversion(graph, catalogue, models)
    world.convert()
    return Imported(world.document, world.report)


@dataclass
class WorkflowConversion:
    """The state of the conversion of a whole workflow."""

    graph: ComfyGraph
    catalogue: Catalogue
    models: ModelFolders | None = None
    document: Document = field(default_factory=Document)
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self.name = Names(self.document.graph.nodes)
        self.link_values: dict[Source, LinkValue] = {}
        self.readers = Counter(s for node in self.graph.nodes.values() for s in node.links.values())
        self.slots: dict[str, int] = {}
        for source in self.readers:
            self.slots[source.node] = max(self.slots.get(source.node, 0), source.slot + 1)
        self.converted: dict[str, list[str]] = {}
        self.notes: dict[str, str] = {}
        self.empty_latents: dict[EmptyLatent, str] = {}
        self.pictures: dict[Output, Output] = {}
        """Frames of videos, as pictures."""
        self.shared: set[str] = set()
        self.recognised = False
        """A model file of the workflow is here, and of a family that is run."""

    def convert(self) -> None:
        done: dict[str, ConvertedNode] = {}
        for node in in_order(self.graph):
            done[node.id] = self._node(node)
        self._link_empty_latents()
        self.report.families = families_not_run(
            self.graph.nodes.values(), recognised=self.recognised
        )
        made = self.document.graph.nodes
        named = {n: [made[name] for name in names] for n, names in self.converted.items()}
        self.report.models = models_not_here(self.graph, named, self.catalogue, self.models)
        self.report.converted = [done[name] for name in self.graph.nodes if name in done]
        self.report.problems += self.graph.problems
        placed = place(self.document, self.graph, self.converted, self.notes, self.catalogue)
        self._add_groups_and_notes(placed, self._collapse(placed))

    def family(self, kind: str, name: str) -> str:
        """The family of a model file on this machine; empty where it is not known."""
        if self.models is None:
            return ""
        from nodeforge.models import recognise

        try:
            family = recognise(self.models.find(kind, name)).family or ""
        except RequestError:
            return ""
        self.recognised |= bool(family)
        return family

    def type_of(self, output: Output, made: Mapping[str, Node]) -> str:
        """The NodeForge type of an output; empty where it is not known."""
        node = made.get(output.node) or self.document.graph.nodes.get(output.node)
        spec = self.catalogue.get(node.type) if node else None
        port = spec.output.get(output.port) if spec else None
        return port.type if port else ""

    def empty_latent(self, empty: EmptyLatent) -> Output:
        """An *Empty latent* node; its VAE is linked at the end."""
        if empty not in self.empty_latents:
            name = self.empty_latents[empty] = self.name("latent.empty")
            node = self.document.graph.nodes[name] = Node("latent.empty")
            for port in ("width", "height", "batch"):
                given = getattr(empty, port)
                if given.output is not None:
                    self.document.graph.links[Input(name, port)] = given.output
                else:
                    node.values[port] = given.value
        return Output(self.empty_latents[empty], "latent")

    def pictures_of(self, video: Output) -> Output:
        """The frames of a video as pictures, by a node beside the one that gives it."""
        if video not in self.pictures:
            nodes = self.document.graph.nodes
            name = self.name("video.to_images")
            nodes[name] = Node("video.to_images", mode=nodes[video.node].mode)
            self.document.graph.links[Input(name, "video")] = video
            next(n for n in self.converted.values() if video.node in n).append(name)
            self.pictures[video] = Output(name, "image")
        return self.pictures[video]

    @property
    def model_names(self) -> tuple[str, ...]:
        """What loaders are told: the names of model files among it."""
        loaders = (node for node in self.graph.nodes.values() if "Loader" in node.class_type)
        held = (v for node in loaders for v in (*node.values.values(), *node.unnamed_values))
        return tuple(value for value in held if type(value) is str)

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height of the first empty latent."""
        for node in self.graph.nodes.values():
            if node.class_type in ("EmptyLatentImage", "EmptySD3LatentImage"):
                values = _named_values(node, ROWS[node.class_type])[0]
                sides = values.get("width"), values.get("height")
                if all(type(side) is int and 0 < side <= 16384 for side in sides):
                    return sides  # pyright: ignore[reportReturnType]
        return None

    def is_linked(self, node: ComfyNode, slot: int) -> bool:
        """Whether an output of `node` is linked."""
        return Source(node.id, slot) in self.readers

    @property
    def seeds(self) -> frozenset[str]:
        """The nodes whose outputs are linked to seeds."""
        return self._seeds

    @cached_property
    def _seeds(self) -> frozenset[str]:
        return frozenset(
            source.node
            for reader in self.graph.nodes.values()
            for name, source in reader.links.items()
            if name in ("seed", "noise_seed")
        )

    def _node(self, node: ComfyNode) -> ConvertedNode:
        row = ROWS.get(node.class_type)
        linked = self._link_values_of(node)
        title = node.title if node.title not in (node.class_type, row.name if row else "") else ""
        became = ConvertedNode(node.id, node.class_type, title)
        if node.class_type in NOTES:
            self._note(node)
            became.found_in = "a note"
            return became
        if node.mode is Mode.ACTIVE:
            self._mute_unfed(node, linked, became.label)
        conversion = NodeConversion(self, node, {n: s for n, s in linked.items() if not s.muted})
        if row is None:
            became.lacks = why_not_run(node.class_type)
            self._placeholder(conversion)
        else:
            values, conversion.control = _named_values(node, row)
            node.values = values
            try:
                self._by_row(conversion, row)
            except NoCounterpartError as error:
                conversion = NodeConversion(self, node, conversion.linked)
                became.lacks = error.fact
                self._placeholder(conversion)
        became.is_active = node.is_active
        self._add_nodes(conversion, became)
        return became

    def _mute_unfed(self, node: ComfyNode, linked: Mapping[str, LinkValue], label: str) -> None:
        """Mute a node that ComfyUI does not run, as an input that it needs gets nothing."""
        muted = {name for name, link in linked.items() if link.muted}
        if {*muted, *node.unfed} <= node.optional:
            return
        node.mode = Mode.MUTE
        if not node.inactive:
            why = "what feeds it is" if muted else "nothing passes the bypassed subgraph before it"
            self.report.problems.append(f"{label} is muted, as {why}.")

    def _link_values_of(self, node: ComfyNode) -> dict[str, LinkValue]:
        found: dict[str, LinkValue] = {}
        for name, source in node.links.items():
            link = self.link_values.get(source)
            if link is None:
                self._tell_no_output(node, name, source)
            else:
                found[name] = link
                if link.loader and self.readers[source] > 1:
                    self.shared.add(link.loader)
        return found

    def _tell_no_output(self, node: ComfyNode, name: str, source: Source) -> None:
        if node.is_active and source.node in self.converted:
            origin = self.graph.nodes[source.node].label
            self.report.problems.append(
                f"{node.label}: its '{name[:40]}' is linked to output {source.slot} of {origin}, "
                "which has none there; the link was left out."
            )

    def _by_row(self, conversion: NodeConversion, row: Row) -> None:
        mode = conversion.source.mode
        if row.virtual and mode is Mode.MUTE:
            conversion.set_outputs(*(LinkValue(kind, muted=True) for kind in row.outputs))
            return
        around = _bypassed(conversion, row.outputs) if mode is Mode.BYPASS else []
        if row.virtual and mode is Mode.BYPASS:
            conversion.outputs = [each or LinkValue("", muted=True) for each in around]
            return
        row.convert(conversion)
        if row.difference and mode is Mode.ACTIVE:
            conversion.report_difference(row.difference)
        if mode is Mode.MUTE:
            conversion.outputs = [_muted(each, conversion.nodes) for each in conversion.outputs]
        for slot, past in enumerate(around[: len(conversion.outputs)]):
            if past is not None and not self._bypasses_alike(conversion, slot, past):
                conversion.outputs[slot] = past

    def _bypasses_alike(self, conversion: NodeConversion, slot: int, past: LinkValue) -> bool:
        """Whether the bypassed NodeForge node passes on the input that ComfyUI passes on."""
        output = conversion.outputs[slot].output
        if output is None or past.output is None or output.node not in conversion.nodes:
            return False
        spec, kind = (
            self.catalogue[conversion.nodes[output.node].type],
            self.type_of(output, conversion.nodes),
        )
        for port in spec.inputs:
            if port.type == kind and (fed := conversion.links.get(Input(output.node, port.name))):
                conversion.outputs[slot] = replace(past, output=output)
                return fed == past.output
        return False

    def _placeholder(self, conversion: NodeConversion) -> None:
        """Add a placeholder: a node of an unknown type that keeps values and links."""
        node = conversion.source
        name = self.name(node.class_type)
        made = conversion.nodes[name] = Node(PLACEHOLDER + node.class_type)
        loose = {f"value_{index}": value for index, value in enumerate(node.unnamed_values)}
        made.values = dict(node.values or loose)
        taken: set[str] = set()
        for there, link in conversion.linked.items():
            port = _port(there, taken)
            made.values.pop(there, None)
            if output := conversion.resolve(link):
                conversion.links[Input(name, port)] = output
        row = ROWS.get(node.class_type)
        kinds = node.outputs or [(kind, kind) for kind in (row.outputs if row else ())]
        count = len(kinds) or self.slots.get(node.id, 0)
        kinds = [*kinds, *[("", "*")] * count][:count]
        taken = set()
        gives = [
            LinkValue(kind, Output(name, _port(there or f"output_{slot}", taken)))
            for slot, (there, kind) in enumerate(kinds)
        ]
        around = _bypassed(conversion, tuple(kind for _, kind in kinds))
        passes = node.mode is Mode.BYPASS
        conversion.set_outputs(
            *(past if passes and past else s for s, past in zip(gives, around, strict=True))
        )

    def _add_nodes(self, conversion: NodeConversion, became: ConvertedNode) -> None:
        """Add the converted nodes to the document."""
        node, graph = conversion.source, self.document.graph
        graph.nodes.update(conversion.nodes)
        graph.links.update(conversion.links)
        for made in conversion.nodes.values():
            made.mode = node.mode
        became.nodes = list(conversion.nodes)
        self.converted[node.id] = became.nodes
        if became.nodes:
            conversion.nodes[became.nodes[0]].title = became.title
            self._copy_appearance(node, became.nodes)
        for slot, link in enumerate(conversion.outputs):
            self.link_values[Source(node.id, slot)] = link

    def _copy_appearance(self, node: ComfyNode, names: list[str]) -> None:
        """Copy the colour to all nodes, and the collapsed state to the main one."""
        view = self.document.view
        if node.colour:
            view.colours |= dict.fromkeys(names, node.colour)
        if node.collapsed:
            view.collapsed[names[0]] = True

    def _note(self, node: ComfyNode) -> None:
        values = [*node.values.values(), *node.unnamed_values]
        text = next((value for value in values if type(value) is str), "")
        self.notes[node.id] = text

    def _link_empty_latents(self) -> None:
        """Link empty latents to the VAE that the workflow decodes with."""
        links, nodes = self.document.graph.links, self.document.graph.nodes
        decoding = [e for e in links if e.port == "vae" and nodes[e.node].type == "latent.decode"]
        found = [links[end] for end in decoding]
        found += [s.output for s in self.link_values.values() if s.type == "VAE" and s.output]
        for name in self.empty_latents.values():
            if found:
                links[Input(name, "vae")] = found[0]

    def _collapse(self, placed: Placement) -> dict[str, str]:
        """Collapse the nodes of each ComfyUI subgraph, inner ones first; paths by ComfyUI ids."""
        around: dict[str, str] = {}
        paths: dict[str, str] = {}
        for box in reversed(self.graph.subgraphs):
            parts = [names for origin, names in self.converted.items() if _is_in(origin, box)]
            inside = [name for names in parts for name in names]
            if not inside:
                continue
            outer = list(dict.fromkeys(around.get(name, name) for name in inside))
            shown = self._shown_by_bypassed(box, set(outer))
            edit = Collapse(outer, self.graph.subgraphs[box].title, outputs=shown)
            self.document.perform(edit)
            self.document.node(edit.path).mode = self.graph.subgraphs[box].mode
            if box in placed.boxes:
                corner = [round(side) for side in placed.boxes[box]]
                self.document.view.positions[edit.path] = corner
            around.update(dict.fromkeys(inside, edit.path))
            paths |= {o: f"{edit.path}/{path}" for o, path in paths.items() if _is_in(o, box)}
            paths[box] = edit.path
        self.document.history = History()
        return paths

    def _shown_by_bypassed(self, box: str, inside: set[str]) -> dict[str, Output]:
        """Outputs of a bypassed subgraph, which nothing reads while it is bypassed."""
        shown: dict[str, Output] = {}
        for source in self.graph.subgraphs[box].outputs:
            link = self.link_values.get(source)
            if link is not None and link.output is not None and link.output.node in inside:
                shown[_port(link.output.port, set(shown))] = link.output
        return shown

    def _add_groups_and_notes(self, placed: Placement, paths: dict[str, str]) -> None:
        """Add notes and groups to the graphs that they belong to."""
        counts: Counter[str] = Counter()
        for level, table, entry in placed.entries:
            name = join(paths.get(level, ""), table.removesuffix("s"))
            counts[name] += 1
            self.document.table(table)[f"{name}:{counts[name]}"] = entry


def _is_in(name: str, box: str) -> bool:
    """Whether a node is inside the subgraph with id `box`, at any depth."""
    return name.startswith(f"{box}:")


def _muted(link: LinkValue, nodes: Mapping[str, Node]) -> LinkValue:
    """An output of a muted node: of its own nodes, or nothing, also where it passes a link on."""
    own = link.output is not None and link.output.node in nodes
    return link if own else LinkValue(link.type, muted=True)


def _named_values(node: ComfyNode, row: Row) -> tuple[dict[str, Any], str]:
    """A node's values by name, and its seed's *control after generate*."""
    values, control = dict(node.values), ""
    rest = list(reversed(node.unnamed_values))
    for name in row.older_widgets.get(len(rest), row.widgets):
        if not rest:
            break
        values[name] = rest.pop()
        if name in SEEDS and rest and (word := control_word(rest[-1])):
            control = word
            rest.pop()
    given = values.pop("control_after_generate", control)
    return values, given if type(given) is str else ""


def _bypassed(conversion: NodeConversion, kinds: tuple[str, ...]) -> list[LinkValue | None]:
    """What ComfyUI passes through a bypassed node: for each output, an input of its type."""
    names = list(conversion.source.input_types or conversion.source.links)
    fed = [conversion.linked.get(name) for name in names]
    found: list[LinkValue | None] = []
    for slot, kind in enumerate(kinds):
        same = [each for each in fed if each is not None and each.type == kind]
        own = fed[slot] if slot < len(fed) else None
        found.append(own if own in same else next(iter(same), None))
    return found


def _port(name: str, taken: set[str]) -> str:
    """A free port name close to `name`."""
    wish = _FOREIGN.sub("_", name).strip("_") or "input"
    free, number = wish, 2
    while free in taken:
        free, number = f"{wish}_{number}", number + 1
    taken.add(free)
    return free
