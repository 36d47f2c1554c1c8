"""Headers of the files that people have of transformer families, and their expected detection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from .lora_files import Tensors, kohya, lora
from .model_files import Shapes
from .model_headers import ModelHeader, _prefixed, real_names

LABELS = {
    "ltx2": "LTX-2",
    "wan_vace": "Wan VACE",
}
MODELS = {
    "flux1": "flux1", "chroma": "chroma", "z_image": "z_image",
    "flux2_dev": "flux2_dev",
    "flux2_klein_4b": "flux2_klein_4b", "flux2_klein_9b": "flux2_klein_9b",
    "flux3_klein": "flux3_klein", "qwen_image": "qwen_image", "krea2": "krea2",
    "qwen_image_21": "qwen_image_21", "sd3": "sd3", "anima": "anima",
    "qwen_image_layered": "qwen_image_layered",
}  # fmt: skip
PLAIN = {"flux1": "dev", "flux3_klein": "base", "sd3": "medium_35"}
"""The variant that their headers tell, where they do."""
PREFIXES = ("", "model.diffusion_model.", "diffusion_model.", "net.")
FLOW = None
"""What these predict is their family's."""


def transformer_headers() -> list[ModelHeader]:
    names = real_names()
    makers = (denoisers, variants, checkpoints, text_encoders, autoencoders, stored, loras, foreign)
    return [each for make in makers for each in make(names)]


def denoiser(names: Mapping[str, Shapes], family: str, layout: str = "original") -> Tensors:
    kind = "original" if layout == "original" else "transformer"
    return dict(names[f"{family}_{kind}"])


