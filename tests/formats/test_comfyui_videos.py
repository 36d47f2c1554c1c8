"""ComfyUI's workflows of video models, as the official templates wire them."""

from __future__ import annotations

from typing import Any

import pytest

from nodeforge.formats.comfyui import Imported, convert, from_json
from nodeforge.graph.model import Input, Node, Output
from nodeforge.spec import Catalogue
from support.comfyui import WorkflowBuilder, sampler_values, text_to_image

CATALOGUE = Catalogue.shipped()
SIZE = {"width": 832, "height": 480, "length": 33, "batch_size": 1}
PART = {"noise_seed": 5, "control": "fixed", "steps": 4, "cfg": 1.0, "sampler_name": "euler"}
PART |= {"scheduler": "simple"}


def imported(workflow: WorkflowBuilder) -> Imported:
    made = convert(from_json(workflow.ui()), CATALOGUE)
    assert made.document.graph == convert(from_json(workflow.api()), CATALOGUE).document.graph
    return made


def one(made: Imported, kind: str) -> tuple[str, Node]:
    """The only node of a type."""
    found = [(name, node) for name, node in made.document.graph.nodes.items() if node.type == kind]
    assert len(found) == 1, [node.type for node in made.document.graph.nodes.values()]
    return found[0]


def fed(made: Imported, name: str, port: str) -> str:
    """The type of what feeds an input."""
    start = made.document.graph.links[Input(name, port)]
    return made.document.graph.nodes[start.node].type


class Wan(WorkflowBuilder):
    """Text to video: loaders and prompts."""

    def __init__(self, model: str = "wan2.1_t2v_1.3B_fp16", vae: str = "wan_2.1_vae") -> None:
        super().__init__()
        name = {"unet_name": f"{model}.safetensors", "weight_dtype": "default"}
        self.model = self.add("UNETLoader", name)
        clip = self.add("CLIPLoader", {"clip_name": "umt5_xxl.safetensors", "type": "wan"})
        self.vae = self.add("VAELoader", {"vae_name": f"{vae}.safetensors"})
        texts = ("a fox", "blurred")
        prompts = [self.add("CLIPTextEncode", {"text": text}, clip=(clip, 0)) for text in texts]
        self.prompts = {"positive": (prompts[0], 0), "negative": (prompts[1], 0)}

    def sampled(self, latent: int, model: int = 0) -> int:
        parts: dict[str, Any] = {"model": (model or self.model, 0), "latent_image": (latent, 0)}
        return self.add("KSampler", sampler_values(), **parts, **self.prompts)

    def saved(self, latent: int, fps: float = 16.0, decode: str = "VAEDecode") -> int:
        decoded = self.add(decode, samples=(latent, 0), vae=(self.vae, 0))
        video = self.add("CreateVideo", {"fps": fps}, images=(decoded, 0))
        values = {"filename_prefix": "video/fox", "format": "auto", "codec": "auto"}
        return self.add("SaveVideo", values, video=(video, 0))


@pytest.mark.parametrize(("length", "frames"), [(33, 33), (81, 81), (80, 77), (1, 1), (0, 1)])
def test_an_empty_video_is_video_noise_of_frames_that_can_be_coded(length: int, frames: int):
    workflow = Wan()
    latent = workflow.add("EmptyHunyuanLatentVideo", SIZE | {"length": length})
    workflow.saved(workflow.sampled(latent))
    made = imported(workflow)
    assert made.report.missing == []
    assert made.report.families == []
    assert one(made, "sampling.video_noise")[1].values == {
        "seed": 5, "width": 832, "height": 480, "frames": frames,
    }  # fmt: skip


@pytest.mark.parametrize("decode", ["VAEDecode", "VAEDecodeTiled"])
def test_what_is_decoded_and_saved_stays_a_video(decode: str):
    workflow = Wan()
    latent = workflow.add("EmptyHunyuanLatentVideo", SIZE)
    workflow.saved(workflow.sampled(latent), 16.0, decode)
    made = imported(workflow)
    name, decoded = one(made, "latent.decode_video")
    assert decoded.values == {"rate": 16.0} | ({"tiled": True} if "Tiled" in decode else {})
    save, _ = one(made, "video.save")
    assert made.document.graph.links[Input(save, "video")] == Output(name, "video")
    assert not any(n.type == "video.to_images" for n in made.document.graph.nodes.values())


def test_pictures_of_a_decoded_video_are_made_where_a_node_asks():
    workflow = Wan()
    sampled = workflow.sampled(workflow.add("EmptyHunyuanLatentVideo", SIZE))
    decoded = workflow.add("VAEDecode", samples=(sampled, 0), vae=(workflow.vae, 0))
    for prefix in ("one", "two"):
        workflow.add("SaveImage", {"filename_prefix": prefix}, images=(decoded, 0))
    made = imported(workflow)
    name, _ = one(made, "video.to_images")
    assert fed(made, name, "video") == "latent.decode_video"
    of = next(each for each in made.report.converted if each.class_type == "VAEDecode")
    assert name in of.nodes


