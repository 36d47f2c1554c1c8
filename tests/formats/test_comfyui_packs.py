"""Classes that dissolve, and packs' nodes that do what several core nodes do (comfyui §2, §3)."""

from pathlib import Path
from typing import Any

import pytest

from nodeforge.engine.content.files import Files
from nodeforge.formats import comfyui
from nodeforge.formats.comfyui import Imported
from nodeforge.graph.flatten import flatten
from nodeforge.graph.planned import survey
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue
from support.comfyui import WorkflowBuilder, sampler_values, text_to_image
from support.graph_shape import shape

CATALOGUE = Catalogue.shipped()
HELD = {name: value for name, value in sampler_values().items() if name not in ("seed", "control")}
WHOLE = {"seed": 5, "control": "fixed", **HELD}


def imported(workflow: WorkflowBuilder, form: str = "ui") -> Imported:
    return comfyui.convert(comfyui.from_json(getattr(workflow, form)()), CATALOGUE)


def same(workflow: WorkflowBuilder, expected: WorkflowBuilder) -> None:
    """Both forms of a workflow run what another runs."""
    for form in ("ui", "api"):
        made = imported(workflow, form)
        assert made.report.missing == []
        assert made.report.problems == []
        flat = flatten(made.document.graph, CATALOGUE)
        assert shape(flat) == shape(flatten(imported(expected).document.graph, CATALOGUE))


def of_pipe(workflow: WorkflowBuilder, pipe: tuple[int, int], kind: str = "FromBasicPipe") -> None:
    first = 1 if kind.endswith("_v2") else 0
    out = workflow.add(kind, basic_pipe=pipe)
    for port, slot in (("model", 0), ("positive", 3), ("negative", 4)):
        workflow.nodes[4].links[port] = (out, first + slot)
    workflow.nodes[5].links["vae"] = (out, first + 2)


BASIC = {"model": (1, 0), "clip": (1, 1), "vae": (1, 2), "positive": (2, 0), "negative": (3, 0)}


@pytest.mark.parametrize("kind", ["FromBasicPipe", "FromBasicPipe_v2"])
def test_a_pipe_dissolves_into_its_parts(kind: str):
    workflow = text_to_image()
    of_pipe(workflow, (workflow.add("ToBasicPipe", **BASIC), 0), kind)
    same(workflow, text_to_image())


def test_an_edited_pipe_carries_what_it_was_given_last():
    workflow = text_to_image()
    swapped = BASIC | {"positive": (3, 0), "negative": (3, 0)}
    pipe = workflow.add("ToBasicPipe", **swapped)
    pipe = workflow.add("EditBasicPipe", basic_pipe=(pipe, 0), positive=(2, 0))
    of_pipe(workflow, (pipe, 0))
    same(workflow, text_to_image())


def test_a_context_dissolves_and_the_first_that_carries_something_counts():
    workflow = text_to_image()
    empty = workflow.add("Context (rgthree)")
    full = workflow.add("Context (rgthree)", **BASIC, latent=(4, 0))
    more = workflow.add("Context Big (rgthree)", base_ctx=(full, 0), positive=(2, 0))
    chosen = workflow.add("Context Switch (rgthree)", ctx_01=(empty, 0), ctx_02=(more, 0))
    slots = {"model": 1, "positive": 4, "negative": 5, "latent_image": 6}
    for port, slot in slots.items():
        workflow.nodes[4].links[port] = (chosen, slot)
    same(workflow, text_to_image())


def test_a_sampler_on_a_pipe_is_a_sampler():
    workflow = text_to_image()
    pipe = workflow.add("ToBasicPipe", **BASIC)
    entry = workflow.nodes[4]
    entry.class_type = "ImpactKSamplerBasicPipe"
    entry.values = {**WHOLE, "seed": 5}
    entry.links = {"basic_pipe": (pipe, 0), "latent_image": (4, 0)}
    workflow.nodes[5].links = {"samples": (5, 1), "vae": (5, 2)}
    same(workflow, text_to_image())


