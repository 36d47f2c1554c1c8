"""What ComfyUI's files mean, by the cases found in real ones (comfyui §1)."""

import json
from pathlib import Path
from typing import Any

import pytest

from nodeforge.formats import comfyui
from nodeforge.formats.comfyui import Imported
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Input, Mode, Node, Subgraph
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue
from support.comfyui import WorkflowBuilder, text_to_image
from support.graph_shape import shape


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


def test_a_boolean_behind_a_value_of_a_subgraph_is_a_value_of_its_own():
    """Where each value has a name, none is left for what seeds do after a run."""
    raw = subgraph(widgets_values=[7, False, "a.safetensors"])
    (inside,) = raw["definitions"]["subgraphs"]
    inside["inputs"][0]["name"] = "value"
    inside["inputs"].insert(1, {"name": "loud", "type": "BOOLEAN", "linkIds": [4]})
    for link in inside["links"]:
        link["origin_slot"] += link["origin_slot"] > 0
    inside["links"].append({**inside["links"][0], "id": 4, "origin_slot": 1, "target_id": 3})
    port = {"name": "value", "type": "BOOLEAN", "widget": {"name": "value"}, "link": 4}
    there = {"id": 3, "type": "PrimitiveBoolean", "inputs": [{}, port], "widgets_values": [True]}
    inside["nodes"].append(there)
    assert nodes(imported(raw), "models.load_denoiser")[0].values["file"] == "a.safetensors"


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


def bypassed_subgraph(inputs: list[dict[str, Any]], outputs: list[str], **more: Any) -> Any:
    """An image that goes through a bypassed subgraph of VAE Encode and VAE Decode to be saved."""
    inner = [
        {"id": 1, "type": "VAEEncode", "inputs": [{"name": "pixels", "type": "IMAGE", "link": 1}],
         "outputs": [{"name": "LATENT", "type": "LATENT"}]},
        {"id": 2, "type": "VAEDecode", "inputs": [{"name": "samples", "type": "LATENT", "link": 2}],
         "outputs": [{"name": "IMAGE", "type": "IMAGE"}]},
        {"id": 3, "type": "SomethingElse", "widgets_values": [1]},
        {"id": 4, "type": "SamplerCustomAdvanced"},
    ]  # fmt: skip
    links = [[1, -10, 0, 1, 0, "IMAGE"], [2, 1, 0, 2, 0, "LATENT"]]
    links += [[3 + slot, 2, 0, -20, slot, kind] for slot, kind in enumerate(outputs)]
    ports = [{"name": port["name"], "type": port["type"]} for port in inputs]
    shown = [{"name": f"out_{slot}", "type": kind} for slot, kind in enumerate(outputs)]
    definition = {"id": "sub", "name": "Again", "nodes": inner, "links": links}
    definition |= {"inputs": ports, "outputs": shown}
    use = {"id": 5, "type": "sub", "mode": 4, "inputs": inputs, "outputs": shown, **more}
    nodes_ = [
        {"id": 6, "type": "LoadImage", "widgets_values": ["fox.png"], "inputs": []},
        {"id": 8, "type": "LoadImage", "widgets_values": ["owl.png"], "inputs": []},
        use,
        {"id": 7, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 11}]},
    ]
    outer = [[10, 6, 0, 5, 0, "IMAGE"], [12, 8, 0, 5, 1, "IMAGE"]]
    outer.append([11, 5, len(outputs) - 1, 7, 0, "IMAGE"])
    return {"nodes": nodes_, "links": outer, "definitions": {"subgraphs": [definition]}}


IMAGES = [
    {"name": "image", "type": "IMAGE", "link": 10},
    {"name": "other", "type": "IMAGE", "link": 12},
]