def test_two_rates_of_one_video_are_both_kept():
    workflow = Wan()
    sampled = workflow.sampled(workflow.add("EmptyHunyuanLatentVideo", SIZE))
    decoded = workflow.add("VAEDecode", samples=(sampled, 0), vae=(workflow.vae, 0))
    saved = {"filename_prefix": "x", "codec": "vp9", "fps": 0.0, "crf": 32}
    for fps in (16.0, 24.0):
        workflow.add("SaveWEBM", saved | {"fps": fps}, images=(decoded, 0))
    made = imported(workflow)
    assert one(made, "latent.decode_video")[1].values["rate"] == 16.0
    assert one(made, "video.from_images")[1].values["rate"] == 24.0


@pytest.mark.parametrize(
    ("model", "vae", "family"),
    [
        ("wan2.1_t2v_1.3B_fp16", "wan_2.1_vae", "wan21"),
        ("Wan2_1-T2V-14B_fp8_e4m3fn", "wan_2.1_vae", "wan21"),
        ("wan2.2_ti2v_5B_fp16", "wan2.2_vae", "wan22_5b"),
        ("Wan2_2-TI2V-5B_fp8", "Wan2_2_VAE_bf16", "wan22_5b"),
        ("someone_s_merge", "wan_2.1_vae", "wan21"),
    ],
)
def test_the_text_encoder_reads_for_the_family_that_the_model_is_named_by(model, vae, family):
    workflow = Wan(model, vae)
    workflow.saved(workflow.sampled(workflow.add("Wan22ImageToVideoLatent", SIZE)))
    made = imported(workflow)
    assert one(made, "models.load_text_encoder")[1].values["family"] == family


@pytest.mark.parametrize("mode", [0, 2, 4])
def test_a_video_that_begins_with_a_picture_is_not_run(mode: int):
    workflow = Wan("wan2.2_ti2v_5B_fp16", "wan2.2_vae")
    picture = workflow.add("LoadImage", {"image": "fox.png", "upload": "image"}, mode=mode)
    latent = workflow.add("Wan22ImageToVideoLatent", SIZE, start_image=(picture, 0))
    workflow.saved(workflow.sampled(latent))
    missing = convert(from_json(workflow.ui()), CATALOGUE).report.missing
    assert [each.class_type for each in missing] == ([] if mode else ["Wan22ImageToVideoLatent"])
    assert all("begins with a picture" in each.missing for each in missing)


def test_two_experts_are_two_loops_with_their_shifts():
    workflow = Wan("wan2.2_t2v_high_noise_14B_fp8_scaled")
    low = workflow.add(
        "UNETLoader", {"unet_name": "wan2.2_t2v_low_noise_14B.st", "weight_dtype": "default"}
    )
    experts = [
        workflow.add("ModelSamplingSD3", {"shift": 5.0}, model=(each, 0))
        for each in (workflow.model, low)
    ]
    latent = workflow.add("EmptyHunyuanLatentVideo", SIZE)
    ranges = (("enable", 0, 2, "enable"), ("disable", 2, 10000, "disable"))
    for expert, (noise, start, stop, rest) in zip(experts, ranges, strict=True):
        values = {"add_noise": noise, **PART, "start_at_step": start, "end_at_step": stop}
        values |= {"return_with_leftover_noise": rest}
        links: dict[str, Any] = {"model": (expert, 0), "latent_image": (latent, 0)}
        latent = workflow.add("KSamplerAdvanced", values, **links, **workflow.prompts)
    workflow.saved(latent)
    made = imported(workflow)
    graph = made.document.graph
    second, _ = next(
        (name, node)
        for name, node in graph.nodes.items()
        if node.type == "sampling.denoise" and Input(name, "latent") in graph.links
    )
    assert fed(made, second, "latent") == "sampling.denoise"
    assert fed(made, second, "model") == "models.flow_shift"
    assert Input(second, "noise") not in graph.links
    assert graph.nodes[second].values == {"start_at": 2}
    one(made, "sampling.video_noise")
    one(made, "latent.decode_video")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("WanImageToVideo", "start from pictures or controls"),
        ("WanFirstLastFrameToVideo", "start from pictures or controls"),
        ("Wan22FunControlToVideo", "start from pictures or controls"),
        ("WanVaceToVideo", "Wan VACE"),
        ("TrimVideoLatent", "Wan VACE"),
        ("EmptyLTXVLatentVideo", "LTX-Video"),
        ("LTXVConditioning", "LTX-Video"),
        ("NobodyKnowsThis", "is of a class that has no counterpart here."),
    ],
)
def test_what_is_not_run_says_why(kind: str, words: str):
    workflow = Wan()
    made = workflow.add(kind, **workflow.prompts)
    workflow.saved(workflow.sampled(made))
    missing = convert(from_json(workflow.ui()), CATALOGUE).report.missing
    assert words in next(each for each in missing if each.class_type == kind).missing


