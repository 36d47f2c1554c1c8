"""Families of models that ComfyUI's workflows use, and which of them NodeForge runs.

A workflow does not say its family. It is told by the names that models' files are published under;
where these tell nothing, by the type of a CLIP loader, then by classes of nodes, as families use
each other's. What is found is a hint for the report, nothing else goes by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nodeforge.formats.comfyui.comfy_graph import ComfyNode


@dataclass(frozen=True)
class ComfyFamily:
    """A family of models.

    Args:
        label: Its name.
        files: A pattern that its models' file names begin with, in lower case, ``-`` and ``.``
            being ``_``; empty where none is known.
        clip: Types of CLIP loaders that it uses.
        classes: A pattern of node classes that it uses; empty where there is none.
        is_run: NodeForge runs it.
        lacks: Why nodes of its classes have no counterpart; empty says nothing.
    """

    label: str
    files: str = ""
    clip: tuple[str, ...] = ()
    classes: str = ""
    is_run: bool = False
    lacks: str = ""


FAMILIES: tuple[ComfyFamily, ...] = (
    ComfyFamily("Stable Diffusion", "sd_?(v?1|v?2|xl)|v1_5|v2_1", is_run=True),
    ComfyFamily("SD 3", "sd_?3|stable_diffusion_3", is_run=True),
    ComfyFamily("Flux.1", "flux_?1|flux1", ("flux",), "FluxGuidance", is_run=True),
    ComfyFamily("Flux.1 Kontext", classes="FluxKontext.*", is_run=True),
    ComfyFamily("Flux.2 klein", "flux_?2_klein", is_run=True),
    ComfyFamily(
        "Flux.2 dev",
        "flux_?2",
        ("flux2",),
        "EmptyFlux2LatentImage|Flux2Scheduler",
        is_run=True,
    ),
    ComfyFamily("Flux.3 klein", "flux_?3_(image_)?klein", ("flux3",), is_run=True),
    ComfyFamily("Flux.3", "flux_?3"),
    ComfyFamily(
        "Qwen-Image 2.1",
        r"qwen_image_2_?1(?!\d)",
        classes="TextEncodeQwenImage21|QwenImage21Cache",
        is_run=True,
    ),
    ComfyFamily(
        "Qwen-Image Layered",
        "qwen_image_layer",
        classes="EmptyQwenImageLayered.*",
        is_run=True,
    ),
    ComfyFamily(
        "Qwen-Image",
        "qwen_image|firered_image",
        classes="TextEncodeQwenImage.*",
        is_run=True,
    ),
    ComfyFamily("Z-Image", "z_?image", is_run=True),
    ComfyFamily("Lumina 2", "lumina|netayume"),
    ComfyFamily("Lumina 2 or Z-Image", clip=("lumina2",), classes="CLIPTextEncodeLumina2"),
    ComfyFamily("HiDream", "hidream", ("hidream",), ".*HiDream.*"),
    ComfyFamily("Chroma", "chroma_?", classes=".*Chroma.*", is_run=True),
    ComfyFamily("AuraFlow", "aura_?flow"),
    ComfyFamily("PixArt", "pixart", ("pixart",), ".*PixArt.*"),
    ComfyFamily("Stable Cascade", "stable_cascade", ("stable_cascade",), "StableCascade_.*"),
    ComfyFamily("OmniGen 2", "omnigen", ("omnigen2",)),
    ComfyFamily("Anima", "anima_", is_run=True),
    ComfyFamily("Krea 2", "krea_?2", is_run=True),
    ComfyFamily("Ovis-Image", "ovis", ("ovis",)),
    ComfyFamily("LongCat-Image", "longcat", ("longcat_image",)),
    ComfyFamily("NewBie", "newbie", ("newbie",)),
    ComfyFamily("MOSS-Image", "moss_image", ("moss_image",)),
    ComfyFamily("Mage-Flow", "mage_flow", ("mage",)),
    ComfyFamily("Boogu", "boogu", ("boogu",)),
    ComfyFamily("Ideogram 4", "ideogram", ("ideogram4",)),
    ComfyFamily("FIBO", "fibo", ("fibo2",)),
    ComfyFamily("Lens", "lens_", ("lens",)),
    ComfyFamily("PixelDiT", "pixeldit", ("pixeldit",)),
    ComfyFamily("JoyImage", "joyai_image|joyimage", ("joyimage",)),
    ComfyFamily("ERNIE-Image", "ernie_image"),
    ComfyFamily("Ming-Image", "ming_image"),
    ComfyFamily("Capybara", "capybara"),
    ComfyFamily("Kandinsky 5", "kandinsky", ("kandinsky5", "kandinsky5_image")),
    ComfyFamily("Cosmos", "cosmos", ("cosmos",), "Cosmos.*"),
    ComfyFamily(
        "Wan VACE",
        r"wan_?\d.*vace",
        classes="WanVace.*|TrimVideoLatent",
        lacks="is of Wan VACE, whose control videos and masks no model here reads yet.",
    ),
    ComfyFamily(
        "Wan from a picture or a control",
        r"wan_?\d.*_(i2v|flf2v|fun|s2v|ati|animate|camera|scail\d*|dancer|infinitetalk)(_|$)"
        "|wan_?(animate|move|dancer)|chrono_edit|humo_",
        classes="(?!WanVace).*Wan.*To(Image|Video).*|WanCamera.*|WanMove.*",
        lacks="is of Wan's models that start from pictures or controls; text to video runs here.",
    ),
    ComfyFamily("Wan", r"wan_?\d", ("wan",), is_run=True),
    ComfyFamily(
        "LTX-Video",
        "ltx",
        ("ltxv",),
        "(Empty)?LTX.*|TextGenerateLTX.*",
        lacks="is of LTX-Video, a family that NodeForge does not run yet.",
    ),
    ComfyFamily(
        "Hunyuan Video",
        "hunyuan_?video",
        ("hunyuan_video", "hunyuan_video_15", "hunyuan_image"),
        "EmptyHunyuanVideo.*|EmptyHunyuanImageLatent|HunyuanVideo.*",
    ),
    ComfyFamily("Hunyuan3D", "hunyuan_?3d", classes=".*Hunyuan3D.*"),
    ComfyFamily("Mochi", "mochi", ("mochi",), "EmptyMochiLatentVideo"),
    ComfyFamily("CogVideoX", "cogvideo", ("cogvideox",)),
    ComfyFamily("MiniMax", "minimax_h|fastvideo_fasth3|fasth3", ("minimax",)),
    ComfyFamily("SeedVR2", "seedvr2"),
    ComfyFamily("Stable Video Diffusion", "svd(_|$)", classes="SVD_img2vid_Conditioning"),
    ComfyFamily("Stable Audio 3", "stable_audio_3"),
    ComfyFamily("Stable Audio Open", "stable_audio_", is_run=True),
    ComfyFamily("ACE-Step 1", "ace_?step_v1_3"),
    ComfyFamily(
        "ACE-Step 1.5", "ace_?step", ("ace",), ".*AceStep.*|ReferenceTimbreAudio", is_run=True
    ),
    ComfyFamily(
        "That of the model (SD 3, Qwen-Image, Z-Image or another with their latents)",
        classes="EmptySD3LatentImage|ModelSamplingAuraFlow|ModelSamplingFlux",
    ),
)
"""To run a family, set its `is_run`."""

_LACKS = {
    "SplitAudioChannels|JoinAudioChannels": "takes a sound's channels apart or puts them together, "
    "which no node of ours does.",
    "RecordAudio": "records a sound; load a recorded file with 'Load audio'.",
    "AudioEqualizer3Band": "changes a sound's tone, which no node of ours does.",
    "AudioEncoder(Loader|Encode)": "gives a sound to a model as a condition, and no model here "
    "reads one.",
}
"""Patterns of classes without a counterpart that no family tells, and why."""

_LOADERS = ("CheckpointLoader", "UNETLoader", "UnetLoader", "ImageOnlyCheckpointLoader")


def families_not_run(nodes: Iterable[ComfyNode], *, recognised: bool = False) -> list[str]:
    """The names of the families that take part in a workflow and that NodeForge does not run.

    Args:
        nodes: Those of the workflow.
        recognised: A model of a family that is run is here, so classes of nodes tell nothing.
    """
    active = [node for node in nodes if node.is_active]
    found = [family for node in active for family in _by_files(node)]
    found = found or [family for node in active for family in _by_clip_types(node)]
    if not found and not recognised:
        found = [family for node in active for family in _by_class(node)]
        specific = [family for family in found if family is not FAMILIES[-1]]
        found = specific or found
    return list(dict.fromkeys(family.label for family in found if not family.is_run))


def why_not_run(class_type: str) -> str:
    """Why a class has no counterpart, as a sentence."""
    known = (each for each in FAMILIES if each.lacks and re.fullmatch(each.classes, class_type))
    found = next(known, None)
    if found is not None:
        return found.lacks
    told = (why for classes, why in _LACKS.items() if re.fullmatch(classes, class_type))
    return next(told, "is of a class that has no counterpart here.")


def _texts(node: ComfyNode) -> set[str]:
    return {v for v in [*node.values.values(), *node.unnamed_values] if type(v) is str}


def _by_files(node: ComfyNode) -> Iterator[ComfyFamily]:
    if node.class_type.startswith(_LOADERS):
        yield from filter(None, map(_of_file, sorted(_texts(node))))


def _by_clip_types(node: ComfyNode) -> Iterator[ComfyFamily]:
    if "CLIPLoader" in node.class_type:
        texts = _texts(node)
        yield from (family for family in FAMILIES if not texts.isdisjoint(family.clip))


def _by_class(node: ComfyNode) -> Iterator[ComfyFamily]:
    for family in FAMILIES:
        if family.classes and re.fullmatch(family.classes, node.class_type):
            yield family


def _of_file(name: str) -> ComfyFamily | None:
    """The family that a model's file name tells."""
    stem = re.sub(r"[-. ]", "_", name.replace("\\", "/").rpartition("/")[2].lower())
    known = (family for family in FAMILIES if family.files and re.match(family.files, stem))
    return next(known, None)
