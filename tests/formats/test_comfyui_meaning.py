"""What an import makes of values and links that mean something else in ComfyUI."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeforge.diffusion import table
from nodeforge.formats import write
from nodeforge.formats.comfyui import Imported, convert, from_json
from nodeforge.formats.comfyui.placement import spread
from nodeforge.formats.comfyui.sampling_names import (
    SAMPLERS,
    SCHEDULES,
    shortened,
)
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Input, Mode, Output, Subgraph
from nodeforge.lint import lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue, ChoiceWidget
from support.comfyui import WorkflowBuilder, sampler_values, text_to_image
from support.problems import serious

CATALOGUE = Catalogue.shipped()


def imported(workflow: WorkflowBuilder) -> Imported:
    return convert(from_json(workflow.ui()), CATALOGUE)


def values(made: Imported, name: str) -> dict[str, Any]:
    return made.document.graph.nodes[name].values


def fed(made: Imported, end: str) -> str:
    node, _, port = end.partition(".")
    return str(made.document.graph.links.get(Input(node, port), ""))


def differs(made: Imported, words: str) -> bool:
    return any(words in text for text in made.report.differences)


@given(steps=st.integers(1, 60), denoise=st.floats(0.05, 1.0))
def test_as_many_steps_are_run_as_comfyui_runs(steps: int, denoise: float):
    whole, strength = shortened(steps, denoise)
    assert 0 < strength <= 1
    if steps / denoise <= 1000:
        assert int(whole * strength) == steps
        assert whole == (steps if denoise > 0.9999 else int(steps / denoise))


def test_a_round_denoise_is_a_round_strength():
    assert shortened(20, 0.5) == (40, 0.5)
    assert shortened(20, 0.8) == (25, 0.8)
    assert shortened(6, 0.6) == (10, 0.6)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_that_is_mapped_can_walk_every_schedule(sampler: str):
    """§4, absent samplers."""
    for scheduler in SCHEDULES:
        made = imported(text_to_image(sampler_name=sampler, scheduler=scheduler))
        assert serious(lint(made.document, CATALOGUE)) == []
        assert values(made, "sampler")["convention"] == "comfyui"


def test_all_samplers_of_comfyui_are_mapped_to_one_of_that_convention():
    kinds = table(convention="comfyui")
    assert all(kinds[sampler, "normal"] for sampler in SAMPLERS.values())
    assert len(SAMPLERS) == 42
    assert {"res_multistep", "er_sde", "gradient_estimation", "seeds_3"} <= set(SAMPLERS)


@pytest.mark.parametrize("scheduler", SCHEDULES)
@pytest.mark.parametrize("sampler", ["euler", "dpm_2", "uni_pc", "dpmpp_2m_sde", "sa_solver_pece"])
def test_numbers_are_not_told_to_differ_where_they_are_the_same(sampler: str, scheduler: str):
    made = imported(text_to_image(sampler_name=sampler, scheduler=scheduler))
    told = [text for text in made.report.differences if "rounding" not in text]
    assert [text for text in told if "draw" in text] == (
        told if sampler == "sa_solver_pece" else []
    )


@pytest.mark.parametrize(
    ("sampler", "told"),
    [
        ("euler_ancestral", True),
        ("dpmpp_2m_sde_gpu", True),
        ("er_sde", True),
        ("dpmpp_2m_sde", False),
        ("dpmpp_sde", False),
        ("euler_cfg_pp", False),
    ],
)
def test_noise_that_comfyui_draws_on_a_card_is_told(sampler: str, told: bool):
    made = imported(text_to_image(sampler_name=sampler))
    assert differs(made, "comes from the graphics card there") is told


def test_a_batch_of_zeros_is_one_draw_and_its_items_can_be_taken():
    """§4, the second picture of a batch."""
    workflow = text_to_image()
    workflow.nodes[3].values["batch_size"] = 4
    assert not differs(imported(workflow), "batch")
    part = workflow.add("LatentFromBatch", {"batch_index": 2, "length": 1}, samples=(4, 0))
    workflow.nodes[4].links["latent_image"] = (part, 0)
    made = imported(workflow)
    assert values(made, "noise")["item"] == 2
    assert values(made, "noise")["batch"] == 4


def test_the_heun_form_of_dpmpp_2m_sde_is_kept():
    """§1.11."""
    workflow = text_to_image()
    held = {"solver_type": "heun", "eta": 1.0, "s_noise": 1.0, "noise_device": "cpu"}
    select = workflow.add("SamplerDPMPP_2M_SDE", held)
    levels = workflow.add("BetaSamplingScheduler", {"steps": 8, "alpha": 0.5, "beta": 0.7})
    links = {"model": (1, 0), "positive": (2, 0), "negative": (3, 0), "sampler": (select, 0)}
    links |= {"sigmas": (levels, 0), "latent_image": (4, 0)}
    held = {"add_noise": True, "noise_seed": 1, "control": "fixed", "cfg": 4.0}
    sampled = workflow.add("SamplerCustom", held, **links)
    workflow.nodes[5].links["samples"] = (sampled, 0)
    made = imported(workflow)
    names = [node.values.get("name") for node in made.document.graph.nodes.values()]
    assert "dpmpp_2m_sde_heun" in names
    assert "beta57" in names
    assert not differs(made, "graphics card")


def by_custom_loop(levels: str, held: dict) -> Imported:
    """SamplerCustom with noise levels of a node of their own."""
    workflow = text_to_image()
    links = {"model": (1, 0), "positive": (2, 0), "negative": (3, 0), "latent_image": (4, 0)}
    links["sampler"] = (workflow.add("KSamplerSelect", {"sampler_name": "euler"}), 0)
    links["sigmas"] = (workflow.add(levels, held), 0)
    held = {"add_noise": True, "noise_seed": 1, "control": "fixed", "cfg": 4.0}
    workflow.nodes[5].links["samples"] = (workflow.add("SamplerCustom", held, **links), 0)
    return imported(workflow)


def test_written_noise_levels_are_kept():
    made = by_custom_loop("ManualSigmas", {"sigmas": "1., 0.9875; .725 4.21875e-1, 0"})
    assert values(made, "custom_schedule")["sigmas"] == "1, 0.9875, 0.725, 0.421875, 0"


@pytest.mark.parametrize("text", ["", "1", "1, 0.5", "0.5, 1, 0", "1, 1, 0", "all of them"])
def test_written_noise_levels_that_do_not_fall_to_0_have_no_counterpart(text):
    made = by_custom_loop("ManualSigmas", {"sigmas": text})
    assert any("do not fall to 0" in line for line in made.report.lines())


def test_the_scheduler_of_flux_2_goes_by_the_latent_s_size():
    made = by_custom_loop("Flux2Scheduler", {"steps": 4, "width": 1024, "height": 768})
    held = [node.values for node in made.document.graph.nodes.values()]
    assert {"name": "flux2", "steps": 4} in held
    assert differs(made, "those of the latent")


def test_schedules_are_choices_of_ours():
    (port,) = [p for p in CATALOGUE["sampling.schedule"].inputs if p.name == "name"]
    assert isinstance(port.widget, ChoiceWidget)
    assert set(SCHEDULES.values()) <= set(port.widget.options)


def test_a_seed_beyond_ours_is_reduced_and_told():
    made = imported(text_to_image(seed=2**64 - 1))
    assert values(made, "noise")["seed"] == 2**63 - 1
    assert differs(made, "18446744073709551615")


@pytest.mark.parametrize(
    ("then", "ours"),
    [
        ("fixed", None),
        ("randomize", "random"),
        ("increment", "increment"),
        ("decrement", "decrement"),
    ],
)
def test_what_a_seed_does_after_a_run_is_kept(then: str, ours: str | None):
    made = imported(text_to_image(control=then))
    assert made.document.view.seeds.get("noise.seed") == ours


def test_square_brackets_are_escaped_as_they_mean_nothing_there():
    workflow = text_to_image()
    workflow.nodes[1].values["text"] = r"[a:b:0.5] \[c\] (d:1.2) embedding:easy.pt,"
    assert values(imported(workflow), "encode")["text"] == (
        r"\[a:b:0.5\] \[c\] (d:1.2) embedding:easy,"
    )


def test_clip_skip_goes_to_the_prompts_that_it_feeds():
    workflow = text_to_image()
    skip = workflow.add("CLIPSetLastLayer", {"stop_at_clip_layer": -2}, clip=(1, 1))
    workflow.nodes[1].links["clip"] = (skip, 0)
    made = imported(workflow)
    assert values(made, "encode")["clip_skip"] == 1
    assert "clip_skip" not in values(made, "encode_2")


def test_clip_skip_goes_by_the_family_where_the_model_is_here(tmp_path: Path):
    workflow = text_to_image()
    skip = workflow.add("CLIPSetLastLayer", {"stop_at_clip_layer": -3}, clip=(1, 1))
    workflow.nodes[1].links["clip"] = (skip, 0)
    here = convert(from_json(workflow.ui()), CATALOGUE, ModelFolders(Settings(home=tmp_path)))
    assert values(here, "encode")["clip_skip"] == 2
    assert not differs(here, "CLIP stops")
    sdxl = {"clip_name1": "l", "clip_name2": "g", "type": "sdxl"}
    workflow.nodes[skip - 1].links["clip"] = (workflow.add("DualCLIPLoader", sdxl), 0)
    assert values(imported(workflow), "encode")["clip_skip"] == 1


def test_an_ip_adapter_on_the_model_goes_to_the_prompt():
    workflow = text_to_image()
    picture = workflow.add("LoadImage", {"image": "fox.png"})
    adapter = workflow.add("IPAdapterModelLoader", {"ipadapter_file": "plus.safetensors"})
    eyes = workflow.add("CLIPVisionLoader", {"clip_name": "h.safetensors"})
    links = {"ipadapter": (adapter, 0), "image": (picture, 0), "clip_vision": (eyes, 0)}
    held = {"weight": 0.6, "weight_type": "linear"}
    looked = workflow.add("IPAdapterAdvanced", held, model=(1, 0), **links)
    workflow.nodes[4].links["model"] = (looked, 0)
    made = imported(workflow)
    assert fed(made, "denoise.positive") == "apply_ip_adapter.conditioning"
    assert fed(made, "denoise.model") == "load.model"
    assert values(made, "apply_ip_adapter") == {"strength": 0.6, "start": 0.0, "end": 1.0}
    assert made.report.pictures == ["fox.png"]


def test_settings_on_the_model_go_to_guidance_and_loader():
    workflow = text_to_image()
    first = workflow.add("RescaleCFG", {"multiplier": 0.6}, model=(1, 0))
    second = workflow.add("PerturbedAttentionGuidance", {"scale": 2.0}, model=(first, 0))
    third = workflow.add(
        "ModelSamplingDiscrete", {"sampling": "v_prediction", "zsnr": True}, model=(second, 0)
    )
    workflow.nodes[4].links["model"] = (third, 0)
    made = imported(workflow)
    assert values(made, "guidance") == {"scale": 5.0, "rescale": 0.6}
    assert fed(made, "denoise.guidance") == "perturbed_attention.guidance"
    assert values(made, "load") == {
        "file": "nano",
        "prediction": "v_prediction",
        "zero_snr": "yes",
    }
    assert fed(made, "denoise.model") == "load.model"


def test_a_loader_that_others_use_is_set_for_them_too_and_told():
    workflow = text_to_image()
    sampling = {"sampling": "v_prediction", "zsnr": False}
    workflow.add("ModelSamplingDiscrete", sampling, model=(1, 0))
    assert differs(imported(workflow), "also for the others that use it")


def test_the_older_controlnet_acts_on_the_negative_prompt_too():
    workflow = text_to_image()
    picture = workflow.add("LoadImage", {"image": "fox.png"})
    net = workflow.add("ControlNetLoader", {"control_net_name": "canny"})
    links = {"conditioning": (2, 0), "control_net": (net, 0), "image": (picture, 0)}
    applied = workflow.add("ControlNetApply", {"strength": 0.8}, **links)
    workflow.nodes[4].links["positive"] = (applied, 0)
    made = imported(workflow)
    assert fed(made, "denoise.positive") == "apply.conditioning"
    assert fed(made, "denoise.negative") == "apply_2.conditioning"
    assert fed(made, "apply_2.conditioning") == "encode_2.conditioning"
    assert values(made, "apply_2")["strength"] == 0.8


def test_a_mask_on_the_latent_goes_to_the_loop_and_through_it():
    workflow = text_to_image(denoise=0.5)
    picture = workflow.add("LoadImage", {"image": "fox.png"})
    latent = workflow.add(
        "VAEEncodeForInpaint",
        {"grow_mask_by": 6},
        pixels=(picture, 0),
        vae=(1, 2),
        mask=(picture, 1),
    )
    workflow.nodes[4].links["latent_image"] = (latent, 0)
    second = {"model": (1, 0), "positive": (2, 0), "negative": (3, 0), "latent_image": (5, 0)}
    workflow.add("KSampler", sampler_values(denoise=0.3), **second)
    made = imported(workflow)
    assert fed(made, "denoise.mask") == fed(made, "denoise_2.mask") == "grow.mask"
    assert fed(made, "denoise.latent") == "encode_3.latent"
    assert fed(made, "encode_3.image") == "masked_picture.image"


def test_parts_of_the_steps_keep_their_numbers():
    workflow = text_to_image()
    common = {"model": (1, 0), "positive": (2, 0), "negative": (3, 0)}

    def part(add: str, start: int, stop: int, left: str, latent: int) -> int:
        held = {"add_noise": add, "noise_seed": 3, "control": "fixed", "steps": 12, "cfg": 5.0}
        held |= {"sampler_name": "euler", "scheduler": "normal"}
        held |= {"start_at_step": start, "end_at_step": stop, "left": left}
        return workflow.add("KSamplerAdvanced", held, **common, latent_image=(latent, 0))

    first = part("enable", 0, 8, "enable", 4)
    second = part("disable", 8, 10000, "disable", first)
    workflow.nodes[5].links["samples"] = (second, 0)
    made = imported(workflow)
    nodes = {became.id: became.nodes[0] for became in made.report.converted if became.nodes}
    early, late = nodes[str(first)], nodes[str(second)]
    assert values(made, early) == {"stop_at": 8}
    assert values(made, late) == {"start_at": 8}
    assert fed(made, f"{late}.noise") == ""
    assert fed(made, f"{late}.latent") == f"{early}.latent"
    assert not differs(made, "takes all noise away")


def test_schedules_of_other_levels_are_given_level_by_level():
    workflow = text_to_image()
    held = {"steps": 3, "sigma_max": 8.0, "sigma_min": 0.5, "rho": 1.0}
    levels = workflow.add("KarrasScheduler", held)
    half = workflow.add("SplitSigmas", {"step": 2}, sigmas=(levels, 0))
    select = workflow.add("KSamplerSelect", {"sampler_name": "euler"})
    links = {"model": (1, 0), "positive": (2, 0), "negative": (3, 0), "sampler": (select, 0)}
    links |= {"sigmas": (half, 0), "latent_image": (4, 0)}
    held = {"add_noise": True, "noise_seed": 1, "control": "fixed", "cfg": 4.0}
    sampled = workflow.add("SamplerCustom", held, **links)
    made = imported(workflow)
    assert values(made, "custom_schedule")["sigmas"] == "8, 4.25, 0.5, 0"
    (name,) = [b.nodes[0] for b in made.report.converted if b.id == str(sampled)]
    assert values(made, name) == {"stop_at": 2}


def test_a_number_of_a_node_of_its_own_stays_linked():
    workflow = text_to_image()
    seed = workflow.add("PrimitiveNode", {"value": 77, "control": "increment"})
    workflow.nodes[4].links["seed"] = (seed, 0)
    made = imported(workflow)
    assert fed(made, "noise.seed") == "seed.value"
    assert values(made, "seed") == {"value": 77}
    assert made.document.view.seeds == {"seed.value": "increment"}


def test_a_name_of_a_node_of_its_own_goes_where_it_is_used():
    workflow = text_to_image()
    name = workflow.add("PrimitiveNode", {"value": "euler_ancestral", "control": "fixed"})
    workflow.nodes[4].links["sampler_name"] = (name, 0)
    assert values(imported(workflow), "sampler") == {"name": "euler_a", "convention": "comfyui"}


def test_a_bypassed_lora_stays_and_passes_on():
    workflow = text_to_image()
    held = {"lora_name": "a.st", "strength_model": 1.0, "strength_clip": 1.0}
    lora = workflow.add("LoraLoader", held, model=(1, 0), clip=(1, 1), mode=4)
    workflow.nodes[4].links["model"] = (lora, 0)
    workflow.nodes[1].links["clip"] = (lora, 1)
    made = imported(workflow)
    assert made.document.graph.nodes["load_lora"].mode is Mode.BYPASS
    flat = flatten(made.document.graph, CATALOGUE)
    assert flat.links[Input("denoise", "model")] == Output("load", "model")
    assert flat.links[Input("encode", "text_encoder")] == Output("load", "text_encoder")


def test_a_bypassed_node_without_counterpart_is_gone_around():
    workflow = text_to_image()
    patched = workflow.add("TomePatchModel", {"ratio": 0.3}, model=(1, 0), mode=4)
    workflow.nodes[4].links["model"] = (patched, 0)
    raw = workflow.ui()
    raw["nodes"][-1]["outputs"] = [{"name": "MODEL", "type": "MODEL"}]
    made = convert(from_json(raw), CATALOGUE)
    assert fed(made, "denoise.model") == "load.model"
    assert made.document.graph.nodes["tomepatchmodel"].mode is Mode.BYPASS


def test_a_placeholder_keeps_values_links_and_title():
    workflow = text_to_image()
    model = workflow.add("StyleModelLoader", {"style_model_name": "4x.pth"})
    up = workflow.add("UltimateSDUpscale", title="Large", image=(6, 0), upscale_model=(model, 0))
    workflow.add("SaveImage", {"filename_prefix": "big"}, images=(up, 0))
    made = imported(workflow)
    nodes = made.document.graph.nodes
    assert nodes["stylemodelloader"].type == "comfyui.StyleModelLoader"
    assert nodes["stylemodelloader"].values == {"value_0": "4x.pth"}
    assert nodes["ultimatesdupscale"].title == "Large"
    assert fed(made, "ultimatesdupscale.image") == "decode.image"
    assert fed(made, "save_2.image") == "ultimatesdupscale.output_0"
    assert {each.class_type for each in made.report.missing} == {
        "StyleModelLoader",
        "UltimateSDUpscale",
    }


def test_a_picture_is_enlarged_by_its_model():
    workflow = text_to_image()
    model = workflow.add("UpscaleModelLoader", {"model_name": "sub\\4x-UltraSharp.pth"})
    up = workflow.add("ImageUpscaleWithModel", image=(6, 0), upscale_model=(model, 0))
    workflow.add("SaveImage", {"filename_prefix": "big"}, images=(up, 0))
    made = imported(workflow)
    assert values(made, "load_upscaler") == {"file": "sub/4x-UltraSharp.pth"}
    assert fed(made, "enlarge.upscale_model") == "load_upscaler.upscale_model"
    assert fed(made, "enlarge.image") == "decode.image"
    assert fed(made, "save_2.image") == "enlarge.image"
    assert not made.report.missing


def test_zeros_that_something_else_reads_become_a_latent():
    workflow = text_to_image()
    up = workflow.add(
        "LatentUpscaleBy", {"upscale_method": "bicubic", "scale_by": 2.0}, samples=(4, 0)
    )
    workflow.nodes[4].links["latent_image"] = (up, 0)
    made = imported(workflow)
    assert fed(made, "empty.vae") == "load.vae"
    assert serious(lint(made.document, CATALOGUE)) == []


def subgraph_file() -> dict[str, Any]:
    """Text to image whose prompts are in a subgraph, as newer ComfyUI saves it."""
    workflow = text_to_image()
    raw = workflow.ui()
    inner = [
        {"id": 1, "type": "CLIPTextEncode", "pos": [0, 0], "widgets_values": ["a cat"],
         "inputs": [{"name": "clip", "type": "CLIP", "link": 1}]},
        {"id": 2, "type": "CLIPTextEncode", "pos": [0, 200], "widgets_values": ["inner"],
         "inputs": [{"name": "clip", "type": "CLIP", "link": 2},
                    {"name": "text", "type": "STRING", "widget": {"name": "text"}, "link": 3}]},
    ]  # fmt: skip
    ends = ((1, -10, 0, 1, 0), (2, -10, 0, 2, 0), (3, -10, 1, 2, 1), (4, 1, 0, -20, 0))
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
    links = [dict(zip(names, end, strict=True)) for end in (*ends, (5, 2, 0, -20, 1))]
    ports = [{"name": "clip", "type": "CLIP"}, {"name": "text", "type": "STRING"}]
    inner.append({"id": 3, "type": "Note", "pos": [0, 400], "widgets_values": ["two of them"]})
    definition = {"id": "abc-1", "name": "Two prompts", "nodes": inner, "links": links}
    definition["groups"] = [{"title": "Texts", "bounding": [-10, -30, 400, 380]}]
    raw["definitions"] = {"subgraphs": [{**definition, "inputs": ports}]}
    box = {
        "id": 20,
        "type": "abc-1",
        "pos": [300, 300],
        "widgets_values": ["told outside"],
        "inputs": [
            {"name": "clip", "type": "CLIP", "link": 90},
            {"name": "text", "type": "STRING", "widget": {"name": "text"}, "link": None},
        ],
    }
    raw["nodes"] = [node for node in raw["nodes"] if node["id"] not in (2, 3)] + [box]
    raw["links"] = [link for link in raw["links"] if not {2, 3} & {link[1], link[3]}]
    raw["links"] += [[90, 1, 1, 20, 0, "CLIP"], [91, 20, 0, 5, 1, "*"], [92, 20, 1, 5, 2, "*"]]
    sampler = next(node for node in raw["nodes"] if node["id"] == 5)
    sampler["inputs"][1]["link"], sampler["inputs"][2]["link"] = 91, 92
    return raw


def test_a_subgraph_becomes_one_of_ours():
    made = convert(from_json(subgraph_file()), CATALOGUE)
    box = made.document.graph.nodes["two_prompts"]
    assert isinstance(box, Subgraph)
    assert box.title == "Two prompts"
    flat = flatten(made.document.graph, CATALOGUE)
    texts = {
        flat.nodes[flat.links[Input("denoise", port)].node].values.get("text")
        for port in ("positive", "negative")
    }
    assert texts == {"a cat", "told outside"}
    view = made.document.view
    assert view.positions["two_prompts"][1] >= 300
    assert view.notes["two_prompts/note:1"]["text"] == "two of them"
    assert view.backdrops["two_prompts/backdrop:1"]["title"] == "Texts"
    assert serious(lint(made.document, CATALOGUE)) == []


def test_a_ring_of_links_is_cut_and_told():
    workflow = text_to_image()
    workflow.nodes[3].links["x"] = (5, 0)
    made = imported(workflow)
    assert any("feeds itself" in text for text in made.report.problems)


def test_notes_and_groups_are_kept_and_nothing_overlaps():
    workflow = text_to_image()
    for node in workflow.nodes:
        node.place = (node.id % 3 * 230.0, node.id // 3 * 90.0)
    workflow.add("Note", {"text": "mind the seed"}, place=(0.0, 500.0))
    frame = {"title": "Prompts", "bounding": [220, 0, 480, 190], "color": "#3f789e"}
    made = convert(from_json(workflow.ui(groups=[frame])), CATALOGUE)
    view = made.document.view
    assert [note["text"] for note in view.notes.values()] == ["mind the seed"]
    assert [each["title"] for each in view.backdrops.values()] == ["Prompts"]
    assert set(view.positions) == set(made.document.graph.nodes)
    for (_, one), (_, other) in combinations(view.positions.items(), 2):
        assert abs(one[0] - other[0]) >= 220 or abs(one[1] - other[1]) >= 60


def test_a_group_holds_what_it_held_and_nothing_else():
    workflow = text_to_image()
    for node in workflow.nodes:
        node.place = (0.0, node.id * 90.0)
    inner = {"title": "Prompts", "bounding": [-10, 170, 300, 180]}
    outer = {"title": "Start", "bounding": [-20, 60, 400, 380]}
    made = convert(from_json(workflow.ui(groups=[outer, inner])), CATALOGUE)
    view, nodes = made.document.view, made.document.graph.nodes
    held = [
        {name for name in nodes if _is_in(view.positions[name], entry["rect"])}
        for entry in view.backdrops.values()
    ]
    assert held == [{"load", "encode", "encode_2"}, {"encode", "encode_2"}]


def _is_in(place: list[float], rect: list[float]) -> bool:
    return rect[0] <= place[0] <= rect[0] + rect[2] and rect[1] <= place[1] <= rect[1] + rect[3]


@given(
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=3),
        st.tuples(
            *(st.floats(-1000, 1000) for _ in range(2)), *(st.floats(20, 900) for _ in range(2))
        ),
        max_size=12,
    )
)
def test_rectangles_that_are_spread_do_not_overlap(rects: dict[str, tuple[float, ...]]):
    sizes = {name: (rect[3], rect[2]) for name, rect in rects.items()}
    places = spread(rects, sizes)  # pyright: ignore[reportArgumentType]
    for one, other in combinations(rects, 2):
        (x, y), (u, v) = places[one], places[other]
        apart_across = x + sizes[one][0] <= u or u + sizes[other][0] <= x
        assert apart_across or y + sizes[one][1] <= v or v + sizes[other][1] <= y


def test_the_same_file_gives_the_same_document():
    first, again = (write(imported(text_to_image()).document) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("chosen", "size"),
    [
        ({"aspect_ratio": "16:9 (Widescreen)", "megapixels": 1.0, "multiple": 16}, (1360, 768)),
        ({"aspect_ratio": "9:16 (Portrait Widescreen)", "megapixels": 1.0}, (768, 1368)),
        ({"aspect_ratio": "PORTRAIT_2_3", "megapixels": 0.4, "multiple": 32}, (544, 800)),
        ({"aspect_ratio": "SQUARE", "megapixels": 1.0}, (1024, 1024)),
    ],
)
def test_a_resolution_goes_where_it_is_used(chosen: dict[str, Any], size: tuple[int, int]):
    sketch = text_to_image()
    chosen_size = sketch.add("ResolutionSelector", chosen)
    sketch.nodes[3].links |= {"width": (chosen_size, 0), "height": (chosen_size, 1)}
    noise = values(imported(sketch), "noise")
    assert (noise["width"], noise["height"]) == size