def test_a_video_is_encoded_by_the_vae_of_a_video_model():
    workflow = Wan()
    video = workflow.add("LoadVideo", {"file": "clip.mp4", "upload": "image"})
    parts = workflow.add("GetVideoComponents", video=(video, 0))
    encoded = workflow.add("VAEEncode", pixels=(parts, 0), vae=(workflow.vae, 0))
    workflow.saved(workflow.sampled(encoded))
    made = imported(workflow)
    one(made, "latent.encode_video")
    one(made, "latent.decode_video")
    one(made, "sampling.video_noise")


def animated(batch: int = 16, context: int = 0, gen: int = 2, **latent: Any) -> WorkflowBuilder:
    """Text to image with a motion module on the model, saved by VideoHelperSuite."""
    workflow = text_to_image("v1-5-pruned-emaonly.safetensors")
    links: dict[str, Any] = {"model": (1, 0)}
    pan = workflow.add("ADE_AnimateDiffLoRALoader", {"name": "v2_pan.st", "strength": 0.8})
    if context:
        told = {"context_length": context, "context_stride": 1, "context_overlap": 4}
        windows = workflow.add("ADE_StandardUniformContextOptions", told)
        links["context_options"] = (windows, 0)
    if gen == 2:
        module = workflow.add("ADE_LoadAnimateDiffModel", {"model_name": "mm_v2.st"})
        own: dict[str, Any] = {"motion_model": (module, 0), "motion_lora": (pan, 0)}
        links["m_models"] = (workflow.add("ADE_ApplyAnimateDiffModelSimple", **own), 0)
        model = workflow.add("ADE_UseEvolvedSampling", {"beta_schedule": "autoselect"}, **links)
    else:
        values = {"model_name": "mm_v2.st", "beta_schedule": "autoselect"}
        links["motion_lora"] = (pan, 0)
        model = workflow.add("ADE_AnimateDiffLoaderGen1", values, **links)
    sampler = workflow.nodes[4]
    sampler.links["model"] = (model, 0)
    workflow.nodes[3].values["batch_size"] = batch
    combine = {"frame_rate": 8, "loop_count": 0, "filename_prefix": "x", "format": "image/gif"}
    workflow.add("VHS_VideoCombine", combine, images=(6, 0))
    workflow.nodes = [n for n in workflow.nodes if n.class_type != "SaveImage"]
    return workflow


@pytest.mark.parametrize("gen", [1, 2])
def test_a_batch_is_the_frames_of_a_motion_module(gen: int):
    made = imported(animated(gen=gen))
    assert made.report.missing == []
    module, held = one(made, "models.load_motion_module")
    assert held.values == {"file": "mm_v2.st", "context": 16, "overlap": 4}
    lora, values = one(made, "models.load_lora")
    assert values.values == {"file": "v2_pan.st", "model_weight": 0.8}
    assert made.document.graph.links[Input(lora, "model")] == Output(module, "model")
    denoise, _ = one(made, "sampling.denoise")
    assert made.document.graph.links[Input(denoise, "model")] == Output(lora, "model")
    assert one(made, "sampling.video_noise")[1].values["frames"] == 16
    assert one(made, "latent.decode_video")[1].values == {"rate": 8}


@pytest.mark.parametrize(
    ("batch", "context", "window"), [(48, 16, 16), (8, 0, 8), (24, 0, 24), (48, 0, 32)]
)
def test_windows_are_the_context_options_or_the_whole_clip(batch: int, context: int, window: int):
    made = imported(animated(batch, context))
    assert one(made, "models.load_motion_module")[1].values["context"] == window
    assert one(made, "sampling.video_noise")[1].values["frames"] == batch


def test_encoded_pictures_are_frames_for_a_motion_module():
    workflow = animated()
    frames = {"video": "clip.mp4", "force_rate": 8}
    loaded = workflow.add("VHS_LoadVideo", frames)
    encoded = workflow.add("VAEEncode", pixels=(loaded, 0), vae=(1, 2))
    workflow.nodes[4].links["latent_image"] = (encoded, 0)
    made = convert(from_json(workflow.api()), CATALOGUE)
    name, _ = one(made, "latent.encode_video")
    assert fed(made, name, "video") == "video.load"
    assert fed(made, one(made, "sampling.denoise")[0], "latent") == "latent.encode_video"
