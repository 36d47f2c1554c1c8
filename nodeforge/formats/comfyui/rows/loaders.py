"""Models: loading them, what lies over them, how they are run."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from nodeforge.formats.comfyui.link_value import GuidanceWrapper, ImagePromptInputs, LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row, passes_on, single_node
from nodeforge.graph.model import Output
from nodeforge.models import FAMILIES, SPACES, TEXT_ENCODER_KINDS, Family

_TWO_CLIPS = {"clip_l", "clip_g"}
_TWO_ENCODERS = next(
    name for name, each in FAMILIES.items() if {*each.text_encoders.values()} == _TWO_CLIPS
)
"""The family whose two text encoders lie apart; ComfyUI calls it by the same name."""
_THREE_ENCODERS = next(name for name, each in FAMILIES.items() if len(each.text_encoders) == 3)
"""The family that reads with three text encoders."""
_FREEU = ("backbone_1", "backbone_2", "skip_1", "skip_2")
_PREDICTIONS = {"eps": "epsilon", "v_prediction": "v_prediction", "lcm": "epsilon"}


def file_name(name: str) -> str:
    """A model's name as we write it, whatever system the file comes from."""
    return name.replace("\\", "/")


def _load(node: NodeConversion) -> None:
    file = file_name(node.known_value("ckpt_name", ""))
    family = node.workflow.family("checkpoint", file)
    name = node.add("models.load", file=file)
    node.set_outputs(
        LinkValue("MODEL", Output(name, "model"), loader=name),
        LinkValue("CLIP", Output(name, "text_encoder"), family=family),
        LinkValue("VAE", Output(name, "vae")),
    )


def _load_denoiser(node: NodeConversion) -> None:
    file = file_name(node.known_value("unet_name", ""))
    family = node.workflow.family("unet", file)
    alone = not _needs_its_vae(family, file)
    name = node.add("models.load_denoiser" if alone else "models.load", file=file)
    if (held := node.known_value("weight_dtype", "default")) != "default":
        node.report_difference(
            f"The weights were held as {held}; here the settings' precision decides"
        )
    node.set_outputs(LinkValue("MODEL", Output(name, "model"), loader=name))


def _needs_its_vae(family: str, file: str) -> bool:
    """Whether a denoiser cannot be loaded alone: its VAE encodes the silence that it is told.

    Args:
        family: Its family; empty where the file is not here.
        file: What it is called.
    """
    name = _letters_and_digits(PurePosixPath(file).name)
    told = (f for f in FAMILIES.values() if any(each.silence for each in f.conditioners.values()))
    return any(
        each.name == family or name.startswith(tuple(map(_letters_and_digits, each.bases)))
        for each in told
    )


def _load_encoder(node: NodeConversion) -> None:
    file = file_name(node.known_value("clip_name", ""))
    family = _family_of_encoders(str(node.known_value("type", "")), file)
    family = _named_family(node, family) or _family_of_file(file)
    name = node.add("models.load_text_encoder", file=file, family=family or None)
    node.set_outputs(LinkValue("CLIP", Output(name, "text_encoder"), family=family))


def _load_two_encoders(node: NodeConversion) -> None:
    files = [file_name(node.known_value(f"clip_name{number}", "")) for number in (1, 2)]
    kind = str(node.known_value("type", _TWO_ENCODERS))
    family = _TWO_ENCODERS if kind == _TWO_ENCODERS else _family_of_encoders(kind, *files)
    if not family:
        _load_one_of_two(node, kind, files)
        return
    told = None if family == _TWO_ENCODERS else family
    name = node.add("models.load_text_encoder", file=files[0], second=files[1], family=told)
    node.set_outputs(LinkValue("CLIP", Output(name, "text_encoder"), family=family))


def _load_three_encoders(node: NodeConversion) -> None:
    first, second, third = (file_name(node.known_value(f"clip_name{n}", "")) for n in (1, 2, 3))
    name = node.add(
        "models.load_text_encoder", file=first, second=second, third=third, family=_THREE_ENCODERS
    )
    node.set_outputs(LinkValue("CLIP", Output(name, "text_encoder"), family=_THREE_ENCODERS))


