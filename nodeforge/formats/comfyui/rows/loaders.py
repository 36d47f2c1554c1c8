"""Models: loading them, what lies over them, how they are run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nodeforge.formats.comfyui.making import Making, NoCounterpartError
from nodeforge.formats.comfyui.row import Row, one
from nodeforge.formats.comfyui.signals import Look, Signal, Wrap
from nodeforge.graph.model import Output
from nodeforge.models import FAMILIES

_TWO_ENCODERS = next(name for name, each in FAMILIES.items() if len(each.text_encoders) > 1)
"""The family whose two text encoders lie apart; ComfyUI calls it by the same name."""
_FREEU = ("backbone_1", "backbone_2", "skip_1", "skip_2")
_PREDICTIONS = {"eps": "epsilon", "v_prediction": "v_prediction", "lcm": "epsilon"}


def _file(name: str) -> str:
    """A model's name as we write it, whatever system the file comes from."""
    return name.replace("\\", "/")


def _load(making: Making) -> None:
    file = _file(making.value("ckpt_name", ""))
    family = making.world.family("checkpoint", file)
    name = making.add("models.load", file=file)
    making.give(
        Signal("MODEL", Output(name, "model"), loader=name),
        Signal("CLIP", Output(name, "text_encoder"), family=family),
        Signal("VAE", Output(name, "vae")),
    )


def _load_denoiser(making: Making) -> None:
    name = making.add("models.load_denoiser", file=_file(making.value("unet_name", "")))
    if (held := making.value("weight_dtype", "default")) != "default":
        making.differ(f"The weights were held as {held}; here the settings' precision decides")
    making.give(Signal("MODEL", Output(name, "model"), loader=name))


def _load_two_encoders(making: Making) -> None:
    files = [_file(making.value(f"clip_name{number}", "")) for number in (1, 2)]
    if (kind := making.value("type", _TWO_ENCODERS)) != _TWO_ENCODERS:
        raise NoCounterpartError(f"loads text encoders for '{kind}', a family that is not here.")
    name = making.add("models.load_text_encoder", file=files[0], second=files[1])
    making.give(Signal("CLIP", Output(name, "text_encoder"), family=_TWO_ENCODERS))


def _load_vae(making: Making) -> None:
    file = _file(making.value("vae_name", ""))
    if file.startswith("tae") or file == "pixel_space":
        raise NoCounterpartError(f"'{file}' is no VAE that is in a file of its own.")
    name = making.add("models.load_vae", file=file)
    making.give(Signal("VAE", Output(name, "vae")))


def _load_lora(making: Making) -> None:
    text = making.output("clip")
    name = making.add(
        "models.load_lora",
        model=making.output("model"),
        text_encoder=text,
        file=_file(making.value("lora_name", "")),
        model_weight=making.port("strength_model", 1.0),
        text_weight=making.port("strength_clip", 1.0) if text else None,
    )
    making.give(
        making.pass_on("MODEL", Output(name, "model"), "model"),
        making.pass_on("CLIP", Output(name, "text_encoder"), "clip"),
    )


def _skip_layers(making: Making) -> None:
    clip = making.signal("clip", needed="so there is no text encoder")
    assert clip is not None
    layer = making.value("stop_at_clip_layer", -1)
    skip = -layer - (FAMILIES[clip.family].text_layer if clip.family else 1)
    if not clip.family:
        making.differ(
            f"CLIP stops at layer {layer}: 'clip skip' of the prompts is {max(skip, 0)}, right for "
            "SD 1.5. SD 2 and SDXL stop a layer earlier by themselves: take one less"
        )
    if skip < 0:
        making.differ("The text encoder's very last layer cannot be read for this model")
    making.give(replace(clip, skip=max(skip, 0)))


def _freeu(making: Making) -> None:
    given = {ours: making.port(their, 1.0) for ours, their in zip(_FREEU, _letters(), strict=True)}
    name = making.add("models.freeu", model=making.output("model"), **given)
    making.give(making.pass_on("MODEL", Output(name, "model"), "model"))


def _letters() -> tuple[str, ...]:
    return ("b1", "b2", "s1", "s2")


def _model(making: Making) -> Signal:
    found = making.signal("model", needed="so there is no model")
    assert found is not None
    return found


def _rescale(making: Making) -> None:
    making.give(replace(_model(making), rescale=making.value("multiplier", 0.7)))


def _perturbed(making: Making) -> None:
    wrap = Wrap("sampling.perturbed_attention", {"scale": making.value("scale", 3.0)})
    model = _model(making)
    making.give(replace(model, wraps=(*model.wraps, wrap)))


def _discrete(making: Making) -> None:
    model, sampling = _model(making), making.value("sampling", "eps")
    if sampling not in _PREDICTIONS or not model.loader:
        raise NoCounterpartError(f"sets a model to '{sampling}', which is not possible here.")
    zero = making.value("zsnr", False)
    _set_loader(making, model, prediction=_PREDICTIONS[sampling], zero_snr="yes" if zero else "no")
    if zero and sampling != "v_prediction":
        making.differ("Zero terminal SNR is refused here for a model that does not predict v")
    making.give(model)


