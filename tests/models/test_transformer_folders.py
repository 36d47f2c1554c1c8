"""Folders of transformer families, whatever their widths; and what tells their variants."""

from __future__ import annotations

import json

import pytest

from nodeforge.models import recognise

DENOISERS = {
    "flux1": ("FluxPipeline", "FluxTransformer2DModel"),
    "chroma": ("ChromaPipeline", "ChromaTransformer2DModel"),
    "z_image": ("ZImagePipeline", "ZImageTransformer2DModel"),
    "flux2_dev": ("Flux2Pipeline", "Flux2Transformer2DModel"),
    "flux2_klein_4b": ("Flux2KleinPipeline", "Flux2Transformer2DModel"),
    "flux2_klein_9b": ("Flux2KleinPipeline", "Flux2Transformer2DModel"),
    "flux3_klein": ("Flux3ModularPipeline", "Flux3Transformer2DModel"),
    "qwen_image": ("QwenImagePipeline", "QwenImageTransformer2DModel"),
    "krea2": ("Krea2Pipeline", "Krea2Transformer2DModel"),
    "qwen_image_21": ("QwenImage21Pipeline", "QwenImage21Transformer2DModel"),
    "qwen_image_layered": ("QwenImageLayeredPipeline", "QwenImageTransformer2DModel"),
    "sd3": ("StableDiffusion3Pipeline", "SD3Transformer2DModel"),
}


def folder(root, write, tensors, family, config=(), **index):
    """A diffusers folder of a denoiser alone."""
    pipeline, network = DENOISERS[family]
    write(root / "transformer" / "diffusion_pytorch_model.safetensors", tensors, dtype="BF16")
    told = {"_class_name": network, **dict(config)}
    (root / "transformer" / "config.json").write_text(json.dumps(told))
    listed = {"_class_name": pipeline, "transformer": ["diffusers", network], **index}
    (root / "model_index.json").write_text(json.dumps(listed))
    return root


@pytest.mark.parametrize("family", DENOISERS)
def test_a_folder_is_of_the_family_that_its_widths_tell(tmp_path, names, write, family):
    root = folder(tmp_path / "any", write, names[f"{family}_transformer"], family)
    info = recognise(root)
    assert (info.kind, info.family, info.dtype) == ("checkpoint", family, "bfloat16")


@pytest.mark.parametrize(
    "family",
    [
        *("flux1", "chroma", "z_image", "flux2_klein_4b", "flux3_klein"),
        *("qwen_image", "krea2", "qwen_image_21", "qwen_image_layered", "sd3"),
    ],
)
def test_a_folder_of_any_widths_is_read(tmp_path, names, write, family):
    """files: pruned, distilled and tiny models of anyone's making."""
    small = {
        n: [max(1, side // 64) for side in s] for n, s in names[f"{family}_transformer"].items()
    }
    info = recognise(folder(tmp_path / "any", write, small, family, {"in_channels": 4}))
    assert info.family == family


def test_a_small_flux_2_that_reads_a_guidance_scale_is_dev(tmp_path, names, write):
    """Whose layers have the names that klein's have."""
    small = {n: [side // 64 or 1 for side in s] for n, s in names["flux2_dev_transformer"].items()}
    assert recognise(folder(tmp_path / "any", write, small, "flux2_dev")).family == "flux2_dev"


def test_weights_that_are_not_read_are_refused_in_a_folder_too(tmp_path, names, write):
    """Its index names its family, which does not make them readable."""
    tensors = {**names["flux1_transformer"], "proj_out.comfy_quant": [30]}
    root = folder(tmp_path / "any", write, tensors, "flux1")
    info = recognise(root)
    assert info.family is None
    assert "not read" in info.reason


@pytest.mark.parametrize(
    ("family", "name", "index", "variant", "source"),
    [
        ("flux2_klein_4b", "any", {"is_distilled": True}, "distilled", "by its configuration"),
        ("flux2_klein_4b", "any", {"is_distilled": False}, "base", "by its configuration"),
        ("flux2_klein_4b", "distilled", {"is_distilled": False}, "base", "by its configuration"),
        ("flux2_klein_9b", "FLUX.2-klein-base-9B", {}, "base", "by its name"),
        ("flux3_klein", "any", {}, "base", "by its header"),
        ("z_image", "Z-Image-Turbo", {}, "turbo", "by its name"),
        ("z_image", "Z-Image", {}, "", ""),
        ("flux1", "FLUX.1-dev", {}, "dev", "by its name"),
        ("flux1", "FLUX.1-Krea-dev", {}, "krea", "by its name"),
        ("flux1", "any", {}, "dev", "by its header"),
    ],
)  # fmt: skip
def test_the_variant_is_told_with_its_source(
    tmp_path, names, write, family, name, index, variant, source
):
    root = folder(tmp_path / name, write, names[f"{family}_transformer"], family, **index)
    info = recognise(root)
    assert (info.variant, info.variant_source) == (variant, source)


def test_schnell_is_told_by_its_header_whatever_its_name(tmp_path, names, write):
    tensors = {n: s for n, s in names["flux1_transformer"].items() if "guidance_embedder" not in n}
    info = recognise(folder(tmp_path / "flux-dev", write, tensors, "flux1"))
    assert (info.variant, info.variant_source) == ("schnell", "by its header")


def test_a_copy_in_the_hub_cache_has_its_repositorys_name(tmp_path, names, write):
    place = tmp_path / "models--Tongyi-MAI--Z-Image-Turbo" / "snapshots" / ("0a" * 20)
    info = recognise(folder(place, write, names["z_image_transformer"], "z_image"))
    assert (info.variant, info.variant_source) == ("turbo", "by its name")