def efficient(values: dict[str, Any]) -> WorkflowBuilder:
    """One loader, one sampler and a picture that is saved."""
    workflow = WorkflowBuilder()
    load = workflow.add("Efficient Loader", values)
    links = {"model": (load, 0), "positive": (load, 1), "negative": (load, 2)}
    links |= {"latent_image": (load, 3), "optional_vae": (load, 4)}
    held = {**WHOLE, "control": None, "preview_method": "none", "vae_decode": "true"}
    sampled = workflow.add("KSampler (Efficient)", held, **links)
    workflow.add("SaveImage", {"filename_prefix": "ComfyUI"}, images=(sampled, 5))
    return workflow


NEW = {
    "ckpt_name": "nano",
    "vae_name": "Baked VAE",
    "clip_skip": -1,
    "lora_name": "None",
    "lora_model_strength": 1,
    "lora_clip_strength": 1,
    "positive": "a red apple",
    "negative": "blurry",
    "token_normalization": "none",
    "weight_interpretation": "comfy",
    "empty_latent_width": 256,
    "empty_latent_height": 256,
    "batch_size": 1,
}
LEFT_OUT = ("token_normalization", "weight_interpretation")
LORA = ("lora_name", "lora_model_strength", "lora_clip_strength")


@pytest.mark.parametrize("without", [(), LEFT_OUT, (*LEFT_OUT, *LORA)], ids=[13, 11, 8])
def test_an_efficient_loader_and_sampler_are_core_nodes(without: tuple[str, ...]):
    values = {name: value for name, value in NEW.items() if name not in without}
    flat = flatten(imported(efficient(values)).document.graph, CATALOGUE)
    assert shape(flat) == shape(flatten(imported(text_to_image()).document.graph, CATALOGUE))


def test_an_efficient_sampler_of_the_first_version_is_read():
    workflow = efficient(NEW)
    held = {name: value for name, value in WHOLE.items() if name not in ("seed", "control")}
    old = {"state": "Sample", "id": 0, "seed": 5, "control": False, **held, "preview": "Disabled"}
    workflow.nodes[1].values = old
    made = imported(workflow)
    noise = [n for n in made.document.graph.nodes.values() if n.type == "sampling.noise"]
    assert noise[0].values["seed"] == 5
    assert made.report.missing == []


def test_a_loader_with_a_stack_is_no_core_node():
    workflow = efficient(NEW)
    workflow.nodes[0].links["lora_stack"] = (workflow.add("LoRA Stacker"), 0)
    told = {each.class_type: each.missing for each in imported(workflow).report.missing}
    assert "lora_stack" in told["Efficient Loader"]


@pytest.mark.parametrize(
    ("seed", "then"), [(-1, "random"), (-2, "increment"), (-3, "decrement"), (7, None)]
)
def test_seeds_of_packs_that_draw_are_controls(seed: int, then: str | None):
    workflow = text_to_image()
    name = workflow.add("Seed (rgthree)", {"seed": seed, "a": "", "b": "", "c": ""})
    workflow.nodes[4].links["seed"] = (name, 0)
    made = imported(workflow)
    assert made.document.graph.nodes["seed"].values["value"] == max(seed, 0)
    assert made.document.view.seeds.get("seed.value") == then


def switched(kind: str, branches: tuple[str, str], values: dict[str, Any], **links: Any) -> Any:
    """A prompt chosen from two, "a red apple" and "blurry"."""
    workflow = text_to_image()
    fed = dict(zip(branches, ((2, 0), (3, 0)), strict=True))
    chosen = workflow.add(kind, values, **fed, **links)
    workflow.nodes[4].links["positive"] = (chosen, 0)
    return workflow


def prompt(workflow: WorkflowBuilder, form: str = "ui") -> str:
    flat = flatten(imported(workflow, form).document.graph, CATALOGUE)
    (start,) = (s for end, s in flat.links.items() if end.port == "positive")
    return flat.nodes[start.node].values["text"]


