"""Adds LoRAs to a workflow: a chain of *Load LoRA* behind each *Load model*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nodeforge.canvas.generation.node_copies import nodes_of_type
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.graph.paths import Names

LOADER, LORA = "models.load", "models.load_lora"
_CARRIED = ("model", "text_encoder")
"""Ports of a loader that a LoRA lies over."""


@dataclass(frozen=True)
class Lora:
    """A LoRA of the generation form.

    Args:
        file: Its name in the model folders.
        weight: Of its layers in the denoiser and the text encoders; 1 is as it was trained.
    """

    file: str
    weight: float = 1.0


def loras_from_json(raw: object) -> list[Lora]:
    """The LoRAs of a saved form; what is none is left out."""
    found: list[Lora] = []
    for entry in raw if isinstance(raw, list) else ():
        if isinstance(entry, dict) and type(entry.get("file")) is str:
            weight = entry.get("weight", 1.0)
            known = type(weight) in (int, float) and -4 <= weight <= 4
            found.append(Lora(entry["file"], float(weight) if known else 1.0))
    return found


def add_loras(document: Document, loras: Sequence[Lora]) -> None:
    """Let the LoRAs lie over every model that the workflow loads, in their order.

    Args:
        document: Changed in place.
        loras: Those without a file or with a weight of 0 are left out.
    """
    used = [lora for lora in loras if lora.file and lora.weight]
    for graph, loader in list(nodes_of_type(document.graph, LOADER)):
        last = loader
        for lora in used:
            last = _behind(graph, last, lora)


def _behind(graph: Graph, source: str, lora: Lora) -> str:
    """Put a LoRA between `source` and all that it feeds."""
    name = Names(graph.nodes)("lora")
    weights = {"model_weight": lora.weight, "text_weight": lora.weight}
    for end, start in list(graph.links.items()):
        if start.node == source and start.port in _CARRIED:
            graph.links[end] = Output(name, start.port)
    graph.nodes[name] = Node(LORA, {"file": lora.file, **weights})
    for port in _CARRIED:
        graph.links[Input(name, port)] = Output(source, port)
    return name
