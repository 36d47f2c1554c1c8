"""Headers of all kinds of model files with real names and shapes, and their expected detection."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .lora_files import LORA_LAYOUTS, Tensors, kohya, lokr, lora, peft
from .model_files import Shapes, real_names

FAMILIES = ("sd15", "sd21", "sdxl", "sdxl_refiner")
LABELS = {
    "flux": "Flux", "pixart": "PixArt", "sana": "Sana", "auraflow": "AuraFlow",
    "hunyuan_dit": "Hunyuan-DiT", "hunyuan_video": "HunyuanVideo",
    "ltx": "LTX-Video", "lumina2": "Lumina", "cascade": "Stable Cascade",
    "svd": "Stable Video Diffusion",
}  # fmt: skip
UNET, VAE = "model.diffusion_model.", "first_stage_model."


@dataclass(frozen=True)
class ModelHeader:
    """A file: its tensors, and what must be said of it; `reason` is part of it where no family."""

    name: str
    tensors: Shapes
    kind: str
    family: str | None
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    inpainting: bool = False
    prediction: str | None = None
    variant: str = ""
    encoder: str = ""
    quantisation: str = ""
    dtypes: Mapping[str, str] = field(default_factory=dict)


def model_headers() -> list[ModelHeader]:
    """More than 320 of them; files of one family differ in layout, width, metadata or name."""
    names = real_names()
    makers = (
        *(checkpoints, denoisers, autoencoders, text_encoders, controlnets, adapters),
        *(loras, embeddings, foreign, nonsense),
    )
    return [each for make in makers for each in make(names)]


def checkpoints(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    """Whole models in LDM layout."""
    for family in FAMILIES:
        whole = checkpoint(names, family)
        yield ModelHeader(f"{family} checkpoint", whole, "checkpoint", family)
        yield ModelHeader(
            f"{family} checkpoint as trained, with EMA", _ema(whole), "checkpoint", family
        )
        without = {n: s for n, s in whole.items() if not n.startswith(VAE)}
        yield ModelHeader(f"{family} checkpoint without VAE", without, "checkpoint", family)
    first = f"{UNET}input_blocks.0.0.weight"
    for family in FAMILIES[:3]:
        nine = {**checkpoint(names, family), first: [320, 9, 3, 3]}
        prediction = "epsilon" if family == "sd21" else None
        yield ModelHeader(
            f"{family} that inpaints", nine, "checkpoint", family, inpainting=True,
            prediction=prediction,
        )  # fmt: skip
    for family, channels in (("sd15", 5), ("sd21", 5), ("sd21", 7)):
        other = {**checkpoint(names, family), first: [320, channels, 3, 3]}
        reason = f"{channels} input channels"
        yield ModelHeader(f"{family} with {reason}", other, "checkpoint", None, reason)
    v = {**checkpoint(names, "sdxl"), "v_pred": [], "ztsnr": []}
    yield ModelHeader("sdxl that predicts v", v, "checkpoint", "sdxl", prediction="v_prediction")
    for name, told, prediction in (
        ("768-v", {"modelspec.architecture": "stable-diffusion-v2-768-v"}, "v_prediction"),
        ("of 512", {"modelspec.architecture": "stable-diffusion-v2-512"}, "epsilon"),
        ("that says v", {"modelspec.prediction_type": "v"}, "v_prediction"),
    ):
        whole = checkpoint(names, "sd21")
        yield ModelHeader(
            f"sd21 {name}", whole, "checkpoint", "sd21", metadata=told, prediction=prediction
        )


def denoisers(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for family in FAMILIES:
        ldm = names[f"{family}_unet_ldm"]
        bare = {name.removeprefix(UNET): shape for name, shape in ldm.items()}
        yield ModelHeader(f"{family} denoiser, ldm", ldm, "unet", family)
        yield ModelHeader(f"{family} denoiser, ldm without prefix", bare, "unet", family)
        diffusers = names[f"{family}_unet"]
        yield ModelHeader(f"{family} denoiser, diffusers", diffusers, "unet", family)
        distilled = {**diffusers, "time_embedding.cond_proj.weight": [320, 256]}
        yield ModelHeader(f"{family} denoiser of LCM", distilled, "unet", family)
        told = {**ldm, f"{UNET}time_embed.cond_proj.weight": [320, 256]}
        yield ModelHeader(f"{family} denoiser of LCM, ldm", told, "unet", family)
        if family != "sdxl_refiner":
            nine = {**diffusers, "conv_in.weight": [320, 9, 3, 3]}
            yield ModelHeader(
                f"{family} denoiser that inpaints", nine, "unet", family, inpainting=True,
                prediction="epsilon" if family == "sd21" else None,
            )  # fmt: skip


def autoencoders(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    """A VAE alone does not tell its family; sd15's is taken where its name says nothing."""
    ldm, diffusers = names["sd15_vae_ldm"], names["sd15_vae"]
    bare = {name.removeprefix(VAE): shape for name, shape in ldm.items()}
    for layout, tensors in (("ldm", ldm), ("ldm bare", bare), ("diffusers", diffusers)):
        yield ModelHeader(f"vae {layout}", tensors, "vae", "sd15")
        yield ModelHeader(f"sdxl_vae {layout}", tensors, "vae", "sdxl")
    wide = {**bare, "decoder.conv_in.weight": [512, 16, 3, 3]}
    yield ModelHeader("ae", wide, "vae", "flux1")