@pytest.mark.parametrize(
    ("inputs", "outputs", "shown"),
    [
        (IMAGES[:1], ["IMAGE"], "fox.png"),
        (IMAGES, ["IMAGE"], "fox.png"),
        (IMAGES, ["MASK", "IMAGE"], "owl.png"),  # the input at the output's place
        ([{"name": "text", "type": "STRING"}, IMAGES[1]], ["IMAGE"], "owl.png"),
        ([{"name": "image", "type": "IMAGE"}, IMAGES[1]], ["IMAGE"], None),  # not linked
        ([{"name": "text", "type": "STRING"}], ["IMAGE"], None),
    ],
    ids=["one", "two", "by place", "by type", "not linked", "no such type"],
)
def test_a_bypassed_subgraph_is_one_bypassed_node(
    inputs: list[dict[str, Any]], outputs: list[str], shown: str | None
):
    """1.4: each node inside of it was bypassed, so that nothing came through."""
    made = imported(bypassed_subgraph(inputs, outputs))
    assert made.report.missing == []
    graph = made.document.graph
    boxes = [node for node in graph.nodes.values() if isinstance(node, Subgraph)]
    assert [box.mode for box in boxes] == [Mode.BYPASS]
    assert {node.mode for node in boxes[0].graph.nodes.values()} == {Mode.ACTIVE}
    assert "image" in boxes[0].outputs  # what it gives once it is not bypassed any more
    flat = flatten(graph, Catalogue.shipped())
    saves = [name for name, node in flat.nodes.items() if node.type == "image.save"]
    if shown is None:
        assert saves == []
        assert any("7 SaveImage is muted" in text for text in made.report.problems)
        return
    start = flat.links[Input(saves[0], "image")]
    assert flat.nodes[start.node].values["file"] == shown


def test_a_bypassed_subgraph_in_another_and_with_a_value_passes_on():
    """1.4, other inputs of the kind."""
    raw = bypassed_subgraph(IMAGES[:1], ["IMAGE"])
    inner = raw["nodes"][2]
    port = {"name": "image", "type": "IMAGE"}
    outer = {
        "id": "outer",
        "name": "Outer",
        "nodes": [inner | {"inputs": [port | {"link": 1}]}],
        "links": [[1, -10, 0, 5, 0, "IMAGE"], [2, 5, 0, -20, 0, "IMAGE"]],
        "inputs": [port],
        "outputs": [{"name": "out", "type": "IMAGE"}],
    }
    raw["definitions"]["subgraphs"].append(outer)
    raw["nodes"][2] = inner | {"type": "outer", "mode": 0}
    made = imported(raw)
    flat = flatten(made.document.graph, Catalogue.shipped())
    (save,) = (name for name, node in flat.nodes.items() if node.type == "image.save")
    assert flat.nodes[flat.links[Input(save, "image")].node].values["file"] == "fox.png"
    assert made.report.missing == []
    assert [node.type for node in flat.nodes.values()].count("latent.encode") == 0


@pytest.mark.parametrize("mode", [2, 4])
def test_what_has_no_counterpart_and_does_not_run_is_not_reported(mode: int):
    """1.4: bypassed samplers counted as "no counterpart"."""
    workflow = text_to_image()
    workflow.add("SamplerCustomAdvanced", latent_image=(4, 0), mode=mode)
    workflow.add("Unknown", mode=mode)
    made = imported(workflow.ui())
    assert made.report.missing == []
    assert "comfyui.Unknown" in {node.type for node in made.document.graph.nodes.values()}


def problems(raw: dict[str, Any]) -> str:
    return "\n".join(imported(raw).report.problems)


def test_broken_links_are_told_with_node_and_input():
    """1.11: they were dropped without a word."""
    raw = text_to_image().ui()
    raw["links"] = [link for link in raw["links"] if link[0] != 3]
    assert "5 KSampler: its 'model' has the link 3, which is not in the file" in problems(raw)
    raw = text_to_image().ui()
    raw["nodes"] = [node for node in raw["nodes"] if node["id"] != 4]
    assert "5 KSampler: its 'latent_image' is linked to node 4, which is not" in problems(raw)
    raw = text_to_image().ui()
    del raw["links"]
    assert problems(raw).count("which is not in the file") == 9
    raw = text_to_image().ui()
    raw["nodes"][4]["inputs"] = "model"
    assert "5 KSampler: its 'inputs' are no list" in problems(raw)
    assert problems(text_to_image().ui()) == ""