@pytest.mark.parametrize("form", ["ui", "api"])
@pytest.mark.parametrize(
    ("kind", "branches", "values", "chosen"),
    [
        ("ComfySwitchNode", ("on_false", "on_true"), {"switch": False}, "a red apple"),
        ("ComfySwitchNode", ("on_false", "on_true"), {"switch": True}, "blurry"),
        ("Switch any [Crystools]", ("on_true", "on_false"), {"boolean": True}, "a red apple"),
        ("easy ifElse", ("on_true", "on_false"), {"boolean": False}, "blurry"),
        ("ImpactConditionalBranch", ("tt_value", "ff_value"), {"cond": True}, "a red apple"),
        ("ImpactSwitch", ("input1", "input2"), {"select": 2}, "blurry"),
        ("ImpactSwitch", ("input2", "input4"), {"select": 4}, "blurry"),
        (
            "CR Conditioning Input Switch",
            ("conditioning1", "conditioning2"),
            {"Input": 2},
            "blurry",
        ),
        ("Any Switch (rgthree)", ("any_02", "any_01"), {}, "blurry"),
    ],
)
def test_a_switch_passes_on_the_branch_of_its_condition(
    kind: str, branches: tuple[str, str], values: dict[str, Any], chosen: str, form: str
):
    workflow = switched(kind, branches, values)
    assert prompt(workflow, form) == chosen
    types = [n.type for n in imported(workflow, form).document.graph.nodes.values()]
    assert "graph.switch" in types  # so that the other branch can be chosen here


@pytest.mark.parametrize("value", [True, False])
def test_a_switch_follows_a_boolean_of_its_own(value: bool):
    boolean_first = {"switch": not value}
    workflow = switched("ComfySwitchNode", ("on_false", "on_true"), boolean_first)
    flag = workflow.add("PrimitiveBoolean", {"value": value})
    workflow.nodes[-2].links["switch"] = (flag, 0)
    assert prompt(workflow) == ("blurry" if value else "a red apple")


def test_a_switch_between_empty_latents_needs_no_node():
    workflow = text_to_image()
    other = workflow.add("EmptyLatentImage", {"width": 64, "height": 64, "batch_size": 1})
    links = {"on_false": (other, 0), "on_true": (4, 0)}
    chosen = workflow.add("ComfySwitchNode", {"switch": True}, **links)
    workflow.nodes[4].links["latent_image"] = (chosen, 0)
    same(workflow, text_to_image())


def test_a_switch_whose_condition_is_computed_has_no_counterpart():
    workflow = switched("ComfySwitchNode", ("on_false", "on_true"), {"switch": True})
    computed = workflow.add("Compare")
    workflow.nodes[-2].links["switch"] = (computed, 0)
    told = {each.class_type: each.missing for each in imported(workflow).report.missing}
    assert "known only while running" in told["ComfySwitchNode"]


@pytest.mark.parametrize("kind", ["PreviewAny", "ShowText|pysssss", "Text to Console"])
def test_what_shows_a_text_dissolves(kind: str):
    workflow, expected = text_to_image(), text_to_image()
    port = "source" if kind == "PreviewAny" else "text"
    for each in (workflow, expected):
        text = each.add("PrimitiveString", {"value": "a cat"})
        each.nodes[1].links["text"] = (text, 0)
    shown = workflow.add(kind, **{port: (8, 0)})
    workflow.nodes[1].links["text"] = (shown, 0)
    same(workflow, expected)


def test_a_picture_that_is_shown_as_text_is_no_text():
    workflow = text_to_image()
    shown = workflow.add("PreviewAny", source=(6, 0))
    assert imported(workflow).report.missing == []
    workflow.nodes[1].links["text"] = (shown, 0)
    workflow.nodes[6].links["images"] = (6, 0)
    del workflow.nodes[-1].links["source"]
    picture = workflow.add("LoadImage", {"image": "fox.png"})
    workflow.nodes[-2].links["source"] = (picture, 0)
    assert [each.class_type for each in imported(workflow).report.missing] == ["PreviewAny"]


def test_differential_diffusion_is_what_the_loop_does_with_a_mask():
    def grey(made: Imported) -> bool:
        return any("mask is grey" in text for text in made.report.differences)

    workflow = text_to_image()
    picture = workflow.add("LoadImage", {"image": "fox.png"})
    encoded = workflow.add("VAEEncode", pixels=(picture, 0), vae=(1, 2))
    latent = workflow.add("SetLatentNoiseMask", samples=(encoded, 0), mask=(picture, 1))
    workflow.nodes[4].links["latent_image"] = (latent, 0)
    assert grey(imported(workflow))
    soft = workflow.add("DifferentialDiffusion", {"strength": 1.0}, model=(1, 0))
    workflow.nodes[4].links["model"] = (soft, 0)
    assert not grey(imported(workflow))
    assert not imported(workflow).report.missing


