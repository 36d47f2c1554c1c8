"""ComfyUI's workflows of the transformer families keep their meaning."""

import math

import pytest

from nodeforge.formats import comfyui
from nodeforge.graph.model import Input
from nodeforge.spec import Catalogue
from nodeforge.values.setting_names import AUTO


def imported(raw):
    return comfyui.convert(comfyui.from_json(raw), Catalogue.shipped())


def workflow(
    loader, guidance=None, cfg=1.0, latent="EmptySD3LatentImage", model="flux1-dev.safetensors"
):
    """Text to image in the API's form, with the text encoders of `loader`."""
    positive = ["guide", 0] if guidance is not None else ["prompt", 0]
    nodes = {
        "model": ("UNETLoader", {"unet_name": model, "weight_dtype": "default"}),
        "clip": loader,
        "vae": ("VAELoader", {"vae_name": "ae.safetensors"}),
        "prompt": ("CLIPTextEncode", {"clip": ["clip", 0], "text": "a fox"}),
        "negative": ("CLIPTextEncode", {"clip": ["clip", 0], "text": ""}),
        "size": (latent, {"width": 1024, "height": 768, "batch_size": 1}),
        "sample": (
            "KSampler",
            {
                "model": ["model", 0], "positive": positive, "negative": ["negative", 0],
                "latent_image": ["size", 0], "seed": 3, "steps": 20, "cfg": cfg,
                "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0,
            },
        ),
        "decode": ("VAEDecode", {"samples": ["sample", 0], "vae": ["vae", 0]}),
        "save": ("SaveImage", {"images": ["decode", 0], "filename_prefix": "x"}),
    }  # fmt: skip
    if guidance is not None:
        given = {"conditioning": ["prompt", 0], "guidance": guidance}
        nodes["guide"] = ("FluxGuidance", given)
    return {name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()}


def two(kind):
    names = {"clip_name1": "clip_l.safetensors", "clip_name2": "t5xxl_fp16.safetensors"}
    return "DualCLIPLoader", {**names, "type": kind}


def clips(kind):
    names = {"clip_name1": "clip_l.safetensors", "clip_name2": "clip_g.safetensors"}
    return "DualCLIPLoader", {**names, "type": kind}


def three():
    names = ("clip_g.safetensors", "t5xxl_fp16.safetensors", "clip_l.safetensors")
    given = {f"clip_name{number}": name for number, name in enumerate(names, 1)}
    return "TripleCLIPLoader", given


def one(kind, name):
    return "CLIPLoader", {"clip_name": name, "type": kind}


def of_type(made, kind):
    return next(n for n in made.document.graph.nodes.values() if n.type == kind)


@pytest.mark.parametrize(
    ("loader", "model", "family"),
    [
        (two("flux"), "flux1-dev", "flux1"),
        (one("lumina2", "qwen_3_4b.safetensors"), "z_image_turbo_bf16", "z_image"),
        (one("chroma", "t5xxl_fp8_e4m3fn.safetensors"), "Chroma1-HD", "chroma"),
        (
            one("qwen_image", "qwen_2.5_vl_7b_fp8_scaled.safetensors"),
            "qwen_image_2512_fp8",
            "qwen_image",
        ),
        (
            one("qwen_image", "qwen3vl_8b_int8_convrot.safetensors"),
            "qwen_image_2.1_turbo_bf16",
            "qwen_image_21",
        ),
        (
            one("qwen_image", "qwen_2.5_vl_7b_fp8_scaled.safetensors"),
            "qwen_image_layered_bf16",
            "qwen_image_layered",
        ),
        (one("stable_diffusion", "qwen_3_06b_base.safetensors"), "anima-base-v1.0", "anima"),
        (three(), "sd3.5_large_turbo", "sd3"),
        (clips("sd3"), "sd3.5_medium", "sd3"),
        (one("krea2", "qwen3vl_4b_fp8_scaled.safetensors"), "krea2_turbo_fp8_scaled", "krea2"),
        (
            one("flux2", "mistral_3_small_flux2_bf16.safetensors"),
            "flux2_dev_fp8mixed",
            "flux2_dev",
        ),
        (one("flux2", "qwen_3_4b.safetensors"), "flux-2-klein-4b", "flux2_klein_4b"),
        (
            one("flux3", "qwen3vl_4b_int8_convrot.safetensors"),
            "flux3-image-klein-int8-convrot",
            "flux3_klein",
        ),
        (one("flux2", "qwen_3_8b_fp8mixed.safetensors"), "flux-2-klein-9b", "flux2_klein_9b"),
    ],
)
def test_a_clip_loader_s_type_says_whose_prompts_are_read(loader, model, family):
    made = imported(workflow(loader, model=f"{model}.safetensors"))
    assert of_type(made, "models.load_text_encoder").values["family"] == family
    assert not [each.class_type for each in made.report.converted if each.lacks]
    assert made.report.families == []