def test_broken_links_of_the_api_form_are_told():
    """1.11: a seed linked to an absent node became 0."""
    raw = text_to_image().api()
    raw["5"]["inputs"] |= {"seed": ["99", 0], "model": ["1", 0, "MODEL"], "positive": ["2", "0"]}
    told = problems(raw)
    assert "5 KSampler: its 'seed' is linked to node 99, which is not in the file" in told
    assert "5 KSampler: its 'model' is no link" in told
    assert "5 KSampler: its 'positive' is no link" in told
    raw = text_to_image().api()
    raw["5"]["inputs"] = "model"
    assert "5 KSampler: its 'inputs' are no object" in problems(raw)
    raw = text_to_image().api()
    raw["2"]["inputs"]["text"] = ["a list", 1, 2]  # no node is called so
    assert "no link" not in problems(raw)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "null"])
def test_a_number_that_is_none_is_told(number: str):
    """1.11: it became the default without a word."""
    text = json.dumps(text_to_image().ui()).replace("5.0", number, 1)
    made = comfyui.convert(comfyui.read_text(text), Catalogue.shipped())
    assert "5 KSampler: its 'cfg' is NaN, Infinity or null; 8.0 is used" in str(
        made.report.problems
    )
    assert nodes(made, "sampling.guidance")[0].values["scale"] == 8.0


def test_two_nodes_of_one_id_are_told():
    """1.11: the last one won without a word."""
    raw = text_to_image().ui()
    raw["nodes"].append({"id": 7, "type": "PreviewImage", "inputs": []})
    assert "Two nodes have the id 7 (SaveImage and PreviewImage)" in problems(raw)


def group_file(prefix: str, values: list[Any]) -> dict[str, Any]:
    """Text to image whose prompt, sampler and decoding are in an old group node."""
    raw = text_to_image().ui()
    text = {"type": "CLIPTextEncode", "inputs": [{"name": "clip", "type": "CLIP", "link": None}],
            "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING"}],
            "widgets_values": ["inside"], "index": 0}  # fmt: skip
    sampler = {
        "type": "KSampler",
        "inputs": [
            {"name": "model", "type": "MODEL", "link": None},
            {"name": "positive", "type": "CONDITIONING", "link": None},
            {"name": "negative", "type": "CONDITIONING", "link": None},
            {"name": "latent_image", "type": "LATENT", "link": None},
        ],
        "outputs": [{"name": "LATENT", "type": "LATENT"}],
        "widgets_values": [1, "fixed", 20, 8, "euler", "normal", 1],
        "index": 1,
    }
    decode = {"type": "VAEDecode", "inputs": [{"name": "samples", "type": "LATENT", "link": None},
                                              {"name": "vae", "type": "VAE", "link": None}],
              "outputs": [{"name": "IMAGE", "type": "IMAGE"}], "index": 2}  # fmt: skip
    group = {
        "nodes": [text, sampler, decode],
        "links": [[0, 0, 1, 1, 2, "CONDITIONING"], [1, 0, 2, 0, 5, "LATENT"]],
        "external": [[1, 0, "LATENT"]],
    }
    kinds = {"clip": 10, "model": 11, "negative": 12, "latent_image": 13, "vae": 14}
    types = ("CLIP", "MODEL", "CONDITIONING", "LATENT", "VAE")
    use = {
        "id": 20,
        "type": f"workflow{prefix}Made",
        "inputs": [
            {"name": name, "type": kind, "link": number}
            for (name, number), kind in zip(kinds.items(), types, strict=True)
        ],
        "outputs": [{"name": "LATENT", "type": "LATENT"}, {"name": "IMAGE", "type": "IMAGE"}],
        "widgets_values": values,
    }
    kept = (1, 3, 4, 7)
    raw["nodes"] = [node for node in raw["nodes"] if node["id"] in kept] + [use]
    raw["links"] = [link for link in raw["links"] if link[1] in kept and link[3] in kept]
    starts = ((1, 1), (1, 0), (3, 0), (4, 0), (1, 2))
    raw["links"] += [[10 + n, *start, 20, n, types[n]] for n, start in enumerate(starts)]
    raw["links"].append([15, 20, 1, 7, 0, "IMAGE"])
    raw["nodes"][3]["inputs"][0]["link"] = 15
    return raw | {"extra": {"groupNodes": {"Made": group}}}


VALUES = ["outside", 7, "randomize", 12, 5, "dpmpp_2m", "karras", 1]