def test_texts_made_of_others_follow_them():
    """imports 4: the text is made while a run is planned."""
    workflow = text_to_image()
    first = workflow.add("PrimitiveString", {"value": "a red fruit"})
    values = {"string": "", "find": "fruit", "replace": "apple"}
    text = workflow.add("StringReplace", values, string=(first, 0))
    workflow.nodes[1].links["text"] = (text, 0)
    assert prompt_value(imported(workflow)) == "a red apple"
    values = {"string_a": "a red", "string_b": "apple", "delimiter": " "}
    text = workflow.add("StringConcatenate", values)
    workflow.nodes[1].links["text"] = (text, 0)
    assert prompt_value(imported(workflow)) == "a red apple"


MADE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "JoinStrings": ({"string1": "a", "string2": "fox", "delimiter": "\\n"}, {}, r"a\nfox"),
    "RegexReplace": (
        {"string": "A  fox", "regex_pattern": r"a\s+", "replace": "the ", "count": 0},
        {},
        "the fox",
    ),
    "StringFormat": ({"f_string": "a {a} {{b}}"}, {"values.a": "fox"}, "a fox {b}"),
    "Text Concatenate": ({"delimiter": ", "}, {"text_a": "a", "text_c": "b"}, "a, b"),
    "DPRandomGenerator": ({"text": "a {fox|fox}", "seed": 1}, {}, "a fox"),
    "ImpactWildcardProcessor": (
        {"wildcard_text": "{a|a}", "populated_text": "b", "mode": "populate", "seed": 1},
        {},
        "a",
    ),
}


@pytest.mark.parametrize("kind", MADE)
def test_what_texts_of_packs_come_to(kind: str):
    """imports 4."""
    values, linked, expected = MADE[kind]
    workflow = text_to_image()
    links = {
        port: (workflow.add("PrimitiveString", {"value": value}), 0)
        for port, value in linked.items()
    }
    text = workflow.add(kind, values, **links)
    workflow.nodes[1].links["text"] = (text, 0)
    made = imported(workflow, "api")
    assert made.report.missing == []
    assert prompt_value(made) == expected


def test_a_fixed_text_of_wildcards_stays():
    workflow = text_to_image()
    values = {"wildcard_text": "{a|b}", "populated_text": "b", "mode": "fixed", "seed": 1}
    text = workflow.add("ImpactWildcardProcessor", values)
    workflow.nodes[1].links["text"] = (text, 0)
    assert prompt_value(imported(workflow)) == "b"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("RegexReplace", {"string": "a", "regex_pattern": "a", "replace": "b", "count": 1}),
        ("ComfyMathExpression", {"expression": "a & -8", "values.a": 3}),
        ("ComfyMathExpression", {"expression": "a + e", "values.a": 3, "values.e": 3}),
        ("StringCompare", {"string_a": "a", "string_b": "b", "mode": "Sounds Like"}),
    ],
)
def test_what_is_not_computed_here_has_no_counterpart(kind: str, values: dict[str, Any]):
    workflow = text_to_image()
    text = workflow.add(kind, values)
    workflow.nodes[6].links["filename_prefix"] = (text, 0)
    assert kind in {each.class_type for each in imported(workflow, "api").report.missing}


def prompt_value(made: Imported) -> Any:
    """What the nodes before the prompt give while a run is planned."""
    graph = made.document.graph
    prompts = {name for name, node in graph.nodes.items() if node.type == "text.encode"}
    (start,) = (s for end, s in graph.links.items() if end.port == "text" and end.node in prompts)
    files = Files(Settings(home=Path("no-home")))
    (value,) = survey(flatten(graph, CATALOGUE), CATALOGUE, files.resolve).values[start]
    return value


@pytest.mark.parametrize(
    ("format", "ours"), [("png", None), ("jpg", "jpeg"), ("webp", "webp"), ("exr", "")]
)
def test_pictures_are_saved_in_the_format_that_is_chosen(format: str, ours: str | None):
    workflow = text_to_image()
    workflow.nodes[6].class_type = "SaveImageAdvanced"
    workflow.nodes[6].values["format"] = format
    made = imported(workflow)
    if ours == "":
        assert [each.class_type for each in made.report.missing] == ["SaveImageAdvanced"]
        return
    assert made.document.graph.nodes["save"].values.get("format") == ours