def test_what_t5_fills_up_is_told_for_sd3():
    made = imported(workflow(three(), model="sd3.5_large.safetensors"))
    assert any("77 tokens there, and to 256 here" in text for text in made.report.differences)


def test_flux_s_guidance_is_the_scale_and_cfg_the_true_scale():
    values = of_type(imported(workflow(two("flux"), 2.5)), "sampling.guidance").values
    assert values == {"scale": 2.5}
    values = of_type(imported(workflow(two("flux"), 2.5, cfg=4.0)), "sampling.guidance").values
    assert values == {"scale": 2.5, "true_scale": 4.0}
    values = of_type(imported(workflow(two("flux"))), "sampling.guidance").values
    assert values == {"scale": 3.5}  # what ComfyUI takes where no node says it


def test_other_families_are_guided_by_cfg():
    loader = one("lumina2", "qwen_3_4b.safetensors")
    values = of_type(imported(workflow(loader, cfg=4.0)), "sampling.guidance").values
    assert values == {"scale": 4.0}


def test_nothing_of_an_import_is_left_to_the_model():
    loader = one("flux2", "qwen_3_4b.safetensors")
    made = imported(workflow(loader, latent="EmptyFlux2LatentImage"))
    noise = of_type(made, "sampling.noise").values
    assert (noise["width"], noise["height"]) == (1024, 768)
    for node in made.document.graph.nodes.values():
        assert AUTO not in node.values.values()
    assert of_type(made, "sampling.schedule").values["steps"] == 20
    assert "name" in of_type(made, "sampling.sampler").values


def test_a_shift_by_the_picture_s_size_is_one_number():
    nodes = workflow(two("flux"))
    nodes["shift"] = {
        "class_type": "ModelSamplingFlux",
        "inputs": {
            "model": ["model", 0], "max_shift": 1.15, "base_shift": 0.5,
            "width": 1024, "height": 1024,
        },
    }  # fmt: skip
    nodes["sample"]["inputs"]["model"] = ["shift", 0]
    made = imported(nodes)
    shift = of_type(made, "models.flow_shift").values["shift"]
    assert shift == pytest.approx(math.exp(1.15), abs=1e-6)


