"""Workflows as ComfyUI writes them, in both of its forms, from one description."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Link = tuple[int, int]
"""A node's id, and which of its outputs."""


@dataclass
class NodeEntry:
    """A node: what its widgets hold by name, and what feeds its inputs."""

    id: int
    class_type: str
    values: dict[str, Any]
    links: dict[str, Link]
    mode: int = 0
    title: str = ""
    place: tuple[float, float] | None = None
    types: dict[str, str] = field(default_factory=dict)


@dataclass
class WorkflowBuilder:
    """Builds a workflow node by node."""

    nodes: list[NodeEntry] = field(default_factory=list)

    def add(self, kind: str, values: dict[str, Any] | None = None, **links: Any) -> int:
        """Add a node; ``mode``, ``title`` and ``place`` are its own, the rest are links."""
        own = {name: links.pop(name) for name in ("mode", "title", "place") if name in links}
        node = NodeEntry(len(self.nodes) + 1, kind, values or {}, links, **own)
        self.nodes.append(node)
        return node.id

    def api(self) -> dict[str, Any]:
        """What *Export (API)* writes."""
        made: dict[str, Any] = {}
        for node in self.nodes:
            links = {name: [str(source), slot] for name, (source, slot) in node.links.items()}
            values = {name: held for name, held in node.values.items() if name != "control"}
            made[str(node.id)] = {"class_type": node.class_type, "inputs": {**values, **links}}
            if node.title:
                made[str(node.id)]["_meta"] = {"title": node.title}
        return made

    def ui(self, **more: Any) -> dict[str, Any]:
        """What *Save* writes: values by their order, links by numbers."""
        nodes, links = [], []
        for node in self.nodes:
            inputs = []
            for slot, (name, (source, start)) in enumerate(node.links.items()):
                number = len(links) + 1
                links.append([number, source, start, node.id, slot, "*"])
                inputs.append({"name": name, "type": "*", "link": number})
            x, y = node.place or (300.0 * node.id, 100.0)
            entry = {
                "id": node.id,
                "type": node.class_type,
                "pos": [x, y],
                "size": [210, 80],
                "mode": node.mode,
                "inputs": inputs,
                "outputs": [],
                "widgets_values": list(node.values.values()),
            }
            nodes.append(entry | ({"title": node.title} if node.title else {}))
        return {"last_node_id": len(nodes), "nodes": nodes, "links": links, "version": 0.4} | more


def sampler_values(**given: Any) -> dict[str, Any]:
    """What a KSampler holds, in order."""
    values = {
        "seed": 5,
        "control": "fixed",
        "steps": 6,
        "cfg": 5.0,
        "sampler_name": "dpmpp_2m",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    return values | given


def text_to_image(checkpoint: str = "nano", **sampler: Any) -> WorkflowBuilder:
    """1 checkpoint, 2 and 3 prompts, 4 empty latent, 5 sampler, 6 decode, 7 save."""
    sketch = WorkflowBuilder()
    model = sketch.add("CheckpointLoaderSimple", {"ckpt_name": checkpoint})
    positive = sketch.add("CLIPTextEncode", {"text": "a red apple"}, clip=(model, 1))
    negative = sketch.add("CLIPTextEncode", {"text": "blurry"}, clip=(model, 1))
    size = {"width": 256, "height": 256, "batch_size": 1}
    latent = sketch.add("EmptyLatentImage", size)
    sampled = sketch.add(
        "KSampler",
        sampler_values(**sampler),
        model=(model, 0),
        positive=(positive, 0),
        negative=(negative, 0),
        latent_image=(latent, 0),
    )
    decoded = sketch.add("VAEDecode", samples=(sampled, 0), vae=(model, 2))
    sketch.add("SaveImage", {"filename_prefix": "ComfyUI"}, images=(decoded, 0))
    return sketch
