"""Values and flow; and what holds for every node of the packs without models."""

import pytest
import torch

from nodeforge.api import Image, Latent, Mask, Region, Role, node_type_of
from nodeforge.spec import FileWidget, ModelFileWidget


def test_values_give_what_they_hold(nodes):
    assert nodes["values.integer"](3) == (3,)
    assert nodes["values.float"](0.5) == (0.5,)
    assert nodes["values.text"]("words") == ("words",)
    assert nodes["values.seed"](2**63 - 1) == (2**63 - 1,)


def test_the_planner_knows_what_to_do_with_each_graph_node(nodes):
    roles = {name: node_type_of(nodes[f"graph.{name}"]).spec.role for name in ("reroute", "switch")}
    assert roles == {"reroute": Role.REROUTE, "switch": Role.SWITCH}
    assert node_type_of(nodes["graph.note"]).spec.role is Role.NOTE
    assert nodes["graph.switch"](["a", "b"], 1) == ("b",)
    assert nodes["graph.reroute"]("x") == ("x",)


def plain(spec):
    """Whether a node has no effects, reads no file and runs no model."""
    reads = any(isinstance(p.widget, FileWidget | ModelFileWidget) for p in spec.inputs)
    runs = any(p.type == "upscale_model" for p in spec.inputs)
    return not spec.effects and not reads and not runs


def names(nodes):
    return [type_id for type_id, made in nodes.items() if plain(node_type_of(made).spec)]


def sample(port):
    """A value for a port that has none of its own."""
    torch.manual_seed(0)
    samples = {
        "image": lambda: Image(torch.rand(2, 24, 32, 3)),
        "latent": lambda: Latent(torch.randn(2, 4, 3, 4), "sd", 8),
        "mask": lambda: Mask((torch.rand(1, 24, 32) > 0.5).float()),
        "region": lambda: Region(2, 3, 16, 12, 64, 48),
        "any": lambda: "anything",
    }
    value = samples[port.type]()
    return [value, value] if port.many else value


def arguments(function):
    return {p.name: sample(p) for p in node_type_of(function).spec.inputs if p.widget is None}


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors(item)]
    return [t for held in getattr(value, "__dict__", {}).values() for t in tensors(held)]


def test_every_node_gives_the_same_twice_and_leaves_its_inputs_alone(nodes):
    for type_id in names(nodes):
        function = nodes[type_id]
        given = arguments(function)
        before = [(tensor.clone(), tensor._version) for tensor in tensors(list(given.values()))]
        first, second = function(**given), function(**given)
        for now, (then, version) in zip(tensors(list(given.values())), before, strict=True):
            assert torch.equal(now, then), f"{type_id} changed its input"
            assert now._version == version, f"{type_id} wrote to its input"
        for one, other in zip(tensors(first), tensors(second), strict=True):
            assert torch.equal(one, other), f"{type_id} gave two results"
            assert one.dtype == torch.float32
            assert one.min() >= 0, type_id
            assert one.max() <= 1, type_id


@pytest.mark.parametrize("prefix", ["image.", "mask.", "inpaint.", "values.", "graph."])
def test_every_port_of_every_node_is_described(nodes, prefix):
    for type_id in filter(lambda name: name.startswith(prefix), nodes):
        spec = node_type_of(nodes[type_id]).spec
        assert spec.summary.endswith((".", ":")) or spec.summary, type_id
        assert all(port.doc for port in spec.inputs), type_id