def test_an_edit_with_qwen_image_shows_its_pictures_to_both_networks():
    raw = workflow(one("qwen_image", "qwen_2.5_vl_7b.safetensors"), model="qwen_image_edit_2509")
    for number in (1, 3):
        raw[f"image{number}"] = {"class_type": "LoadImage", "inputs": {"image": f"{number}.png"}}
    shown = {"image1": ["image1", 0], "image3": ["image3", 0], "vae": ["vae", 0]}
    for name, text in (("prompt", "make it night"), ("negative", "")):
        inputs = {"clip": ["clip", 0], "prompt": text, **shown}
        raw[name] = {"class_type": "TextEncodeQwenImageEditPlus", "inputs": inputs}
    raw["shift"] = {
        "class_type": "ModelSamplingAuraFlow", "inputs": {"model": ["model", 0], "shift": 3.0},
    }  # fmt: skip
    raw["norm"] = {"class_type": "CFGNorm", "inputs": {"model": ["shift", 0], "strength": 1.0}}
    raw["sample"]["inputs"]["model"] = ["norm", 0]
    made = imported(raw)
    assert not [each.class_type for each in made.report.converted if each.lacks]
    assert made.report.families == []
    graph = made.document.graph
    asked = [name for name, node in graph.nodes.items() if node.type == "text.instruct"]
    assert sorted(graph.nodes[name].values["text"] for name in asked) == ["", "make it night"]
    for name in asked:
        pictures = [graph.links[Input(name, "images", number)].node for number in (0, 1)]
        assert [graph.nodes[each].values["file"] for each in pictures] == ["1.png", "3.png"]
    assert of_type(made, "sampling.guidance_norm").values["keep"] == "cells"
    assert of_type(made, "models.flow_shift").values["shift"] == 3.0


def test_layers_are_drawn_of_a_picture_and_decoded_without_the_whole():
    raw = workflow(
        one("qwen_image", "qwen_2.5_vl_7b.safetensors"),
        latent="EmptyQwenImageLayeredLatentImage",
        model="qwen_image_layered_bf16",
    )
    raw["size"]["inputs"]["layers"] = 2
    raw["vae"]["inputs"]["vae_name"] = "qwen_image_layered_vae.safetensors"
    raw["image"] = {"class_type": "LoadImage", "inputs": {"image": "1.png"}}
    seen = {"pixels": ["image", 0], "vae": ["vae", 0]}
    raw["seen"] = {"class_type": "VAEEncode", "inputs": seen}
    for name, prompt in (("shown", "prompt"), ("unwanted", "negative")):
        inputs = {"conditioning": [prompt, 0], "latent": ["seen", 0]}
        raw[name] = {"class_type": "ReferenceLatent", "inputs": inputs}
    raw["sample"]["inputs"] |= {"positive": ["shown", 0], "negative": ["unwanted", 0]}
    cut = {"samples": ["sample", 0], "dim": "t", "index": 1, "amount": 16384}
    raw["cut"] = {"class_type": "LatentCut", "inputs": cut}
    apart = {"samples": ["cut", 0], "dim": "t", "slice_size": 1}
    raw["apart"] = {"class_type": "LatentCutToBatch", "inputs": apart}
    raw["decode"]["inputs"]["samples"] = ["apart", 0]
    made = imported(raw)
    assert not [each.class_type for each in made.report.converted if each.lacks]
    assert made.report.families == []
    noise = of_type(made, "sampling.layers_noise").values
    assert noise == {"seed": 3, "width": 1024, "height": 768, "layers": 2}
    graph = made.document.graph
    decode = next(name for name, node in graph.nodes.items() if node.type == "latent.decode")
    loop = graph.links[Input(decode, "latent")].node
    shown = graph.nodes[graph.links[Input(loop, "positive")].node]
    assert (graph.nodes[loop].type, shown.type) == ("sampling.denoise", "text.add_reference")
    raw["cut"]["inputs"]["index"] = 0
    (lacks,) = [each.class_type for each in imported(raw).report.converted if each.lacks][:1]
    assert lacks == "LatentCut"


def test_pictures_without_a_vae_are_said_to_have_no_counterpart():
    raw = workflow(one("qwen_image", "qwen_2.5_vl_7b.safetensors"), model="qwen_image_edit_2509")
    raw["image"] = {"class_type": "LoadImage", "inputs": {"image": "1.png"}}
    inputs = {"clip": ["clip", 0], "prompt": "make it night", "image1": ["image", 0]}
    raw["prompt"] = {"class_type": "TextEncodeQwenImageEditPlus", "inputs": inputs}
    (told,) = [each.lacks for each in imported(raw).report.converted if each.lacks]
    assert "wants the VAE" in str(told)
