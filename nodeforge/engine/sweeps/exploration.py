"""Early choice: a workflow's candidates by seed, and the graph that shows how one will look.

Which loop is looked at: each *Denoise* that something saved needs and that no other *Denoise*
feeds. Of a workflow in two passes that is the first; the second is run for what is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.flatten import FlatGraph, FlatNode, flatten
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Graph, Input, Node, Output, Subgraph
from nodeforge.graph.ports import input_names, input_spec, input_value
from nodeforge.spec import Catalogue, SeedWidget
from nodeforge.values.setting_names import COMFYUI

LOOP, NOISE, ESTIMATE = "sampling.denoise", "sampling.noise", "sampling.estimate"
PREFIX = "estimate"
"""What the files of estimates are named with, before they are numbered."""
EXPLORATION = "exploration"
"""The kind of the group of jobs that an exploration is."""
_SEEDS = 2**63
_BATCH, _ITEM = "batch", "item"


class _Saving(NamedTuple):
    """What a decoding node makes of a latent, and the node that saves it."""

    port: str
    node: str


_SAVINGS = {
    "latent.decode": _Saving("image", "image.save"),
    "latent.decode_video": _Saving("video", "video.save"),
}
"""By the type of the decoding node."""
_OF_DECODERS = ("tiled", "rate")
"""Values of decoding nodes that estimates are decoded with as well."""


class ExplorationError(RequestError):
    """A workflow whose candidates cannot be told apart early."""


class Seed(NamedTuple):
    """An unlinked seed of a workflow."""

    path: str
    port: str
    value: int

    @property
    def name(self) -> str:
        return f"{self.path}.{self.port}"


@dataclass(frozen=True)
class Estimates:
    """What shows how a workflow's pictures will look.

    Args:
        graph: Saves a picture of each loop's clean estimate.
        loops: The nodes that make the estimates, from whose last checkpoints is gone on.
        saves: The nodes that save them, in the same order.
    """

    graph: Graph
    loops: tuple[str, ...]
    saves: tuple[str, ...]


def seeds_of(document: Document, catalogue: Catalogue) -> list[Seed]:
    """The unlinked seeds of all levels; of a subgraph's port, where it has a value of its own."""
    found: list[Seed] = []
    for path, node in every_node(document.graph).items():
        graph, name = document.place(path)
        for port in input_names(node, catalogue):
            spec = input_spec(node, port, catalogue)
            own = not isinstance(node, Subgraph) or port in node.values
            if spec and isinstance(spec.widget, SeedWidget) and own:
                value = input_value(node, port, catalogue)
                if Input(name, port) not in graph.links and isinstance(value, int):
                    found.append(Seed(path, port, value))
    return found


def make_candidate(
    document: Document, catalogue: Catalogue, number: int, batch: int = 1
) -> dict[str, int]:
    """Turn `document` into its candidate `number`: every unlinked seed + number - 1.

    Args:
        document: Is changed.
        catalogue: Declares its nodes.
        number: Counted from 1.
        batch: Candidates at once, this one and those that follow.

    Returns:
        The seeds it has, by ``path.port``.
    """
    seeds = {
        each.name: (each.value + number - 1) % _SEEDS for each in seeds_of(document, catalogue)
    }
    for name, value in seeds.items():
        path, _, port = name.rpartition(".")
        document.node(path).values[port] = value
    for path, node in every_node(document.graph).items():
        spec = catalogue.get(node.type)
        graph, name = document.place(path)
        if spec is None or _BATCH not in spec.input or Input(name, _BATCH) in graph.links:
            continue
        if input_value(node, _BATCH, catalogue) != batch:
            node.values[_BATCH] = batch
            if _ITEM in spec.input and Input(name, _ITEM) not in graph.links:
                node.values.pop(_ITEM, None)
    return seeds


def estimates_of(
    graph: Graph, catalogue: Catalogue, until: float, prefix: str = PREFIX
) -> Estimates:
    """What shows how the pictures of `graph` will look after a share of their steps.

    Each loop is replaced by a *Clean estimate* of the same inputs, decoded by the VAE that the
    workflow decodes what comes of it with, and saved.

    Args:
        graph: The workflow.
        catalogue: Declares its nodes.
        until: The share of each loop's steps.
        prefix: What the files' names start with.

    Raises:
        ExplorationError: there is no loop, no seed to tell candidates by, or no VAE.
    """
    flat = flatten(graph, catalogue)
    loops = _first_loops(flat)
    if not loops:
        raise ExplorationError(
            "has no Denoise whose picture is saved, so there is nothing to choose early.",
            way_out="Add one, with VAE decode and Save image after it, or those of videos.",
        )
    _check_seeds(flat, loops)
    wanted = dict.fromkeys(loops)
    decoders: dict[str, tuple[str, Output]] = {}
    for loop in loops:
        decoders[loop] = _decoder(flat, loop)
        sources = [loop, decoders[loop][1].node]
        wanted.update(dict.fromkeys(each for start in sources for each in upstream(flat, start)))
    return _built(flat, list(wanted), decoders, {"until": until}, {"prefix": prefix})


