"""Format 2: every node says the version of its type that it was saved with.

`flow.reroute`, `flow.switch` and `flow.note` become `graph.…`: flow is a kind of model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RENAMED: Mapping[str, str] = {
    "flow.note": "graph.note",
    "flow.reroute": "graph.reroute",
    "flow.switch": "graph.switch",
}
"""Node types of format 1 by what they are called since."""

VERSIONS: Mapping[str, int] = {
    "canvas.control": 1,
    "canvas.encode": 1,
    "canvas.image": 1,
    "canvas.mask": 1,
    "canvas.prepare": 1,
    "canvas.reference": 1,
    "canvas.region": 2,
    "canvas.result": 1,
    "control.apply": 1,
    "control.apply_ip_adapter": 1,
    "control.load": 1,
    "control.load_image_encoder": 1,
    "control.load_ip_adapter": 1,
    "control.load_t2i_adapter": 1,
    "flow.note": 1,
    "flow.reroute": 1,
    "flow.switch": 1,
    "image.adjust": 1,
    "image.blend": 1,
    "image.blur": 1,
    "image.colour_cells": 1,
    "image.composite": 1,
    "image.crop": 1,
    "image.edges": 1,
    "image.grid": 1,
    "image.line_art": 1,
    "image.load": 1,
    "image.match_colour": 1,
    "image.pad": 1,
    "image.preview": 1,
    "image.resize": 1,
    "image.save": 1,
    "image.scale_by": 1,
    "image.scribble": 1,
    "image.soft_edges": 1,
    "image.tile": 1,
    "inpaint.crop": 1,
    "inpaint.put_back": 2,
    "latent.blend": 1,
    "latent.decode": 1,
    "latent.empty": 1,
    "latent.encode": 1,
    "latent.masked_picture": 1,
    "latent.repeat": 1,
    "latent.scale_by": 1,
    "latent.upscale": 1,
    "mask.combine": 1,
    "mask.feather": 1,
    "mask.from_alpha": 1,
    "mask.from_colour": 1,
    "mask.grow": 1,
    "mask.invert": 1,
    "mask.load": 1,
    "mask.rectangle": 1,
    "models.flow_shift": 1,
    "models.freeu": 1,
    "models.load": 2,
    "models.load_denoiser": 2,
    "models.load_lora": 1,
    "models.load_text_encoder": 1,
    "models.load_vae": 1,
    "models.tile": 1,
    "sampling.combine_guidance": 1,
    "sampling.custom_schedule": 1,
    "sampling.denoise": 2,
    "sampling.dynamic_thresholding": 1,
    "sampling.guidance": 1,
    "sampling.noise": 1,
    "sampling.perturbed_attention": 1,
    "sampling.projected_guidance": 1,
    "sampling.sampler": 1,
    "sampling.schedule": 1,
    "sampling.skip_layers": 1,
    "sampling.zero_star": 1,
    "text.area": 1,
    "text.average": 1,
    "text.combine": 1,
    "text.concatenate": 1,
    "text.encode": 3,
    "text.framing": 1,
    "text.load_embedding": 1,
    "text.range": 2,
    "text.region": 1,
    "text.zero": 1,
    "values.float": 1,
    "values.integer": 1,
    "values.seed": 1,
    "values.text": 1,
}
"""The version of each shipped node type when format 2 came; of a user's pack it is 1.

Frozen: a file of format 1 means these, whatever the versions are today.
"""


def step(raw: dict[str, Any]) -> dict[str, Any]:
    """A file of format 1 in format 2; what is not shaped as a workflow is left to the reader."""
    made = dict(raw)
    waiting = [made]
    while waiting:
        graph = waiting.pop()
        nodes = graph.get("nodes")
        if type(nodes) is not dict:
            continue
        graph["nodes"] = {name: _node(node) for name, node in nodes.items()}
        waiting += [node for node in graph["nodes"].values() if type(node) is dict]
    return made


def _node(raw: Any) -> Any:
    if type(raw) is not dict or type(raw.get("type")) is not str:
        return raw
    made = dict(raw)
    if raw["type"] != "subgraph":
        made["version"] = VERSIONS.get(raw["type"], 1)
        made["type"] = RENAMED.get(raw["type"], raw["type"])
    return made