def _load_one_of_two(node: NodeConversion, kind: str, files: list[str]) -> None:
    """For a family that reads with one of two files: ComfyUI plans songs with the other."""
    family = FAMILIES.get(_family_of_encoders(kind, files[0]))
    usual = [TEXT_ENCODER_KINDS[each] for each in family.text_encoders.values()] if family else []
    read = [file for file in files for each in usual if _size(file) == _size(each.usual_file)]
    if family is None or not read:
        raise NoCounterpartError(f"loads text encoders for '{kind}', a family that is not here.")
    name = node.add("models.load_text_encoder", file=read[0], family=family.name)
    other = next(file for file in files if file != read[0])
    node.report_difference(f"'{other}' is not read: {family.label} has one text encoder here")
    node.set_outputs(LinkValue("CLIP", Output(name, "text_encoder"), family=family.name))


def _size(file: str) -> str:
    """How large a language model's name says that it is: ``0.6b``; empty where it does not."""
    found = re.search(r"\d+(?:\.\d+)?b(?=[_.-])", file.lower())
    return found[0] if found else ""


def _family_of_encoders(kind: str, *files: str) -> str:
    """The family that reads with as many files of a CLIP loader's type; empty where none does.

    Of several that differ in their encoder's size, the one whose usual file is named like it.
    """
    reading = [
        family
        for family in FAMILIES.values()
        if kind in family.comfyui_clip and _reads_with(family, len(files))
    ]
    for family in reading:
        last = list(family.text_encoders.values())[-1]
        if last.rpartition("_")[2] in files[-1].lower():  # as 8b of qwen3_8b
            return family.name
    return reading[0].name if reading else ""


def _family_of_file(file: str) -> str:
    """The family that a text encoder's name tells, whose type ComfyUI finds out by itself."""
    name = _letters_and_digits(PurePosixPath(file).name)
    usual = {
        family.name: _letters_and_digits(PurePosixPath(each).stem)
        for family in FAMILIES.values()
        for each in family.encoder_files.values()
    }
    return next((family for family, start in usual.items() if name.startswith(start)), "")


def _reads_with(family: Family, count: int) -> bool:
    """Whether a family reads with so many text encoders."""
    most = len(family.text_encoders)
    return most - len(family.optional_encoders) <= count <= most


def _named_family(node: NodeConversion, family: str) -> str:
    """`family`, or another with the same text encoders that the workflow's models are named by."""
    if not family:
        return family
    known = FAMILIES[family]
    alike = [f for f in FAMILIES.values() if f.text_encoders == known.text_encoders]
    alike = [each for each in alike if each.comfyui_clip == known.comfyui_clip]
    files = (PurePosixPath(file_name(name)).name for name in node.workflow.model_names)
    names = [_letters_and_digits(file) for file in files]
    told = [
        (len(begin), each.name)
        for each in alike
        for begin in map(_letters_and_digits, each.bases)
        if any(name.startswith(begin) for name in names)
    ]
    return max(told)[1] if told and len(alike) > 1 else family


def _load_vae(node: NodeConversion) -> None:
    file = file_name(node.known_value("vae_name", ""))
    if file.startswith("tae") or file == "pixel_space":
        raise NoCounterpartError(f"'{file}' is no VAE that is in a file of its own.")
    name = node.add("models.load_vae", file=file)
    node.set_outputs(LinkValue("VAE", Output(name, "vae"), video=_codes_videos(file)))


def _codes_videos(file: str) -> bool:
    """Whether a VAE is named as one of those are that code videos."""
    name = _letters_and_digits(PurePosixPath(file).name)
    spaces = (space for space in SPACES.values() if "T" in space.layout)
    usual = (_letters_and_digits(PurePosixPath(space.usual_file).stem) for space in spaces)
    return name.startswith(tuple(usual))