def check_batch(graph: Graph, catalogue: Catalogue) -> None:
    """Raise `ExplorationError` where candidates of `graph` cannot be estimated in one batch.

    Picture b of a batch is that of seed + b where *Noise* draws each picture by itself: not in
    ComfyUI's convention, nor where another node has a seed of its own.
    """
    flat = flatten(graph, catalogue)
    needed = {each for loop in _first_loops(flat) for each in upstream(flat, loop)}
    way_out = "Leave out --batch: each candidate is then run by itself."
    for path in sorted(needed):
        node = flat.nodes[path]
        if node.values.get("convention") == COMFYUI:
            raise ExplorationError(
                "draws the noise of a batch at once, as ComfyUI does, so its pictures are not "
                "those of single seeds.",
                place=path,
                way_out=way_out,
            )
        inputs = node.spec.inputs if node.spec else ()
        seeds = [port.name for port in inputs if isinstance(port.widget, SeedWidget)]
        linked = any(Input(path, name) in flat.links for name in (_BATCH, *seeds))
        if seeds and (linked or node.type != NOISE):
            raise ExplorationError(
                "has a seed or a batch that a batch of candidates cannot set for each of them.",
                place=path,
                way_out=way_out,
            )


def upstream(flat: FlatGraph, path: str) -> list[str]:
    """`path` and all that it depends on, nearest first."""
    feeds: dict[str, list[str]] = {}
    for end, start in flat.links.items():
        feeds.setdefault(end.node, []).append(start.node)
    return _reached(path, feeds)


def _first_loops(flat: FlatGraph) -> list[str]:
    """The loops that something saved needs, and that no other loop feeds."""
    effects = [path for path, node in flat.nodes.items() if node.spec and node.spec.effects]
    needed = dict.fromkeys(each for path in effects for each in upstream(flat, path))
    loops = [path for path in needed if flat.nodes[path].type == LOOP]
    return [loop for loop in loops if not set(upstream(flat, loop)[1:]) & set(loops)]


def _check_seeds(flat: FlatGraph, loops: Iterable[str]) -> None:
    """Raise where all candidates would look alike."""
    for path in dict.fromkeys(each for loop in loops for each in upstream(flat, loop)):
        spec = flat.nodes[path].spec
        for port in spec.inputs if spec else ():
            if isinstance(port.widget, SeedWidget) and Input(path, port.name) not in flat.links:
                return
    raise ExplorationError(
        "has no seed that its Denoise depends on, so all candidates would be alike.",
        way_out="Link a Noise node to it.",
    )


def _decoder(flat: FlatGraph, loop: str) -> tuple[str, Output]:
    """The nearest decoding node after a loop, and what gives its VAE."""
    readers: dict[str, list[str]] = {}
    for end, start in flat.links.items():
        readers.setdefault(start.node, []).append(end.node)
    for path in _reached(loop, readers):
        vae = flat.links.get(Input(path, "vae"))
        if flat.nodes[path].type in _SAVINGS and vae is not None:
            return path, vae
    raise ExplorationError(
        "is decoded by no VAE decode, so its estimate cannot be shown.",
        place=loop,
        way_out="Decode what it makes with a VAE decode node.",
    )


def _reached(start: str, following: dict[str, list[str]]) -> list[str]:
    found = dict.fromkeys([start])
    waiting = [start]
    for path in waiting:
        for each in following.get(path, ()):
            if each not in found:
                found[each] = None
                waiting.append(each)
    return waiting


def _built(
    flat: FlatGraph,
    wanted: list[str],
    decoders: dict[str, tuple[str, Output]],
    of_loops: dict[str, Any],
    of_saves: dict[str, Any],
) -> Estimates:
    added = list(_ids([*wanted, *(kind for _ in decoders for kind in ("decode", "save"))]))
    names = dict(zip(wanted, added, strict=False))
    del added[: len(wanted)]
    made = Graph({names[path]: _node(flat.nodes[path]) for path in wanted})
    for end, start in flat.links.items():
        if end.node in names:
            made.links[end._replace(node=names[end.node])] = start._replace(node=names[start.node])
    loops: list[str] = []
    saves: list[str] = []
    for number, (loop, (decoder, vae)) in enumerate(decoders.items()):
        name, decode, save = names[loop], added[2 * number], added[2 * number + 1]
        made.nodes[name].type = ESTIMATE
        made.nodes[name].values.update(of_loops)
        of = flat.nodes[decoder]
        kept = {name: of.values[name] for name in _OF_DECODERS if name in of.values}
        saving = _SAVINGS[of.type]
        made.nodes[decode] = Node(of.type, kept)
        made.nodes[save] = Node(saving.node, dict(of_saves))
        made.links[Input(decode, "latent")] = Output(name, "latent")
        made.links[Input(decode, "vae")] = vae._replace(node=names[vae.node])
        made.links[Input(save, saving.port)] = Output(decode, saving.port)
        loops.append(name)
        saves.append(save)
    return Estimates(made, tuple(loops), tuple(saves))


def _node(node: FlatNode) -> Node:
    return Node(node.type, dict(node.values), pin=node.pin)


def _ids(paths: Iterable[str]) -> Iterator[str]:
    """Ids of one level for paths of all, each another."""
    used: set[str] = set()
    for path in paths:
        name = base = path.replace("/", "_")
        number = 2
        while name in used:
            name, number = f"{base}_{number}", number + 1
        used.add(name)
        yield name