def text_encoders(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for name, family in (
        ("sd15_text_encoder", "sd15"), ("sd21_text_encoder", "sd21"),
        ("sdxl_text_encoder_2", "sdxl"),
    ):  # fmt: skip
        yield ModelHeader(name, names[name], "text_encoder", family)
        plain = {n.removeprefix("text_model."): s for n, s in names[name].items()}
        older = _prefixed("text_model.", plain) if name != "sdxl_text_encoder_2" else plain
        yield ModelHeader(f"{name}, older", older, "text_encoder", family)
    yield ModelHeader("open_clip H", open_clip("", 1024, 24), "text_encoder", "sd21")
    yield ModelHeader("open_clip bigG", open_clip("", 1280, 32), "text_encoder", "sdxl")
    yield ModelHeader("t5", names["t5"], "text_encoder", None, "T5")
    yield ModelHeader("clip vision", names["clip_vision"], "image_encoder", "nano")


def controlnets(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for family in FAMILIES[:3]:
        net = names[f"{family}_controlnet"]
        yield ModelHeader(f"{family} controlnet", net, "controlnet", family)
        small = {n: s for n, s in net.items() if "down_blocks.2" not in n}
        yield ModelHeader(f"{family} small controlnet", small, "controlnet", family)
    xl = names["sdxl_controlnet"]
    plain = {
        n: s for n, s in xl.items() if "attentions" not in n and "mid_block.resnets.1" not in n
    }
    yield ModelHeader("sdxl controlnet without attention", plain, "controlnet", "sdxl")
    shallow = {n: s for n, s in xl.items() if not re.search(r"transformer_blocks\.[1-9]", n)}
    yield ModelHeader("sdxl controlnet of one layer", shallow, "controlnet", "sdxl")
    for family in FAMILIES[:2]:
        ldm = _control_ldm(names[f"{family}_unet_ldm"], "control_model.")
        yield ModelHeader(f"{family} controlnet, ldm", ldm, "controlnet", family)
        bare = _control_ldm(names[f"{family}_unet_ldm"], "")
        yield ModelHeader(f"{family} controlnet, ldm without prefix", bare, "controlnet", family)
    union = {**names["sdxl_controlnet"], "task_embedding": [6, 320]}
    yield ModelHeader("controlnet union", union, "controlnet", None, "Union")
    lora = {"lora_controlnet": [], "input_hint_block.0.weight": [16, 3, 3, 3]}
    yield ModelHeader("control-lora", lora, "controlnet", None, "Control-LoRA")
    lllite = {"lllite_unet_input_blocks_4_1_attn1_to_q.conditioning1.0.weight": [16, 3, 4, 4]}
    yield ModelHeader("lllite", lllite, "unknown", None, "LLLite")


def adapters(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for name, family in (("t2i_adapter", "sd15"), ("t2i_adapter_xl", "sdxl")):
        theirs = names[name]
        yield ModelHeader(f"{family} {name}", theirs, "t2i_adapter", family)
        bare = {
            n.removeprefix("adapter.").replace(".resnets.0.", "."): s for n, s in theirs.items()
        }
        yield ModelHeader(f"{family} {name}, its authors'", bare, "t2i_adapter", family)
    for family, width, count in (("sd15", 768, 16), ("sdxl", 2048, 70)):
        yield ModelHeader(f"{family} ip-adapter", ip_adapter(width, count), "ip_adapter", family)
        plus = {**ip_adapter(width, count), "image_proj.latents": [1, 16, 768]}
        yield ModelHeader(f"{family} ip-adapter plus", plus, "ip_adapter", family)


def loras(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for family in FAMILIES:
        unet = names[f"{family}_unet"]
        for layout, make in LORA_LAYOUTS.items():
            yield ModelHeader(f"{family} {layout} lora", lora(unet, make), "lora", family)
        ldm = {n.removeprefix(UNET): s for n, s in names[f"{family}_unet_ldm"].items()}
        yield ModelHeader(f"{family} kohya lora, ldm names", lora(ldm, kohya), "lora", family)
        for whole in (True, False):
            name = f"{family} lokr, {'whole factors' if whole else 'low rank'}"
            yield ModelHeader(name, lokr(unet, "lora_unet_", whole), "lora", family)
        yield ModelHeader(f"{family} lokr of lycoris", lokr(unet, "lycoris_"), "lora", family)
        convolved = lora(unet, kohya) | lora(unet, kohya, ("conv1.weight",))
        yield ModelHeader(f"{family} locon", convolved, "lora", family)
    text = {n: s for n, s in names["sd15_text_encoder"].items() if n.endswith("q_proj.weight")}
    big = {n: s for n, s in names["sdxl_text_encoder_2"].items() if n.endswith("q_proj.weight")}
    for name, prefix, tensors, family in (
        ("sd15", "lora_te_text_model_", text, "sd15"),
        ("sdxl", "lora_te1_text_model_", text, "sdxl"),
        ("sdxl second", "lora_te2_text_model_", big, "sdxl"),
    ):  # fmt: skip
        made = lora(tensors, lambda key, prefix=prefix: kohya(key, prefix), ("q_proj.weight",))
        yield ModelHeader(f"{name} text lora", made, "lora", family)
    plain = {"lora_unet_mid_block_resnets_0_conv1.lora_down.weight": [4, 1280, 3, 3]}
    for base, family in (("sd_v1", "sd15"), ("sd_v2_v", "sd21"), ("sdxl_base_v1-0", "sdxl")):
        told = {"ss_base_model_version": base}
        yield ModelHeader(f"{base} by metadata", plain, "lora", family, metadata=told)
    yield ModelHeader("lora of nothing known", plain, "lora", None, "nothing in it tells")
    words = lokr(text, "lora_te_text_model_", ends=("q_proj.weight",))
    yield ModelHeader("sd15 lokr over its text encoder", words, "lora", "sd15")
    deep = {n: s for n, s in names["sdxl_unet"].items() if "ff.net.2.weight" in n}
    for layout, make in {"kohya": kohya, "peft": peft}.items():
        made = lora(deep, make, ("ff.net.2.weight",))
        yield ModelHeader(f"sdxl {layout} lora without cross-attention", made, "lora", "sdxl")
    ldm = {n.removeprefix(UNET): s for n, s in names["sdxl_unet_ldm"].items()}
    made = lora(ldm, kohya, ("ff.net.2.weight",))
    yield ModelHeader("sdxl kohya lora without cross-attention, ldm names", made, "lora", "sdxl")
    shallow = {n: s for n, s in names["sd15_unet"].items() if "ff.net.2.weight" in n}
    made = lokr(shallow, "lora_unet_", ends=("ff.net.2.weight",))
    yield ModelHeader("lokr without cross-attention", made, "lora", None, "nothing in it tells")


def embeddings(_: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    for name, tensors, family in (
        ("sd15 embedding", {"emb_params": [3, 768]}, "sd15"),
        ("sd15 embedding, diffusers", {"<toy>": [768]}, "sd15"),
        ("sd21 embedding", {"emb_params": [8, 1024]}, "sd21"),
        ("sdxl embedding", {"clip_l": [2, 768], "clip_g": [2, 1280]}, "sdxl"),
        ("sdxl embedding, second encoder first", {"clip_g": [2, 1280], "clip_l": [2, 768]}, "sdxl"),
    ):
        yield ModelHeader(name, tensors, "embedding", family)


def foreign(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    """Denoisers and LoRAs of architectures that no family covers."""
    for name, label in LABELS.items():
        if name == "flux":
            continue
        kind = "unknown" if name == "animatediff" else "unet"
        yield ModelHeader(f"{name}, diffusers", names[name], kind, None, label)
    for name, tensors in (
        ("flux", {"double_blocks.0.img_attn.qkv.weight": [9216, 3072],
                  "single_blocks.0.linear1.weight": [21504, 3072], "img_in.weight": [3072, 64]}),
        ("pixart", {"blocks.0.cross_attn.kv_linear.weight": [2304, 1152],
                    "y_embedder.y_embedding": [300, 4096]}),
    ):  # fmt: skip
        yield ModelHeader(f"{name}, its authors'", tensors, "unet", None, LABELS[name])
        whole = {UNET + n: s for n, s in tensors.items()}
        yield ModelHeader(f"{name} in a checkpoint", whole, "unet", None, LABELS[name])
    made = lora(names["pixart"], lambda key: peft(key, "transformer"), ("attn2.to_k.weight",))
    yield ModelHeader("pixart lora", made, "lora", None, LABELS["pixart"])
    kohyas = {"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": [16, 99]}
    yield ModelHeader("flux kohya lora", kohyas, "lora", None, "Flux")
    kolors = {**names["sdxl_unet"], "encoder_hid_proj.weight": [2048, 4096]}
    yield ModelHeader("kolors", kolors, "unet", None, "Kolors")
    unclip = {**names["sd21_unet"], "class_embedding.linear_1.weight": [1280, 2048]}
    yield ModelHeader("unclip", unclip, "unet", None, "unCLIP")
    playground = {**names["sdxl_unet_ldm"], "edm_mean": [1, 4, 1, 1], "edm_std": [1, 4, 1, 1]}
    yield ModelHeader("playground", playground, "unet", None, "Playground")


def nonsense(names: Mapping[str, Shapes]) -> Iterator[ModelHeader]:
    """Twenty files that are no model of any kind."""
    chance = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz._0123456789"
    for number in range(6):
        made = {
            "".join(chance.choices(letters, k=20)): [chance.randint(1, 64) for _ in range(3)]
            for _ in range(50)
        }
        yield ModelHeader(f"random {number}", made, "unknown", None, "no kind")
    sizes = {name: [1, *shape[1:]] for name, shape in names["sd15_unet"].items()}
    layer = "model.layers.0"
    for name, tensors in {
        "empty": {},
        "one scalar": {"step": []},
        "one number": {"a": [1]},
        "upscaler": {"conv_first.weight": [64, 3, 3, 3], "body.0.rdb1.weight": [32, 64, 3, 3]},
        "language model": {"model.embed_tokens.weight": [32000, 4096],
                           f"{layer}.self_attn.q_proj.weight": [4096, 4096]},
        "optimizer": {f"state.{i}.exp_avg": [320, 320] for i in range(40)},
        "names that hint": {"lora": [2, 2, 2], "unet": [1, 2, 3], "vae": [4, 5, 6]},
        "a scalar where a layer was": {"decoder.conv_in.weightless": []},
        "unicode": {"ünïcödé 🙂": [3, 3, 3], "": [1, 1, 1]},
        "line breaks": {"\nlora_te3_\n": [3, 3, 3], "a\nb": [1, 1, 1]},
        "a video": {"frames": [100, 64, 64, 3]},
        "half a denoiser": {n: s for n, s in sizes.items() if n.startswith("up_blocks")},
        "a classifier": {"features.0.weight": [64, 3, 11, 11], "classifier.6.bias": [1000]},
        "a voice": {"encoder.conv1.weight": [512, 80, 3], "decoder.blocks.0.attn.bias": [512]},
    }.items():  # fmt: skip
        yield ModelHeader(f"nonsense: {name}", tensors, "unknown", None, "no kind")


def checkpoint(names: Mapping[str, Shapes], family: str) -> Tensors:
    """A whole model of `family` in LDM layout."""
    clip = {f"text_model.{n}": s for n, s in names["sd15_text_encoder"].items()}
    texts = {
        "sd15": _prefixed("cond_stage_model.transformer.", clip),
        "sd21": open_clip("cond_stage_model.model.", 1024, 24),
        "sdxl": _prefixed("conditioner.embedders.0.transformer.", clip)
        | open_clip("conditioner.embedders.1.model.", 1280, 32),
        "sdxl_refiner": open_clip("conditioner.embedders.0.model.", 1280, 32),
    }
    return {**names[f"{family}_unet_ldm"], **names[f"{family}_vae_ldm"], **texts[family]}


def open_clip(prefix: str, width: int, layers: int) -> Tensors:
    """A text encoder as open_clip names it."""
    made: Tensors = {
        "positional_embedding": [77, width], "text_projection": [width, width],
        "logit_scale": [], "token_embedding.weight": [49408, width],
        "ln_final.weight": [width], "ln_final.bias": [width],
    }  # fmt: skip
    for number in range(layers):
        block = f"transformer.resblocks.{number}"
        made |= {
            f"{block}.attn.in_proj_weight": [3 * width, width],
            f"{block}.attn.in_proj_bias": [3 * width],
        }
        for inner, shape in {
            "ln_1": [width], "ln_2": [width], "attn.out_proj": [width, width],
            "mlp.c_fc": [4 * width, width], "mlp.c_proj": [width, 4 * width],
        }.items():  # fmt: skip
            made |= {f"{block}.{inner}.weight": shape, f"{block}.{inner}.bias": shape[:1]}
    return _prefixed(prefix, made)


def ip_adapter(width: int, count: int) -> Tensors:
    made: Tensors = {"image_proj.proj.weight": [4 * width, 1024], "image_proj.norm.weight": [width]}
    for number in range(count):
        for kind in ("to_k_ip", "to_v_ip"):
            made[f"ip_adapter.{2 * number + 1}.{kind}.weight"] = [640, width]
    return made


def _prefixed(prefix: str, shapes: Shapes) -> Tensors:
    return {prefix + name: shape for name, shape in shapes.items()}


def _ema(whole: Shapes) -> Tensors:
    """With the running means that training leaves in a file."""
    means = {
        f"model_ema.{name.removeprefix('model.').replace('.', '')}": shape
        for name, shape in whole.items()
        if name.startswith(UNET)
    }
    return {**whole, **means, "model_ema.decay": [], "model_ema.num_updates": []}


def _control_ldm(unet: Shapes, prefix: str) -> Tensors:
    """A ControlNet in LDM layout: its denoiser's way down, with hints and zero convolutions."""
    inner = {n.removeprefix(UNET): s for n, s in unet.items()}
    kept = {n: s for n, s in inner.items() if not n.startswith(("output_blocks", "out."))}
    kept |= {"input_hint_block.0.weight": [16, 3, 3, 3], "zero_convs.0.0.weight": [320, 320, 1, 1]}
    return _prefixed(prefix, kept)