def _letters_and_digits(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _load_lora(node: NodeConversion) -> None:
    text = node.output("clip")
    name = node.add(
        "models.load_lora",
        model=node.output("model"),
        text_encoder=text,
        file=file_name(node.known_value("lora_name", "")),
        model_weight=node.input_value("strength_model", 1.0),
        text_weight=node.input_value("strength_clip", 1.0) if text else None,
    )
    node.set_outputs(
        node.updated("MODEL", Output(name, "model"), "model"),
        node.updated("CLIP", Output(name, "text_encoder"), "clip"),
    )


def _skip_layers(node: NodeConversion) -> None:
    clip = node.link_value("clip", needed="so there is no text encoder")
    assert clip is not None
    layer = node.known_value("stop_at_clip_layer", -1)
    skip = -layer - (FAMILIES[clip.family].text_layer if clip.family else 1)
    if not clip.family:
        node.report_difference(
            f"CLIP stops at layer {layer}: 'clip skip' of the prompts is {max(skip, 0)}, right for "
            "SD 1.5. SD 2 and SDXL stop a layer earlier by themselves: take one less"
        )
    if skip < 0:
        node.report_difference("The text encoder's very last layer cannot be read for this model")
    node.set_outputs(replace(clip, skip=max(skip, 0)))


def _freeu(node: NodeConversion) -> None:
    given = {
        ours: node.input_value(their, 1.0) for ours, their in zip(_FREEU, _letters(), strict=True)
    }
    name = node.add("models.freeu", model=node.output("model"), **given)
    node.set_outputs(node.updated("MODEL", Output(name, "model"), "model"))


def _letters() -> tuple[str, ...]:
    return ("b1", "b2", "s1", "s2")


def _model(node: NodeConversion) -> LinkValue:
    found = node.link_value("model", needed="so there is no model")
    assert found is not None
    return found


def _rescale(node: NodeConversion) -> None:
    node.set_outputs(replace(_model(node), rescale=node.known_value("multiplier", 0.7)))


def _perturbed(node: NodeConversion) -> None:
    wrap = GuidanceWrapper(
        "sampling.perturbed_attention", {"scale": node.known_value("scale", 3.0)}
    )
    model = _model(node)
    node.set_outputs(replace(model, guidance_wrappers=(*model.guidance_wrappers, wrap)))


def _norm(node: NodeConversion) -> None:
    model = _model(node)
    if (strength := node.known_value("strength", 1.0)) != 1:
        node.report_difference(
            f"The kept length was multiplied by {strength:g}; here it is the prompt's own"
        )
    wrap = GuidanceWrapper("sampling.guidance_norm", {"keep": "cells"})
    node.set_outputs(replace(model, guidance_wrappers=(*model.guidance_wrappers, wrap)))


def _discrete(node: NodeConversion) -> None:
    model, sampling = _model(node), node.known_value("sampling", "eps")
    if sampling not in _PREDICTIONS or not model.loader:
        raise NoCounterpartError(f"sets a model to '{sampling}', which is not possible here.")
    if sampling == "lcm":
        node.report_difference(
            "An LCM has 50 timesteps there, and its estimate is mixed with the latent (c_skip, "
            "c_out); here it is a model of 1000 timesteps that predicts epsilon"
        )
    zero = node.known_value("zsnr", False)
    _set_loader(node, model, prediction=_PREDICTIONS[sampling], zero_snr="yes" if zero else "no")
    if zero and sampling != "v_prediction":
        node.report_difference(
            "Zero terminal SNR is refused here for a model that does not predict v"
        )
    node.set_outputs(model)


def _shift_by_size(node: NodeConversion) -> None:
    """The exponent lies on a line through 256 and 4096 tokens of 16 × 16 pixels."""
    high, low = node.known_value("max_shift", 1.15), node.known_value("base_shift", 0.5)
    tokens = node.known_value("width", 1024) * node.known_value("height", 1024) / 256
    slope = (high - low) / (4096 - 256)
    shift = round(math.exp(tokens * slope + low - slope * 256), 6)
    name = node.add("models.flow_shift", model=node.output("model"), shift=shift)
    node.set_outputs(node.updated("MODEL", Output(name, "model"), "model"))


def _differential(node: NodeConversion) -> None:
    if node.known_value("strength", 1.0) != 1.0:
        node.report_difference("Differential diffusion has its full strength here")
    node.set_outputs(replace(_model(node), differential=True))


def _set_loader(node: NodeConversion, model: LinkValue, **values: Any) -> None:
    node.workflow.document.graph.nodes[model.loader].values.update(values)
    if model.loader in node.workflow.shared:
        node.report_difference(
            "What the model predicts is set where it is loaded, so also for the others that use it"
        )


def _ip_adapter(node: NodeConversion) -> None:
    """An IP-Adapter lies on the model there, and on the prompt here."""
    model, eyes = _model(node), node.output("clip_vision")
    adapter, image = node.output("ipadapter"), node.output("image")
    if eyes is None or adapter is None or image is None:
        raise NoCounterpartError("nothing feeds its adapter, its picture or its image encoder.")
    if node.link_value("attn_mask") or node.link_value("image_negative"):
        node.report_difference("The IP-Adapter has no mask and no negative picture here")
    if (how := node.known_value("weight_type", "linear")) not in ("linear", "original"):
        node.report_difference(
            f"The IP-Adapter's weight is the same in all layers here, not '{how}'"
        )
    inputs = {
        "ip_adapter": adapter,
        "image_encoder": eyes,
        "image": image,
        "strength": node.input_value("weight", 1.0),
        "start": node.input_value("start_at", 0.0),
        "end": node.input_value("end_at", 1.0),
    }
    node.set_outputs(
        replace(
            model, image_prompts=(*model.image_prompts, ImagePromptInputs(tuple(inputs.items())))
        )
    )


_MODEL = {"model": "model"}
_SHIFT: dict[str, Any] = {"values": {"shift": ("shift", 3.0)}}

ROWS = (
    Row(
        "CheckpointLoaderSimple",
        "Load Checkpoint",
        ("ckpt_name",),
        ("MODEL", "CLIP", "VAE"),
        ("models.load",),
        _load,
    ),
    Row(
        "CheckpointLoader",
        "Load Checkpoint With Config (DEPRECATED)",
        ("config_name", "ckpt_name"),
        ("MODEL", "CLIP", "VAE"),
        ("models.load",),
        _load,
        "The configuration is read from the file.",
    ),
    Row(
        "UNETLoader",
        "Load Diffusion Model",
        ("unet_name", "weight_dtype"),
        ("MODEL",),
        ("models.load_denoiser", "models.load"),
        _load_denoiser,
    ),
    Row(
        "CLIPLoader",
        "Load CLIP",
        ("clip_name", "type", "device"),
        ("CLIP",),
        ("models.load_text_encoder",),
        _load_encoder,
        "Its type is the family that prompts are read for.",
    ),
    Row(
        "DualCLIPLoader",
        "DualCLIPLoader",
        ("clip_name1", "clip_name2", "type", "device"),
        ("CLIP",),
        ("models.load_text_encoder",),
        _load_two_encoders,
        "Its type is the family that prompts are read for.",
    ),
    Row(
        "TripleCLIPLoader",
        "TripleCLIPLoader",
        ("clip_name1", "clip_name2", "clip_name3"),
        ("CLIP",),
        ("models.load_text_encoder",),
        _load_three_encoders,
        "For SD 3.",
    ),
    Row("VAELoader", "Load VAE", ("vae_name",), ("VAE",), ("models.load_vae",), _load_vae),
    Row(
        "LoraLoader",
        "Load LoRA",
        ("lora_name", "strength_model", "strength_clip"),
        ("MODEL", "CLIP"),
        ("models.load_lora",),
        _load_lora,
    ),
    Row(
        "LoraLoaderModelOnly",
        "LoraLoaderModelOnly",
        ("lora_name", "strength_model"),
        ("MODEL",),
        ("models.load_lora",),
        _load_lora,
    ),
    Row(
        "CLIPSetLastLayer",
        "CLIP Set Last Layer",
        ("stop_at_clip_layer",),
        ("CLIP",),
        (),
        _skip_layers,
        "*clip skip* of the prompts that it feeds.",
        virtual=True,
    ),
    Row(
        "FreeU",
        "FreeU",
        _letters(),
        ("MODEL",),
        ("models.freeu",),
        _freeu,
        difference="FreeU goes by a block's channels there, and by its place here, as in diffusers",
    ),
    Row(
        "FreeU_V2",
        "FreeU_V2",
        _letters(),
        ("MODEL",),
        ("models.freeu",),
        _freeu,
        difference="FreeU V2 also weighs by the features' mean; here it is the first version",
    ),
    Row(
        "RescaleCFG",
        "RescaleCFG",
        ("multiplier",),
        ("MODEL",),
        (),
        _rescale,
        "*rescale* of the guidance.",
        virtual=True,
    ),
    Row(
        "PerturbedAttentionGuidance",
        "PerturbedAttentionGuidance",
        ("scale",),
        ("MODEL",),
        ("sampling.perturbed_attention",),
        _perturbed,
        "It lies around the guidance, not around the model.",
        virtual=True,
    ),
    Row(
        "CFGNorm",
        "CFGNorm",
        ("strength",),
        ("MODEL",),
        ("sampling.guidance_norm",),
        _norm,
        "It lies around the guidance, not around the model.",
        virtual=True,
    ),
    Row(
        "ModelSamplingDiscrete",
        "ModelSamplingDiscrete",
        ("sampling", "zsnr"),
        ("MODEL",),
        (),
        _discrete,
        "*prediction* and *zero SNR* where the model is loaded.",
        virtual=True,
    ),
    Row(
        "DifferentialDiffusion",
        "Differential Diffusion",
        ("strength",),
        ("MODEL",),
        (),
        _differential,
        "What the denoise loop does with a grey mask.",
        virtual=True,
    ),
    passes_on(
        "ModelAttentionBackend",
        "Model Attention Backend",
        {"model": "MODEL"},
        widgets="backend",
        remark="The settings choose the attention's kernel here.",
    ),
    passes_on(
        "QwenImage21Cache",
        "QwenImage21Cache",
        {"model": "MODEL"},
        widgets="device dtype",
        remark="Keys and values of words and references are made anew in each step here.",
    ),
    passes_on(
        "TorchCompileModel",
        "TorchCompileModel",
        {"model": "MODEL"},
        widgets="backend",
        remark="The settings choose whether blocks are compiled here.",
    ),
    single_node(
        "ModelSamplingSD3", "ModelSamplingSD3", "models.flow_shift", _MODEL, "MODEL:model", **_SHIFT
    ),
    single_node(
        "ModelSamplingAuraFlow",
        "ModelSamplingAuraFlow",
        "models.flow_shift",
        _MODEL,
        "MODEL:model",
        values={"shift": ("shift", 1.73)},
    ),
    Row(
        "ModelSamplingFlux",
        "ModelSamplingFlux",
        ("max_shift", "base_shift", "width", "height"),
        ("MODEL",),
        ("models.flow_shift",),
        _shift_by_size,
        "The shift that its numbers come to.",
    ),
    single_node(
        "ControlNetLoader",
        "Load ControlNet Model",
        "control.load",
        {},
        "CONTROL_NET:controlnet",
        values={"file": ("control_net_name", "")},
        changes={"file": file_name},
        remark="A T2I-Adapter takes *Load T2I-Adapter* here; the linter says where.",
    ),
    single_node(
        "DiffControlNetLoader",
        "Load ControlNet Model (diff)",
        "control.load",
        {},
        "CONTROL_NET:controlnet",
        values={"file": ("control_net_name", "")},
        changes={"file": file_name},
        differs="A ControlNet of differences is added to its own base model there, if it is one",
    ),
    single_node(
        "CLIPVisionLoader",
        "Load CLIP Vision",
        "control.load_image_encoder",
        {},
        "CLIP_VISION:image_encoder",
        values={"file": ("clip_name", "")},
        changes={"file": file_name},
    ),
    single_node(
        "IPAdapterModelLoader",
        "IPAdapter Model Loader",
        "control.load_ip_adapter",
        {},
        "IPADAPTER:ip_adapter",
        values={"file": ("ipadapter_file", "")},
        changes={"file": file_name},
        remark="Of the pack ComfyUI_IPAdapter_plus.",
    ),
    Row(
        "IPAdapterAdvanced",
        "IPAdapter Advanced",
        (
            *("weight", "weight_type", "combine_embeds", "start_at", "end_at"),
            "embeds_scaling",
        ),
        ("MODEL",),
        ("control.apply_ip_adapter",),
        _ip_adapter,
        "Of the same pack. It lies on the prompt, not on the model.",
        virtual=True,
    ),
)
