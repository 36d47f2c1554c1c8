"""Loaders and samplers of packs that do at once what several core nodes do."""

from __future__ import annotations

from nodeforge.formats.comfyui.link_value import EmptyLatent, LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows.loaders import file_name
from nodeforge.formats.comfyui.rows.pipes import part
from nodeforge.formats.comfyui.rows.prompts import prompt_text
from nodeforge.formats.comfyui.rows.sampling import (
    ALL,
    Parts,
    linked_parts,
    sample_all,
    sample_part,
)
from nodeforge.formats.comfyui.rows.values import pack_seed
from nodeforge.graph.model import Output

_NONE = ("None", "")


def _refuse_links(node: NodeConversion, *names: str) -> None:
    for name in names:
        if node.link_value(name) is not None:
            raise NoCounterpartError(f"its '{name}' has no counterpart here.")


def _load(node: NodeConversion) -> None:
    """Efficient Loader: checkpoint, VAE, LoRA, two prompts and an empty latent."""
    _refuse_links(node, "lora_stack", "cnet_stack")
    file = file_name(node.known_value("ckpt_name", ""))
    family = node.workflow.family("checkpoint", file)
    name = node.add("models.load", file=file)
    model, text = Output(name, "model"), Output(name, "text_encoder")
    vae = Output(name, "vae")
    if (own := node.known_value("vae_name", "Baked VAE")) not in ("Baked VAE", *_NONE):
        vae = Output(node.add("models.load_vae", file=file_name(own)), "vae")
    if (lora := node.known_value("lora_name", "None")) not in _NONE:
        made = node.add(
            "models.load_lora",
            model=model,
            text_encoder=text,
            file=file_name(lora),
            model_weight=node.input_value("lora_model_strength", 1.0),
            text_weight=node.input_value("lora_clip_strength", 1.0),
        )
        model, text = Output(made, "model"), Output(made, "text_encoder")
    skip = max(-node.known_value("clip_skip", -1) - 1, 0)
    prompts = [_prompt(node, word, text, skip) for word in ("positive", "negative")]
    size = EmptyLatent(
        node.input_value("empty_latent_width", 512),
        node.input_value("empty_latent_height", 512),
        node.input_value("batch_size", 1),
    )
    node.set_outputs(
        LinkValue("MODEL", model, loader=name),
        *prompts,
        LinkValue("LATENT", empty=size),
        LinkValue("VAE", vae),
        LinkValue("CLIP", text, family=family, skip=skip),
    )


def _prompt(node: NodeConversion, name: str, text_encoder: Output, skip: int) -> LinkValue:
    weights = node.known_value("weight_interpretation", "comfy")
    tokens = node.known_value("token_normalization", "none")
    if (weights, tokens) != ("comfy", "none"):
        node.report_difference(f"Weights of prompts are read as '{weights}', '{tokens}' there")
    made = node.add(
        "text.encode",
        text_encoder=text_encoder,
        text=prompt_text(node, name),
        clip_skip=skip or None,
    )
    return LinkValue("CONDITIONING", Output(made, "conditioning"))


def _sample_efficient(node: NodeConversion) -> None:
    """KSampler (Efficient): KSampler and VAE Decode, and its inputs as outputs."""
    _refuse_links(node, "script")
    sample_all(node, linked_parts(node), pack_seed(node))
    (latent,) = node.outputs
    vae = node.link_value("optional_vae")
    picture = LinkValue("IMAGE")
    if node.known_value("vae_decode", "true") != "false" and vae is not None:
        name = node.add("latent.decode", vae=vae, latent=latent)
        picture = LinkValue("IMAGE", Output(name, "image"))
        if node.known_value("preview_method", "auto") != "none":
            node.add("image.preview", image=picture)
    passed = [
        node.link_value(name) or LinkValue(kind)
        for name, kind in (
            ("model", "MODEL"),
            ("positive", "CONDITIONING"),
            ("negative", "CONDITIONING"),
        )
    ]
    node.set_outputs(*passed, latent, vae or LinkValue("VAE"), picture)


def _parts_of_pipe(node: NodeConversion) -> Parts:
    return {name: part(node, "basic_pipe", name) for name in ("model", "positive", "negative")}


def _pass_pipe(node: NodeConversion) -> None:
    """After the loop: the pipe, the latent and the VAE."""
    (latent,) = node.outputs
    pipe = node.link_value("basic_pipe") or LinkValue("BASIC_PIPE")
    node.set_outputs(pipe, latent, part(node, "basic_pipe", "vae") or LinkValue("VAE"))