def _set_loader(making: Making, model: Signal, **values: Any) -> None:
    making.world.document.graph.nodes[model.loader].values.update(values)
    if model.loader in making.world.shared:
        making.differ(
            "What the model predicts is set where it is loaded, so also for the others that use it"
        )


def _look(making: Making) -> None:
    """An IP-Adapter lies on the model there, and on the prompt here."""
    model, eyes = _model(making), making.output("clip_vision")
    adapter, image = making.output("ipadapter"), making.output("image")
    if eyes is None or adapter is None or image is None:
        raise NoCounterpartError("nothing feeds its adapter, its picture or its image encoder.")
    if making.signal("attn_mask") or making.signal("image_negative"):
        making.differ("The IP-Adapter has no mask and no negative picture here")
    if (how := making.value("weight_type", "linear")) not in ("linear", "original"):
        making.differ(f"The IP-Adapter's weight is the same in all layers here, not '{how}'")
    inputs = {
        "ip_adapter": adapter,
        "image_encoder": eyes,
        "image": image,
        "strength": making.port("weight", 1.0),
        "start": making.port("start_at", 0.0),
        "end": making.port("end_at", 1.0),
    }
    making.give(replace(model, looks=(*model.looks, Look(tuple(inputs.items())))))


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
        ("models.load_denoiser",),
        _load_denoiser,
    ),
    one(
        "CLIPLoader",
        "Load CLIP",
        "models.load_text_encoder",
        {},
        "CLIP:text_encoder",
        values={"file": ("clip_name", "")},
        changes={"file": _file},
        widgets="clip_name type device",
    ),
    Row(
        "DualCLIPLoader",
        "DualCLIPLoader",
        ("clip_name1", "clip_name2", "type", "device"),
        ("CLIP",),
        ("models.load_text_encoder",),
        _load_two_encoders,
        "For SDXL.",
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
        dissolves=True,
    ),
    Row(
        "FreeU",
        "FreeU",
        _letters(),
        ("MODEL",),
        ("models.freeu",),
        _freeu,
        differs="FreeU goes by a block's channels there, and by its place here, as in diffusers",
    ),
    Row(
        "FreeU_V2",
        "FreeU_V2",
        _letters(),
        ("MODEL",),
        ("models.freeu",),
        _freeu,
        differs="FreeU's second form also weighs by the features' mean; here it is the first form",
    ),
    Row(
        "RescaleCFG",
        "RescaleCFG",
        ("multiplier",),
        ("MODEL",),
        (),
        _rescale,
        "*rescale* of the guidance.",
        dissolves=True,
    ),
    Row(
        "PerturbedAttentionGuidance",
        "PerturbedAttentionGuidance",
        ("scale",),
        ("MODEL",),
        ("sampling.perturbed_attention",),
        _perturbed,
        "It lies around the guidance, not around the model.",
        dissolves=True,
    ),
    Row(
        "ModelSamplingDiscrete",
        "ModelSamplingDiscrete",
        ("sampling", "zsnr"),
        ("MODEL",),
        (),
        _discrete,
        "*prediction* and *zero SNR* where the model is loaded.",
        dissolves=True,
    ),
    one(
        "ModelSamplingSD3", "ModelSamplingSD3", "models.flow_shift", _MODEL, "MODEL:model", **_SHIFT
    ),
    one(
        "ModelSamplingAuraFlow",
        "ModelSamplingAuraFlow",
        "models.flow_shift",
        _MODEL,
        "MODEL:model",
        values={"shift": ("shift", 1.73)},
    ),
    one(
        "ControlNetLoader",
        "Load ControlNet Model",
        "control.load",
        {},
        "CONTROL_NET:controlnet",
        values={"file": ("control_net_name", "")},
        changes={"file": _file},
        remark="A T2I-Adapter takes *Load T2I-Adapter* here; the linter says where.",
    ),
    one(
        "DiffControlNetLoader",
        "Load ControlNet Model (diff)",
        "control.load",
        {},
        "CONTROL_NET:controlnet",
        values={"file": ("control_net_name", "")},
        changes={"file": _file},
        differs="A ControlNet of differences is added to its own base model there, if it is one",
    ),
    one(
        "CLIPVisionLoader",
        "Load CLIP Vision",
        "control.load_image_encoder",
        {},
        "CLIP_VISION:image_encoder",
        values={"file": ("clip_name", "")},
        changes={"file": _file},
    ),
    one(
        "IPAdapterModelLoader",
        "IPAdapter Model Loader",
        "control.load_ip_adapter",
        {},
        "IPADAPTER:ip_adapter",
        values={"file": ("ipadapter_file", "")},
        changes={"file": _file},
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
        _look,
        "Of the same pack. It lies on the prompt, not on the model.",
        dissolves=True,
    ),
)