def denoisers(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for family in MODELS:
        plain = PLAIN.get(family, "")
        for layout in ("original", "diffusers"):
            for prefix in PREFIXES:
                tensors = _prefixed(prefix, denoiser(names, family, layout))
                name = f"{family}, {layout}, {prefix or 'no prefix'}"
                yield ModelHeader(name, tensors, "unet", family, variant=plain)
        foreign = {"__index_timestep_zero__": [0], "some.other": [4], "norm_final.weight": [3840]}
        tensors = {**denoiser(names, family), **foreign}
        told = "edit" if family == "qwen_image" else plain  # to it, one of them is none
        yield ModelHeader(f"{family} with foreign keys", tensors, "unet", family, variant=told)
        short = {
            n: s
            for n, s in denoiser(names, family).items()
            if not n.startswith(
                ("double_blocks.4", "single_blocks.1", "layers.2", "joint_blocks.23")
            )
        }
        yield ModelHeader(f"{family}, pruned", short, "unet", family, variant=plain)


def without_guidance(tensors: Shapes) -> Tensors:
    return {n: s for n, s in tensors.items() if "guidance_in" not in n and "guidance_e" not in n}


def variants(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    """Told by tensors, else by metadata, else by the name."""
    for layout in ("original", "diffusers"):
        dev = denoiser(names, "flux1", layout)
        first = "img_in.weight" if layout == "original" else "x_embedder.weight"
        schnell = without_guidance(dev)
        fill, control = {**dev, first: [3072, 384]}, {**dev, first: [3072, 128]}
        yield ModelHeader(f"anything, {layout}", schnell, "unet", "flux1", variant="schnell")
        yield ModelHeader(
            f"anything that fills, {layout}", fill, "unet", "flux1", inpainting=True, variant="fill"
        )
        yield ModelHeader(f"control, {layout}", control, "unet", None, "Flux.1 Control")
        flux3 = denoiser(names, "flux3_klein", layout)
        jumps = (
            "ref_time_in.in_layer" if layout == "original" else "target_timestep_embedder.linear_1"
        )
        jumping = flux3 | {f"{jumps}.weight": [3072, 256]}
        for name in ("flux3-image-klein-bf16", "flux3-image-klein-base-int8-convrot"):
            for tensors, variant in ((flux3, "base"), (jumping, "distilled")):
                named = f"{name}, {variant}, {layout}"
                yield ModelHeader(named, tensors, "unet", "flux3_klein", variant=variant)
        for word in ("krea", "kontext"):
            name = f"flux1-{word}-dev_fp8_scaled {layout}"
            yield ModelHeader(name, dev, "unet", "flux1", variant=word)
        z_image, klein, qwen, krea2, qwen_21 = (
            denoiser(names, family, layout)
            for family in ("z_image", "flux2_klein_4b", "qwen_image", "krea2", "qwen_image_21")
        )
        layered = qwen | {"time_text_embed.addition_t_embedding.weight": [2, 3072]}
        for name in ("any", "qwen_image_layered_control_bf16"):
            yield ModelHeader(f"{name}, {layout}", layered, "unet", "qwen_image_layered")
        for name, tensors, family, variant in (
            ("z_image_turbo_bf16", z_image, "z_image", "turbo"),
            ("z_image_base", z_image, "z_image", "base"),
            ("Z-Image", z_image, "z_image", ""),
            ("flux-2-klein-base-4b", klein, "flux2_klein_4b", "base"),
            ("flux-2-klein-4b", klein, "flux2_klein_4b", ""),
            ("qwen_image_2512_fp8_e4m3fn", qwen, "qwen_image", "base"),
            ("Qwen-Image-Lightning-8steps", qwen, "qwen_image", "lightning"),
            ("qwen_image_edit_2509_bf16", qwen, "qwen_image", "edit"),
            ("qwen_image_edit_2511", qwen | {"__index_timestep_zero__": [0]}, "qwen_image", "edit"),
            ("qwen_image_2.1_int8_convrot", qwen_21, "qwen_image_21", ""),
            ("qwen_image_2.1_turbo_bf16", qwen_21, "qwen_image_21", "turbo"),
            ("krea2_turbo_fp8_scaled", krea2, "krea2", "turbo"),
            ("krea2_raw_bf16", krea2, "krea2", "raw"),
            ("Krea-2", krea2, "krea2", ""),
            ("flux-2-klein-4b-distilled", klein, "flux2_klein_4b", "distilled"),
        ):
            yield ModelHeader(f"{name} {layout}", tensors, "unet", family, variant=variant)
        medium_35 = denoiser(names, "sd3", layout)
        medium = sd3_medium(medium_35)
        large = sd3_large(medium_35)
        for name, tensors, variant in (
            ("sd3_medium", medium, "medium"),
            ("any sd3", medium, "medium"),
            ("sd3.5_medium", medium_35, "medium_35"),
            ("sd3.5_large_fp8_scaled", large, "large"),
            ("any of those", large, "large"),
            ("sd3.5_large_turbo", large, "turbo"),
        ):
            yield ModelHeader(f"{name} {layout}", tensors, "unet", "sd3", variant=variant)
        told = {"modelspec.title": "Z-Image Turbo"}
        name = f"any z, {layout}"
        yield ModelHeader(name, z_image, "unet", "z_image", variant="turbo", metadata=told)


def sd3_medium(tensors: Shapes) -> Tensors:
    """SD 3 Medium's from 3.5's: without norms of queries and keys, and attention once a block."""
    there = (".ln_", ".norm_q.", ".norm_k.", ".norm_added_", ".attn2.")
    found = {n: s for n, s in tensors.items() if not any(each in n for each in there)}
    return {
        n: [1, 192**2, 1536] if "pos_embed" in n and len(s) == 3 else s for n, s in found.items()
    }


def sd3_large(tensors: Shapes) -> Tensors:
    """3.5 Large's from 3.5 Medium's: wider, and attention once a block."""
    found = {n: _wider(s) for n, s in tensors.items() if ".attn2." not in n}
    return {
        n: [1, 192**2, 2432] if "pos_embed" in n and len(s) == 3 else s for n, s in found.items()
    }


def _wider(shape: Sequence[int]) -> list[int]:
    times = {times * 1536: times * 2432 for times in (1, 2, 3, 4, 6, 9)}
    return [times.get(side, side) for side in shape]


_SEEING = {
    "qwen_image": ("qwen25_7b", "qwen25_vl_7b", "wan_vae"),
    "flux3_klein": ("qwen3vl_4b", "qwen3_vl_4b", "flux2_vae"),
    "krea2": ("qwen3vl_4b", "qwen3_vl_4b", "wan_vae"),
    "qwen_image_21": ("qwen3vl_8b", "qwen3_vl_8b", "qwen21_vae"),
    "qwen_image_layered": ("qwen25_7b", "qwen25_vl_7b", "qwen_layered_vae"),
}
"""What checkpoints call the text encoder that sees, its kind, and the VAE."""


def bundle(names: Mapping[str, Shapes], family: str, vae: str = "vae.") -> Tensors:
    """A checkpoint of denoiser, text encoders and VAE in ComfyUI's names."""
    if family in _SEEING:
        name, kind, autoencoder = _SEEING[family]
        return {
            **_prefixed("model.diffusion_model.", denoiser(names, family)),
            **_prefixed(f"text_encoders.{name}.transformer.", _comfyui_vl(names[kind])),
            **_prefixed(vae, names[autoencoder]),
        }
    space = {"sd3": "sd3_vae_ldm", "anima": "wan_vae"}.get(family, "flux_vae_ldm")
    space = "flux2_vae_ldm" if "flux2" in family else space
    clip = _prefixed("text_encoders.clip_l.transformer.text_model.", names["sd15_text_encoder"])
    t5 = _prefixed("text_encoders.t5xxl.transformer.", names["t5_xxl"])
    texts = {
        "flux1": clip | t5,
        "chroma": t5,
        "sd3": clip | _prefixed("text_encoders.clip_g.transformer.", names["clip_g"]) | t5,
        "anima": _prefixed("text_encoders.qwen3_06b.transformer.model.", names["qwen3_06b"]),
        "flux2_dev": _prefixed(
            "text_encoders.mistral3_24b.transformer.model.", names["mistral_small"]
        ),
        "flux2_klein_9b": _prefixed("text_encoders.qwen3_8b.transformer.model.", names["qwen3_8b"]),
    }
    qwen = _prefixed("text_encoders.qwen3_4b.transformer.model.", names["qwen3_4b"])
    return {
        **_prefixed("model.diffusion_model.", denoiser(names, family)),
        **texts.get(family, qwen),
        **_prefixed(vae, names[space]),
    }


def checkpoints(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for family in MODELS:
        plain = PLAIN.get(family, "")
        for vae in ("vae.", "first_stage_model."):
            whole = bundle(names, family, vae)
            yield ModelHeader(
                f"{family} checkpoint, {vae}", whole, "checkpoint", family, variant=plain
            )
        without = {n: s for n, s in bundle(names, family).items() if not n.startswith("text_")}
        yield ModelHeader(
            f"{family} checkpoint without text encoders", without, "checkpoint", family,
            variant=plain,
        )  # fmt: skip
    schnell = without_guidance(bundle(names, "flux1"))
    yield ModelHeader("flux1 all in one", schnell, "checkpoint", "flux1", variant="schnell")


def text_encoders(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    t5 = names["t5_xxl"]
    shared = {n: s for n, s in t5.items() if n != "encoder.embed_tokens.weight"}
    for name, tensors in (
        ("t5xxl_fp16", t5),
        ("t5xxl, one table", shared),
        ("t5xxl, other table", {n: s for n, s in t5.items() if n != "shared.weight"}),
    ):
        yield ModelHeader(name, tensors, "text_encoder", "chroma", encoder="t5_xxl")
    base = {
        name.replace("wi_0", "wi"): _narrow(_narrow(shape, 4096, 768), 10240, 3072)
        for name, shape in t5.items()
        if ".wi_1." not in name
    }
    yield ModelHeader("umt5_xxl", names["umt5"], "text_encoder", "wan21", encoder="umt5_xxl")
    yield ModelHeader("t5_base", base, "text_encoder", "stable_audio", encoder="t5_base")
    for kind, family in (
        ("qwen3_06b", "ace_step"), ("qwen3_4b", "flux2_klein_4b"), ("qwen3_8b", "flux2_klein_9b"),
    ):  # fmt: skip
        plain = names[kind]
        head = {"lm_head.weight": [151936, plain["norm.weight"][0]]}
        for name, tensors in (
            (kind, _prefixed("model.", plain)),
            (f"{kind} with its head", _prefixed("model.", plain) | head),
            (f"{kind} without prefix", plain),
        ):
            yield ModelHeader(name, tensors, "text_encoder", family, encoder=kind)
    for kind, family, head in (
        ("qwen25_vl_7b", "qwen_image", [152064, 3584]),
        ("qwen3_vl_4b", "flux3_klein", [151936, 2560]),
        ("qwen3_vl_8b", "qwen_image_21", [151936, 4096]),
    ):  # fmt: skip
        for name, tensors in (
            (kind, _comfyui_vl(names[kind])),
            (f"{kind}, transformers", _prefixed("model.", names[kind])),
            (f"{kind}, bare", names[kind]),
        ):
            tensors = tensors | {"lm_head.weight": head}
            yield ModelHeader(name, tensors, "text_encoder", family, encoder=kind)
    mistral = {**names["mistral_small"], "norm.weight": [5120]}
    deeper = {n.replace(".2.", ".39."): shape for n, shape in mistral.items() if ".2." in n}
    eyes = {"vision_tower.transformer.layers.0.attention.q_proj.weight": [1024, 1024]}
    for name, tensors in (
        ("mistral_3_small_flux2_bf16", _prefixed("model.", mistral) | {"tekken_model": [19280967]}),
        ("mistral small, whole", _prefixed("language_model.model.", mistral | deeper) | eyes),
        ("mistral small, transformers 5", _prefixed("model.language_model.", mistral) | eyes),
        ("mistral small, bare", mistral),
    ):
        yield ModelHeader(name, tensors, "text_encoder", "flux2_dev", encoder="mistral_small")
    llama = {n: _narrow(_narrow(s, 5120, 4096), 131072, 128256) for n, s in mistral.items()}
    yield ModelHeader("llama 3", _prefixed("model.", llama), "unknown", None, "no kind of model")
    clip = names["sd15_text_encoder"]
    wrapped = _prefixed("text_model.", {n.removeprefix("text_model."): s for n, s in clip.items()})
    yield ModelHeader("clip_l", wrapped, "text_encoder", "sd15", encoder="clip_l")
    for name, tensors, label in (
        (
            "qwen 3 1.7b",
            {n: _narrow(s, 1024, 2048) for n, s in _prefixed("model.", names["qwen3_06b"]).items()},
            "Qwen3 of width 2048",
        ),
        (
            "qwen 3 vl of another size",
            {n: _narrow(s, 2560, 2048) for n, s in _comfyui_vl(names["qwen3_vl_4b"]).items()},
            "Qwen3-VL of width 2048",
        ),
        (
            "qwen 2.5 vl of another size, transformers",
            _prefixed("model.", names["qwen25_vl"]),
            "Qwen2.5-VL of width 8192",
        ),
        (
            "qwen 2.5 7b",
            {n: s for n, s in _comfyui_vl(names["qwen25_vl_7b"]).items() if "visual." not in n},
            "without the network that sees",
        ),
        (
            "qwen 3 vl of another size, transformers",
            _prefixed(
                "model.", {n: _narrow(s, 2560, 2048) for n, s in names["qwen3_vl_4b"].items()}
            ),
            "Qwen3-VL of width 2048",
        ),
        ("t5 1.1 base", {n: _narrow(s, 4096, 768) for n, s in t5.items()}, "T5 of width 768"),
    ):
        yield ModelHeader(name, tensors, "text_encoder", None, label)


def _comfyui_vl(shapes: Shapes) -> Tensors:
    return {n.replace("language_model.", "model."): s for n, s in shapes.items()}


def _narrow(shape: Sequence[int], old: int, new: int) -> list[int]:
    return [new if side == old else side for side in shape]


def autoencoders(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for layout in ("ldm", "diffusers"):
        end = "_ldm" if layout == "ldm" else ""
        flux, flux2 = names[f"flux_vae{end}"], names[f"flux2_vae{end}"]
        for prefix in ("", "vae.", "first_stage_model."):
            where = prefix or "bare"
            yield ModelHeader(f"ae {layout} {where}", _prefixed(prefix, flux), "vae", "flux1")
            yield ModelHeader(
                f"flux2-vae {layout} {where}", _prefixed(prefix, flux2), "vae", "flux2_klein_4b"
            )
        small = {
            n: [side * 3 // 4 if n.startswith("decoder") and side > 64 else side for side in shape]
            for n, shape in flux2.items()
        }
        name = f"full_encoder_small_decoder {layout}"
        yield ModelHeader(name, small, "vae", "flux2_klein_4b")
        for name in ("sd3_vae", "sd3.5 vae", "SD35-vae"):
            yield ModelHeader(f"{name} {layout}", flux, "vae", "sd3")
    yield ModelHeader("wan_2.1_vae diffusers", names["wan_vae"], "vae", "wan21")
    wan = {
        "decoder.middle.0.residual.0.gamma": [384, 1, 1, 1],
        "decoder.conv1.weight": [384, 16, 3, 3, 3],
    }
    yield ModelHeader("wan_2.1_vae", wan, "vae", "wan21")
    for layout in ("qwen21_vae", "qwen21_vae_original"):
        yield ModelHeader(
            f"qwen_image_2.1_vae_bf16 {layout}", names[layout], "vae", "qwen_image_21"
        )
    for layout in ("qwen_layered_vae", "qwen_layered_vae_original"):
        yield ModelHeader(f"any {layout}", names[layout], "vae", "qwen_image_layered")
    video = {"decoder.conv_in.weight": [512, 16, 3, 3, 3], "decoder.norm_out.weight": [128]}
    yield ModelHeader("hunyuan video vae", video, "vae", None, "VAE of videos")


def stored(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    """8-bit forms, whose scales are read, and others, which are refused by name."""
    for family in MODELS:
        tensors = denoiser(names, family)
        layers = [
            n.removesuffix(".weight")
            for n, s in tensors.items()
            if len(s) == 2 and n.endswith(".weight")
        ]
        small = {f"{layer}.weight": "F8_E4M3" for layer in layers}
        plain = PLAIN.get(family, "")
        yield ModelHeader(
            f"{family} fp8",
            tensors,
            "unet",
            family,
            quantisation="fp8",
            dtypes=small,
            variant=plain,
        )
        for form, scale, shape in (
            ("weight_scale", "weight_scale", []),
            ("scale_weight", "scale_weight", [1]),
        ):
            more: Tensors = {f"{layer}.{scale}": shape for layer in layers}
            if form == "scale_weight":
                more |= {"scaled_fp8": [2], **{f"{each}.scale_input": [1] for each in layers}}
            types = {f".{scale}": "F32", ".scale_input": "F32", **small}
            yield ModelHeader(
                f"{family} fp8 {form}", tensors | more, "unet", family, quantisation="scaled fp8",
                dtypes=types, variant=plain,
            )  # fmt: skip
        rows = {f"{layer}.weight_scale": [tensors[f"{layer}.weight"][0], 1] for layer in layers}
        marks = {f"{layer}.comfy_quant": [27] for layer in layers}
        types = {".weight_scale": "F32", ".comfy_quant": "U8"}
        yield ModelHeader(
            f"{family} fp8 comfy_quant by rows", tensors | rows | marks, "unet", family,
            quantisation="scaled fp8", dtypes={**types, **small}, variant=plain,
        )  # fmt: skip
        yield ModelHeader(
            f"{family} int8 convrot", tensors | rows | marks, "unet", family,
            dtypes={**types, **dict.fromkeys(small, "I8")}, quantisation="int8", variant=plain,
        )  # fmt: skip
        yield ModelHeader(
            f"{family} nvfp4", tensors | rows | marks, "unet", None, "nvfp4",
            dtypes={**types, **dict.fromkeys(small, "U8")}, quantisation="…",
        )  # fmt: skip
        yield ModelHeader(
            f"{family} scaled without scales", tensors | {"scaled_fp8": [2]}, "unet", None,
            "without their scales", dtypes=small, quantisation="…",
        )  # fmt: skip


LORAS: Mapping[str, tuple[str, Callable[[str], tuple[str, str]]]] = {
    "ai-toolkit": ("diffusers", lambda key: _halves(f"transformer.{key}", "AB")),
    "diffusers bare": ("diffusers", lambda key: _halves(key, "AB")),
    "OneTrainer": ("diffusers", lambda key: kohya(key, "lora_transformer_")),
    "diffusers kohya": ("diffusers", kohya),
    "ComfyUI": ("original", lambda key: _halves(f"diffusion_model.{key}", "AB")),
    "musubi": ("original", lambda key: _halves(f"diffusion_model.{key}", ("down", "up"))),
    "kohya": ("original", kohya),
    "original bare": ("original", lambda key: _halves(key, "AB")),
    "loha": ("original", lambda key: _loha(f"diffusion_model.{key}")),
}  # fmt: skip


LORA_FAMILY = {"qwen_image_layered": "qwen_image"}
"""The likelier family where LoRAs over two have the same layers."""


def _halves(key: str, sides: str | tuple[str, str]) -> tuple[str, str]:
    down, up = (f"{key}.lora_{side}.weight" for side in sides)
    return down, up


def _loha(key: str) -> tuple[str, str]:
    return f"{key}.hada_w1_b", f"{key}.hada_w1_a"


def loras(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for family in MODELS:
        for name, (layout, make) in LORAS.items():
            shapes = {
                n: s
                for n, s in denoiser(names, family, layout).items()
                if len(s) == 2 and ("blocks." in n or n.startswith("layers."))
            }
            if family == "chroma":  # all else is as in Flux.1
                extra = "distilled_guidance_layer.out_proj.weight"
                shapes[extra] = names["chroma_original"][extra]
            made = lora(shapes, make, (".weight",))
            told = LORA_FAMILY.get(family, family)
            yield ModelHeader(f"{family} {name} lora", made, "lora", told)


def foreign(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for name, label in LABELS.items():
        yield ModelHeader(f"{name}, diffusers", names[name], "unet", None, label)
    originals: Mapping[str, tuple[Shapes, str]] = {
        "cosmos predict 2": (
            {n: s for n, s in names["anima_original"].items() if "llm_adapter" not in n}, "Cosmos"
        ),
        "sd 3 control": (
            {**{n: s for n, s in names["sd3_transformer"].items() if "proj_out" not in n},
             "controlnet_blocks.0.weight": [1536, 1536]}, "ControlNet of a transformer"
        ),
        "wan 2.2": ({"head.modulation": [1, 2, 5120], "blocks.0.cross_attn.k.weight": [8, 8],
                     "text_embedding.0.weight": [5120, 4096], "head.head.weight": [64, 5120],
                     "patch_embedding.weight": [5120, 36, 1, 2, 2]}, "36 input channels"),
        "chroma radiance": ({**names["chroma_original"], "nerf_blocks.0.w": [8]}, "Radiance"),
        "z-image omni": ({**names["z_image_original"], "siglip_embedder.weight": [8, 8]}, "Omni"),
        "z-image control": ({**names["z_image_original"], "control_layers.0.w": [8]}, "ControlNet"),
    }  # fmt: skip
    for name, (tensors, label) in originals.items():
        yield ModelHeader(name, tensors, "unet", None, label)