@pytest.mark.parametrize("prefix", ["/", ">"])
def test_an_old_group_node_is_a_subgraph(prefix: str):
    """1.11: it stayed one placeholder."""
    made = imported(group_file(prefix, VALUES))
    assert made.report.missing == []
    assert made.report.problems == []
    flat = flatten(made.document.graph, Catalogue.shipped())
    expected = text_to_image(seed=7, steps=12, cfg=5, scheduler="karras")
    expected.nodes[1].values["text"] = "outside"
    plain = flatten(imported(expected.ui()).document.graph, Catalogue.shipped())
    assert shape(flat) == shape(plain)


def test_values_of_a_group_node_that_do_not_fit_are_told():
    made = imported(group_file("/", VALUES[:-1]))
    assert "those inside count" in str(made.report.problems)
    assert nodes(made, "sampling.noise")[0].values["seed"] == 1


def test_a_grey_mask_is_rounded_as_vae_encode_for_inpaint_rounds_it():
    """1.5: a soft brush opened in shares of the steps."""
    made = imported(masked("VAEEncodeForInpaint").ui())
    links = {str(end): str(start) for end, start in made.document.graph.links.items()}
    assert links["denoise.mask"] == "grow.mask"
    assert links["grow.mask"] == links["masked_picture.mask"] == "threshold.mask"
    assert not any("grey mask" in text for text in made.report.differences)


@pytest.mark.parametrize("kind", ["VAEEncodeForInpaint", "SetLatentNoiseMask"])
def test_masks_and_pictures_of_other_sizes_fit(kind: str):
    """1.11: the mask is scaled to the picture, and what 8 does not divide is cropped."""
    made = imported(masked(kind).ui())
    links = {str(end): str(start) for end, start in made.document.graph.links.items()}
    if kind == "VAEEncodeForInpaint":
        assert links["threshold.mask"] == "align.mask"
        assert links["masked_picture.image"] == "align.image"
    else:
        assert links["denoise.mask"] == "scale_to_latent.mask"
        assert links["scale_to_latent.latent"] == links["denoise.latent"]
        assert nodes(made, "latent.encode")[0].values == {"crop": True}


def test_a_scaled_latent_takes_its_mask_along():
    workflow = masked("SetLatentNoiseMask")
    sampler = workflow.nodes[4]
    larger = workflow.add(
        "LatentUpscaleBy",
        {"upscale_method": "bilinear", "scale_by": 2.0},
        samples=sampler.links["latent_image"],
    )
    sampler.links["latent_image"] = (larger, 0)
    made = imported(workflow.ui())
    links = {str(end): str(start) for end, start in made.document.graph.links.items()}
    assert links["denoise.mask"] == "scale_to_latent_2.mask"
    assert links["scale_to_latent_2.latent"] == links["denoise.latent"] == "scale_by.latent"
    assert links["denoise.masked_image"] == "scale_by.latent"


def loaders(file: str, kind: str, latent: str = "EmptySD3LatentImage") -> WorkflowBuilder:
    workflow = text_to_image()
    model = workflow.add("UNETLoader", {"unet_name": file, "weight_dtype": "default"})
    clip = workflow.add("CLIPLoader", {"clip_name": "q.safetensors", "type": kind})
    workflow.nodes[0].values["ckpt_name"] = "unknown.safetensors"
    workflow.nodes[4].links["model"] = (model, 0)
    workflow.nodes[3].class_type = latent
    for node in workflow.nodes[1:3]:
        node.links["clip"] = (clip, 0)
    return workflow


@pytest.mark.parametrize(
    ("workflow", "family"),
    [
        (loaders("z_image_turbo_bf16.safetensors", "lumina2"), None),
        (loaders("Qwen\\qwen-image-2512.gguf", "qwen_image"), None),
        (loaders("flux1-dev.safetensors", "flux"), None),
        (loaders("flux-2-klein-4b.safetensors", "qwen_image"), None),
        (loaders("flux2_dev_fp8mixed.safetensors", "flux2"), None),
        (loaders("merge.safetensors", "wan"), None),
        (loaders("wan2.1_t2v_1.3B_fp16.safetensors", "wan"), None),
        (loaders("wan2.2_ti2v_5B_fp16.safetensors", "wan"), None),
        (loaders("wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors", "wan"), "Wan from a picture"),
        (loaders("wan2.1_vace_14B_fp16.safetensors", "wan"), "Wan VACE"),
        (loaders("merge.safetensors", "lumina2"), "Lumina 2 or Z-Image"),
        (loaders("merge.safetensors", "stable_diffusion"), "That of the model"),
        (loaders("sd_xl_base_1.0.safetensors", "stable_diffusion"), None),
        (loaders("merge.safetensors", "stable_diffusion", "EmptyLatentImage"), None),
        (text_to_image("v1-5-pruned-emaonly.safetensors"), None),
        (text_to_image("sd3.5_large_fp8_scaled.safetensors"), None),
    ],
)
def test_a_family_that_is_not_run_is_named(workflow: WorkflowBuilder, family: str | None):
    """1.10: the only complaint was missing files."""
    for raw in (workflow.ui(), workflow.api()):
        report = imported(raw).report
        assert ("is a family that NodeForge does not run yet" in report.summary) == bool(family)
        assert all(name.startswith(family or "-") for name in report.families)


