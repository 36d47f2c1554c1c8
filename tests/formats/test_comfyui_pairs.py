"""A picture's two chunks say the same: what the window saved, and what was sent to be run.

The front end resolves reroutes, primitives, subgraphs, group nodes, bypassed and muted nodes before
it sends a prompt; each pair here is both forms of one workflow, written by hand.
"""

import copy
from typing import Any

import pytest

from nodeforge.formats import comfyui
from nodeforge.graph.flatten import FlatGraph, flatten
from nodeforge.spec import Catalogue
from support.comfyui import sampler_values, text_to_image
from support.graph_shape import shape

CATALOGUE = Catalogue.shipped()
Pair = tuple[dict[str, Any], dict[str, Any]]


def run_by(raw: dict[str, Any]) -> list[str]:
    """What is run, with values that have a node of their own where they are used."""
    made = comfyui.convert(comfyui.from_json(raw), CATALOGUE)
    assert made.report.missing == []
    assert made.report.problems == []
    flat = flatten(made.document.graph, CATALOGUE)
    nodes, links = dict(flat.nodes), dict(flat.links)
    for end, start in flat.links.items():
        if nodes[start.node].type.startswith("values."):
            value = {end.port: nodes[start.node].values["value"]}
            nodes[end.node] = nodes[end.node]._replace(values=nodes[end.node].values | value)
            del links[end]
    nodes = {name: node for name, node in nodes.items() if not node.type.startswith("values.")}
    return shape(FlatGraph(nodes, links))


def primitive_and_reroute() -> Pair:
    workflow = text_to_image()
    seed = workflow.add("PrimitiveNode", {"value": 77, "control": "randomize"})
    workflow.nodes[4].links["seed"] = (seed, 0)
    sampler = workflow.add("PrimitiveNode", {"value": "euler_ancestral", "control": "fixed"})
    workflow.nodes[4].links["sampler_name"] = (sampler, 0)
    around = workflow.add("Reroute", **{"": (6, 0)})
    again = workflow.add("Reroute", **{"": (around, 0)})
    workflow.nodes[6].links["images"] = (again, 0)
    return workflow.ui(), text_to_image(seed=77, sampler_name="euler_ancestral").api()


def bypassed_lora() -> Pair:
    workflow = text_to_image()
    held = {"lora_name": "a.st", "strength_model": 1.0, "strength_clip": 1.0}
    lora = workflow.add("LoraLoader", held, model=(1, 0), clip=(1, 1), mode=4)
    workflow.nodes[4].links["model"] = (lora, 0)
    workflow.nodes[1].links["clip"] = (lora, 1)
    return workflow.ui(), text_to_image().api()


def muted_branch() -> Pair:
    workflow = text_to_image()
    links = {"model": (1, 0), "positive": (2, 0), "negative": (3, 0), "latent_image": (5, 0)}
    second = workflow.add("KSampler", sampler_values(denoise=0.5), **links, mode=2)
    decoded = workflow.add("VAEDecode", samples=(second, 0), vae=(1, 2), mode=2)
    workflow.add("SaveImage", {"filename_prefix": "second"}, images=(decoded, 0), mode=2)
    return workflow.ui(), text_to_image().api()


def bypassed_sampler() -> Pair:
    """A second pass that is bypassed: what the first gives is decoded."""
    workflow = text_to_image()
    links = {"latent_image": (5, 0), "model": (1, 0), "positive": (2, 0), "negative": (3, 0)}
    larger = workflow.add(
        "LatentUpscaleBy", {"upscale_method": "bicubic", "scale_by": 2.0}, samples=(5, 0), mode=4
    )
    second = workflow.add("KSampler", sampler_values(), **links | {"latent_image": (larger, 0)})
    workflow.nodes[second - 1].mode = 4
    workflow.nodes[5].links["samples"] = (second, 0)
    return workflow.ui(), text_to_image().api()


def old_front_end() -> Pair:
    raw = text_to_image(seed=7).ui()
    raw["nodes"][4]["widgets_values"][1] = True
    raw["nodes"][1]["widgets_values"] = ["a red /* dark */apple // or green"]
    expected = text_to_image(seed=7).api()
    expected["2"]["inputs"]["text"] = "a red apple "
    return raw, expected


def set_and_get() -> Pair:
    workflow = text_to_image()
    workflow.add("SetNode", {"name": "the model"}, MODEL=(1, 0))
    got = workflow.add("GetNode", {"name": "the model"})
    workflow.nodes[4].links["model"] = (got, 0)
    return workflow.ui(), text_to_image().api()


