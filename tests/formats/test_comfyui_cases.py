"""What ComfyUI's files mean, by the cases found in real ones (comfyui §1)."""

from typing import Any

import pytest

from nodeforge.formats import comfyui
from nodeforge.formats.comfyui import Imported
from nodeforge.graph.model import Node
from nodeforge.spec import Catalogue
from support.comfyui import WorkflowBuilder, text_to_image


def imported(raw: dict[str, Any]) -> Imported:
    return comfyui.convert(comfyui.from_json(raw), Catalogue.shipped())


def nodes(made: Imported, type_id: str) -> list[Node]:
    found, waiting = [], [made.document.graph]
    while waiting:
        for node in waiting.pop().nodes.values():
            if hasattr(node, "graph"):
                waiting.append(node.graph)
            elif node.type == type_id:
                found.append(node)
    return found


def subgraph(**more: Any) -> dict[str, Any]:
    """A subgraph of a sampler's seed and a denoiser's file, both widgets, and one use of it."""
    inside = {
        "id": "sub",
        "name": "Inside",
        "inputs": [
            {"name": "seed", "type": "INT", "linkIds": [1]},
            {"name": "unet_name", "type": "COMBO", "linkIds": [2]},
            {"name": "latent", "type": "LATENT", "linkIds": [3]},
        ],
        "outputs": [],
        "nodes": [
            {
                "id": 1,
                "type": "KSampler",
                "inputs": [
                    {"name": "latent_image", "type": "LATENT", "link": 3},
                    {"name": "seed", "type": "INT", "widget": {"name": "seed"}, "link": 1},
                ],
                "widgets_values": [3, "randomize", 20, 8, "euler", "normal", 1],
            },
            {
                "id": 2,
                "type": "UNETLoader",
                "inputs": [
                    {
                        "name": "unet_name",
                        "type": "COMBO",
                        "widget": {"name": "unet_name"},
                        "link": 2,
                    }
                ],
                "widgets_values": ["inside.safetensors", "default"],
            },
        ],
        "links": [
            {"id": number, "origin_id": -10, "origin_slot": slot, "target_id": node,
             "target_slot": place, "type": "*"}
            for number, slot, node, place in ((1, 0, 1, 1), (2, 1, 2, 0), (3, 2, 1, 0))
        ],
    }  # fmt: skip
    port = {
        "name": "unet_name",
        "label": "model",
        "type": "COMBO",
        "widget": {"name": "unet_name"},
        "link": None,
    }
    use = {"id": 5, "type": "sub", "inputs": [port], "outputs": [], **more}
    return {"nodes": [use], "links": [], "definitions": {"subgraphs": [inside]}, "version": 0.4}


@pytest.mark.parametrize(
    "values",
    [
        {"widgets_values": [7, "a.safetensors"]},
        {"widgets_values": [7, "randomize", "a.safetensors"]},
        {
            "widgets_values": [1, 2],
            "widgets_values_named": {"unet_name": "a.safetensors", "seed": 7},
        },
    ],
    ids=["in order", "with control", "named"],
)
def test_values_of_a_subgraph_go_to_the_inputs_that_they_are_for(values: dict[str, Any]):
    """1.1: names are the definition's inputs that lead to a widget, not the node's own list."""
    made = imported(subgraph(**values))
    (noise,) = nodes(made, "sampling.noise")
    (load,) = nodes(made, "models.load_denoiser")
    seeds = [node.values["value"] for node in nodes(made, "values.seed")]
    assert noise.values.get("seed", *seeds) == 7
    assert load.values["file"] == "a.safetensors"


def test_without_values_of_its_own_what_stands_inside_a_subgraph_counts():
    made = imported(subgraph())
    assert nodes(made, "sampling.noise")[0].values["seed"] == 3
    assert nodes(made, "models.load_denoiser")[0].values["file"] == "inside.safetensors"


@pytest.mark.parametrize(("given", "way"), [(True, "random"), (False, None)])
def test_the_seed_s_control_was_a_boolean_once(given: bool, way: str | None):
    """1.2: front ends of early 2023; the values behind it were read one place off."""
    raw = text_to_image(seed=7, steps=20, cfg=8.0).ui()
    (sampler,) = (node for node in raw["nodes"] if node["type"] == "KSampler")
    sampler["widgets_values"] = [7, given, 20, 8, "euler", "karras", 1]
    made = imported(raw)
    assert not made.report.missing
    assert nodes(made, "sampling.noise")[0].values["seed"] == 7
    assert nodes(made, "sampling.schedule")[0].values["steps"] == 20
    assert nodes(made, "sampling.schedule")[0].values["name"] == "karras"
    assert set(made.document.view.seeds.values()) == ({way} if way else set())


def masked(kind: str) -> WorkflowBuilder:
    workflow = text_to_image()
    picture = workflow.add("LoadImage", {"image": "fox.png", "upload": "image"})
    if kind == "VAEEncodeForInpaint":
        latent = workflow.add(
            kind, {"grow_mask_by": 6}, pixels=(picture, 0), vae=(1, 2), mask=(picture, 1)
        )
    else:
        encoded = workflow.add("VAEEncode", pixels=(picture, 0), vae=(1, 2))
        latent = workflow.add(kind, samples=(encoded, 0), mask=(picture, 1))
    (sampler,) = (node for node in workflow.nodes if node.class_type == "KSampler")
    sampler.links["latent_image"] = (latent, 0)
    return workflow


@pytest.mark.parametrize("kind", ["VAEEncodeForInpaint", "SetLatentNoiseMask"])
def test_an_inpainting_checkpoint_gets_the_latent_as_the_masked_image(kind: str):
    """1.3: the run was refused for want of a masked image."""
    made = imported(masked(kind).ui())
    links = {str(end): str(start) for end, start in made.document.graph.links.items()}
    assert links["denoise.masked_image"].endswith(".latent")
    assert links["denoise.masked_image"] == links["denoise.latent"]


def test_a_mask_grows_by_half_of_the_kernel_on_each_side():
    """1.5: a kernel of side 6 is 3 pixels on each side."""
    made = imported(masked("VAEEncodeForInpaint").ui())
    assert nodes(made, "mask.grow")[0].values["pixels"] == 3


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("cat // comment", "cat "),
        ("cat /* of\nmany lines */, red // blue\ndog", "cat , red \ndog"),
        (r"a \{b\}", "a {b}"),
    ],
)
def test_prompts_of_the_ui_form_lose_comments_and_escapes(written: str, meant: str):
    """1.7: the front end takes them out before it sends a prompt; the API form has none."""
    workflow = text_to_image()
    prompts = [node for node in workflow.nodes if node.class_type == "CLIPTextEncode"]
    prompts[0].values["text"] = written
    told = {node.values["text"] for node in nodes(imported(workflow.ui()), "text.encode")}
    assert meant in told
    told = {node.values["text"] for node in nodes(imported(workflow.api()), "text.encode")}
    assert written in told


def test_a_class_with_a_space_at_its_end_is_known():
    """1.9: "ConditioningAverage " was spelled so for years."""
    workflow = text_to_image()
    workflow.add(
        "ConditioningAverage ",
        {"conditioning_to_strength": 0.5},
        conditioning_to=(2, 0),
        conditioning_from=(3, 0),
    )
    for raw in (workflow.ui(), workflow.api()):
        assert not imported(raw).report.missing
        assert nodes(imported(raw), "text.average")