def test_lcm_sampling_is_told():
    """1.8: it became epsilon without a word."""
    workflow = text_to_image(sampler_name="lcm")
    held = {"sampling": "lcm", "zsnr": False}
    workflow.nodes[4].links["model"] = (
        workflow.add("ModelSamplingDiscrete", held, model=(1, 0)),
        0,
    )
    assert any("50 timesteps" in text for text in imported(workflow.ui()).report.differences)


def test_addresses_of_model_files_that_are_not_here_are_shown(tmp_path: Path):
    """1.11: 261 of 644 templates say where their files are from; nothing is fetched."""
    raw = text_to_image().ui()
    url = "https://example.org/nano.safetensors"
    file = {"name": "nano", "url": url, "directory": "checkpoints"}
    raw["nodes"][0]["properties"] = {"models": [file, {"name": 3}, "x"]}
    raw["nodes"][1]["properties"] = {"models": 3}
    report = imported(raw).report
    assert f"  nano (for the folder checkpoints): {url}" in list(report.lines())
    assert report.to_json()["models"] == [file]
    folders = ModelFolders(Settings(home=tmp_path))  # the shipped nano is in them
    made = comfyui.convert(comfyui.from_json(raw), Catalogue.shipped(), folders)
    assert made.report.models == []


def test_a_link_from_an_output_that_is_not_there_is_told():
    """1.11, another broken link."""
    for raw in (text_to_image().ui(), text_to_image().api()):
        if "nodes" in raw:
            raw["links"][0][2] = 7
        else:
            raw["2"]["inputs"]["clip"] = ["1", 7]
        told = problems(raw)
        assert "2 CLIPTextEncode: its 'clip' is linked to output 7 of 1 Checkpoint" in told


@pytest.mark.parametrize("kind", ["SaveImage", "PreviewImage"])
@pytest.mark.parametrize("mode", [0, 2, 4])
def test_what_saves_or_shows_pictures_passes_them_on(kind: str, mode: int):
    """Since 2026: 39 templates link from there, and the link was dropped without a word."""
    workflow = text_to_image()
    shown = workflow.add(kind, images=(6, 0), mode=mode)
    workflow.nodes[6].links["images"] = (shown, 0)
    workflow.nodes[6].values["filename_prefix"] = "last"
    made = imported(workflow.ui())
    flat = flatten(made.document.graph, Catalogue.shipped())
    last = [name for name, node in flat.nodes.items() if node.values.get("prefix") == "last"]
    assert bool(last) == (mode != 2)
    for name in last:
        start = flat.links[Input(name, "image")]
        past = kind == "PreviewImage" and not mode
        assert flat.nodes[start.node].type == ("image.preview" if past else "latent.decode")


@pytest.mark.parametrize(("side", "ours"), [(500, 496), (515, 512), (512, 512), (5, 8)])
def test_sides_of_latents_that_8_does_not_divide_are_rounded_down(side: int, ours: int):
    """1.11: as there."""
    workflow = text_to_image()
    workflow.nodes[3].values["width"] = side
    assert nodes(imported(workflow.ui()), "sampling.noise")[0].values["width"] == ours


def test_a_primitive_whose_number_is_none_is_told():
    workflow = text_to_image()
    name = workflow.add("PrimitiveNode", {"value": None, "control": "fixed"})
    workflow.nodes[4].links["cfg"] = (name, 0)
    assert "8 PrimitiveNode: its 'value' is NaN" in problems(workflow.ui())