def _sample_pipe(node: NodeConversion) -> None:
    sample_all(node, _parts_of_pipe(node), node.seed())
    _pass_pipe(node)


def _sample_part_of_pipe(node: NodeConversion) -> None:
    _sample_steps(node, _parts_of_pipe(node))
    _pass_pipe(node)


def _sample_steps(node: NodeConversion, parts: Parts) -> None:
    """KSamplerAdvanced, with booleans in place of *enable* and *disable*."""
    noisy = node.known_value("add_noise", True)
    keeps_noise = node.known_value("return_with_leftover_noise", False)
    sample_part(node, parts, noisy=noisy, keeps_noise=keeps_noise)


def _tell_inspire(node: NodeConversion) -> None:
    """What the Inspire pack's samplers do to the noise."""
    if node.known_value("noise_mode", "GPU(=A1111)") != "CPU":
        node.report_difference("Noise is drawn on the graphics card there: other numbers")
    if node.known_value("variation_strength", 0.0) > 0:
        node.report_difference("The noise of a second seed, which is mixed in, is left out here")
    if node.known_value("batch_seed_mode", "incremental") != "comfy":
        node.report_difference("Each picture of a batch has a seed of its own there")


def _sample_inspire(node: NodeConversion) -> None:
    _tell_inspire(node)
    sample_all(node, linked_parts(node), node.seed())


def _sample_part_inspire(node: NodeConversion) -> None:
    _tell_inspire(node)
    _sample_steps(node, linked_parts(node))


_LOADED = ("ckpt_name", "vae_name", "clip_skip")
_LORA = ("lora_name", "lora_model_strength", "lora_clip_strength")
_TEXTS = ("positive", "negative")
_SIZE = ("empty_latent_width", "empty_latent_height", "batch_size")
_STEPS = ("steps", "cfg", "sampler_name", "scheduler")
_PART = ("add_noise", "noise_seed", *_STEPS, "start_at_step", "end_at_step")
_NOISE = ("batch_seed_mode", "variation_seed", "variation_strength", "variation_method")
_PIPE = ("BASIC_PIPE", "LATENT", "VAE")
_PROMPTS = ("MODEL", "CONDITIONING", "CONDITIONING", "LATENT", "VAE")

ROWS = (
    Row(
        "Efficient Loader",
        "Efficient Loader",
        (*_LOADED, *_LORA, *_TEXTS, "token_normalization", "weight_interpretation", *_SIZE),
        (*_PROMPTS, "CLIP"),
        ("models.load", "models.load_vae", "models.load_lora", "text.encode"),
        _load,
        "Without stacks.",
        older_widgets={
            8: (*_LOADED, *_TEXTS, *_SIZE),
            11: (*_LOADED, *_LORA, *_TEXTS, *_SIZE),
        },
    ),
    Row(
        "KSampler (Efficient)",
        "KSampler (Efficient)",
        ("seed", *_STEPS, "denoise", "preview_method", "vae_decode"),
        (*_PROMPTS, "IMAGE"),
        (*ALL, "latent.decode", "image.preview"),
        _sample_efficient,
        "Without a script.",
        older_widgets={
            10: ("sampler_state", "unique_id", "seed", *_STEPS, "denoise", "preview_method")
        },
    ),
    Row(
        "ImpactKSamplerBasicPipe",
        "KSampler (pipe)",
        ("seed", *_STEPS, "denoise"),
        _PIPE,
        ALL,
        _sample_pipe,
    ),
    Row(
        "ImpactKSamplerAdvancedBasicPipe",
        "KSampler (Advanced/pipe)",
        (*_PART, "return_with_leftover_noise"),
        _PIPE,
        ALL,
        _sample_part_of_pipe,
    ),
    Row(
        "KSampler //Inspire",
        "KSampler (inspire)",
        ("seed", *_STEPS, "denoise", "noise_mode", *_NOISE),
        ("LATENT",),
        ALL,
        _sample_inspire,
    ),
    Row(
        "KSamplerAdvanced //Inspire",
        "KSamplerAdvanced (inspire)",
        (*_PART, "noise_mode", "return_with_leftover_noise", *_NOISE),
        ("LATENT",),
        ALL,
        _sample_part_inspire,
    ),
)