def in_subgraph(inner: tuple[int, ...], widgets: dict[str, Any], mode: int = 0) -> dict[str, Any]:
    """Text to image with the nodes `inner` in a subgraph, which shows widgets of the KSampler.

    Args:
        widgets: What the subgraph's node says of the KSampler's widgets.
        mode: Of the KSampler.
    """
    raw = text_to_image().ui()
    nodes = {node["id"]: copy.deepcopy(node) for node in raw["nodes"]}
    number = 100
    inside: list[Any] = []
    outside: list[Any] = []
    inputs: list[Any] = []
    outputs: list[Any] = []
    ports: dict[tuple[int, int], int] = {}
    shown: dict[tuple[int, int], int] = {}
    for number, start, slot, end, place, _ in raw["links"]:
        if end in inner and start not in inner:
            if (start, slot) not in ports:
                ports[start, slot] = len(inputs)
                inputs.append({"name": f"in_{len(inputs)}", "type": "*", "link": number + 100})
                outside.append([number + 100, start, slot, 50, ports[start, slot], "*"])
            inside.append([number, -10, ports[start, slot], end, place, "*"])
        elif start in inner and end not in inner:
            if (start, slot) not in shown:
                shown[start, slot] = len(outputs)
                outputs.append({"name": f"out_{len(outputs)}", "type": "*"})
                inside.append([number + 200, start, slot, -20, shown[start, slot], "*"])
            outside.append([number, 50, shown[start, slot], end, place, "*"])
        else:
            (inside if start in inner else outside).append([number, start, slot, end, place, "*"])
    sampler = nodes[5] | {"mode": mode}
    for name in widgets:
        number += 300
        place = len(sampler["inputs"])
        sampler["inputs"].append({"name": name, "link": number, "widget": {"name": name}})
        inside.append([number, -10, len(inputs), 5, place, "*"])
        inputs.append({"name": name, "type": "INT"})
    definition = {"id": "sub", "name": "Sampling", "links": inside, "inputs": inputs}
    definition |= {"nodes": [nodes[n] | ({"mode": mode} if n == 5 else {}) for n in inner]}
    use = {"id": 50, "type": "sub", "widgets_values": list(widgets.values())}
    use |= {"inputs": [port for port in inputs if "link" in port], "outputs": outputs}
    outer = [node for name, node in nodes.items() if name not in inner]
    definition["outputs"] = outputs
    return {
        "nodes": [*outer, use],
        "links": outside,
        "definitions": {"subgraphs": [definition]},
        "version": 0.4,
    }


def subgraph() -> Pair:
    raw = in_subgraph((2, 3, 5, 6), {"seed": 99, "steps": 13})
    expected = text_to_image(seed=99, steps=13).api()
    inner = {"2", "3", "5", "6"}

    def named(value: Any) -> Any:
        is_link = isinstance(value, list) and value[0] in inner
        return [f"50:{value[0]}", value[1]] if is_link else value

    return raw, {
        (f"50:{name}" if name in inner else name): {
            **node,
            "inputs": {port: named(value) for port, value in node["inputs"].items()},
        }
        for name, node in expected.items()
    }


def subgraph_without_values() -> Pair:
    return in_subgraph((4, 5), {}), text_to_image().api()


PAIRS = [
    primitive_and_reroute,
    bypassed_lora,
    bypassed_sampler,
    muted_branch,
    old_front_end,
    set_and_get,
    subgraph,
    subgraph_without_values,
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.__name__)
def test_the_two_forms_of_a_workflow_run_the_same(pair: Any):
    window, prompt = pair()
    assert run_by(window) == run_by(prompt)


def test_values_with_names_are_read_as_they_are_named():
    """Whatever their order: newer front ends write both lists."""
    raw = text_to_image().ui()
    named = sampler_values(seed=7, steps=12, scheduler="karras")
    named["control_after_generate"] = "randomize"
    del named["control"]
    backwards = dict(reversed(named.items()))
    raw["nodes"][4] |= {"widgets_values": [1, 2, 3], "widgets_values_named": backwards}
    raw["nodes"].append(
        {
            "id": 9,
            "type": "Other",
            "widgets_values": [1],
            "widgets_values_named": {"b": 1, "a.c": 2},
        }
    )
    made = comfyui.convert(comfyui.from_json(raw), CATALOGUE)
    graph, expected = made.document.graph, text_to_image(seed=7, steps=12, scheduler="karras")
    assert graph.nodes["noise"].values["seed"] == 7
    assert made.document.view.seeds == {"noise.seed": "random"}
    assert graph.nodes["other"].values == {"b": 1, "a.c": 2}
    raw["nodes"].pop()
    assert run_by(raw) == run_by(expected.api())


def test_a_name_that_nothing_sets_is_told():
    workflow = text_to_image()
    got = workflow.add("GetNode", {"name": "nothing"})
    workflow.nodes[4].links["model"] = (got, 0)
    made = comfyui.convert(comfyui.from_json(workflow.ui()), CATALOGUE)
    assert any("no node sets 'nothing'" in text for text in made.report.problems)
