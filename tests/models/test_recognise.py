import json

import pytest

from nodeforge.models import (
    FAMILIES,
    CorruptModelError,
    ModelFileError,
    PickleRefusedError,
    family_label,
    recognise,
    references_taken,
    variant_label,
)


def lora(shapes, name, rank=4):
    """The tensors of a LoRA over the attention of a network with `shapes`; `name` names one."""
    made = {}
    for key, shape in shapes.items():
        if "attn" in key and key.endswith(("to_q.weight", "to_k.weight")):
            down, up = name(key.removesuffix(".weight"))
            made |= {down: [rank, shape[1]], up: [shape[0], rank]}
    return made


def peft(key):
    return f"unet.{key}.lora_A.weight", f"unet.{key}.lora_B.weight"


def kohya(key):
    stem = "lora_unet_" + key.replace(".", "_")
    return f"{stem}.lora_down.weight", f"{stem}.lora_up.weight"


def old_diffusers(key):
    return f"unet.{key}_lora.down.weight", f"unet.{key}_lora.up.weight"


def loha(key):
    stem = "lora_unet_" + key.replace(".", "_")
    return f"{stem}.hada_w1_b", f"{stem}.hada_w1_a"


@pytest.mark.parametrize(
    ("model", "kind", "family", "layout"),
    [
        ("sd15_ldm", "checkpoint", "sd15", "ldm"),
        ("sd15_unet", "unet", "sd15", "diffusers"),
        ("sd15_vae", "vae", "sd15", "diffusers"),
        ("sd15_text_encoder", "text_encoder", "sd15", "diffusers"),
        ("sd15_controlnet", "controlnet", "sd15", "diffusers"),
        ("sdxl_unet_ldm", "unet", "sdxl", "ldm"),
        ("sdxl_unet", "unet", "sdxl", "diffusers"),
        ("sd21_unet", "unet", "sd21", "diffusers"),
    ],
)
def test_real_models_are_told_apart(tmp_path, names, write, model, kind, family, layout):
    info = recognise(write(tmp_path / "m.safetensors", names[model]))
    assert (info.kind, info.family, info.layout) == (kind, family, layout)
    assert info.dtype == "float16"
    assert not info.inpainting


def test_a_whole_checkpoint_names_its_networks_and_counts_them(tmp_path, names, write):
    info = recognise(write(tmp_path / "m.safetensors", names["sd15_ldm"]))
    assert info.parts == ("unet", "text_encoder", "vae")
    assert info.parameters == 859_520_964 + 83_653_863 + 123_060_480
    assert (info.latent_channels, info.latent_scale, info.width) == (4, 8, 768)


def test_nine_input_channels_are_inpainting(tmp_path, names, write):
    first = "model.diffusion_model.input_blocks.0.0.weight"
    info = recognise(
        write(tmp_path / "m.safetensors", {**names["sd15_ldm"], first: [320, 9, 3, 3]})
    )
    assert info.inpainting
    assert info.family == "sd15"


@pytest.mark.parametrize("model", ["sd15_unet", "sdxl_unet"])
def test_twice_the_channels_of_a_latent_are_of_an_edit_model(tmp_path, names, write, model):
    first = [320, 8, 3, 3]
    info = recognise(write(tmp_path / "m.safetensors", {**names[model], "conv_in.weight": first}))
    assert f"{info.family}_unet" == model
    assert (info.variant, info.variant_source) == ("instruct_pix2pix", "by its header")
    assert not info.inpainting
    plain = write(tmp_path / "instruct-pix2pix.safetensors", names[model])
    assert recognise(plain).variant == ""


def test_other_input_channels_are_of_no_family(tmp_path, names, write):
    info = recognise(
        write(tmp_path / "m.safetensors", {**names["sd15_unet"], "conv_in.weight": [320, 5, 3, 3]})
    )
    assert info.family is None
    assert "5 input channels" in info.reason


@pytest.mark.parametrize("trainer", [peft, kohya, old_diffusers, loha])
@pytest.mark.parametrize(
    ("model", "family"), [("sd15_unet", "sd15"), ("sdxl_unet", "sdxl"), ("sd21_unet", "sd21")]
)
def test_loras_of_all_trainers_are_told_by_their_text_width(
    tmp_path, names, write, trainer, model, family
):
    info = recognise(write(tmp_path / "l.safetensors", lora(names[model], trainer)))
    assert (info.kind, info.family) == ("lora", family)


@pytest.mark.parametrize(
    ("shapes", "kind", "reason"),
    [
        ({"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": [4, 99]}, "lora", "Flux"),
        ({"double_blocks.0.img_attn.qkv.weight": [9216, 3072]}, "unet", "Flux"),
        ({"lora_controlnet": [], "input_blocks.1.1.weight": [4]}, "controlnet", "Control-LoRA"),
        ({"emb_params": [2, 4096]}, "embedding", "no family"),
        ({"conv_first.weight": [64, 3, 3, 3]}, "unknown", "no kind"),
        ({}, "unknown", "no kind"),
    ],
)  # fmt: skip
def test_what_no_family_can_use_says_why(tmp_path, write, shapes, kind, reason):
    info = recognise(write(tmp_path / "m.safetensors", shapes))
    assert (info.kind, info.family) == (kind, None)
    assert reason in info.reason


@pytest.mark.parametrize(
    ("shapes", "family"),
    [
        ({"emb_params": [3, 768]}, "sd15"),
        ({"emb_params": [2, 1024]}, "sd21"),
        ({"clip_l": [2, 768], "clip_g": [2, 1280]}, "sdxl"),
    ],
)
def test_a_textual_inversion_is_an_embedding(tmp_path, write, shapes, family):
    info = recognise(write(tmp_path / "e.safetensors", shapes))
    assert (info.kind, info.family) == ("embedding", family)


def test_a_lora_over_the_text_encoder_alone_has_its_family(tmp_path, write):
    name = "lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight"
    assert recognise(write(tmp_path / "l.safetensors", {name: [4, 768]})).family == "sd15"


def test_metadata_decides_where_shapes_do_not(tmp_path, write):
    shapes = {"lora_unet_mid_block_resnets_0_conv1.lora_down.weight": [4, 1280, 3, 3]}
    file = write(tmp_path / "l.safetensors", shapes, metadata={"ss_base_model_version": "sd_v1"})
    assert recognise(file).family == "sd15"


def folder(root, write, names, **index):
    """A diffusers folder of SD 1.5's networks."""
    parts = {
        "unet": "UNet2DConditionModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
    }
    for part, class_name in parts.items():
        write(root / part / "model.safetensors", names[f"sd15_{part}"])
        (root / part / "config.json").write_text(json.dumps({"_class_name": class_name}))
    listed = {part: ["library", class_name] for part, class_name in parts.items()}
    (root / "model_index.json").write_text(json.dumps({**listed, **index}))
    (root / "scheduler").mkdir()
    scheduler = {"prediction_type": "v_prediction"}
    (root / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    return root


def test_a_diffusers_folder_is_one_checkpoint(tmp_path, names, write):
    info = recognise(folder(tmp_path / "m", write, names))
    assert (info.kind, info.family, info.layout) == ("checkpoint", "sd15", "diffusers-folder")
    assert info.parts == ("unet", "text_encoder", "vae")
    assert (info.latent_channels, info.latent_scale) == (4, 8)
    assert info.prediction_type == "v_prediction"
    assert info.parameters == 859_520_964 + 83_653_863 + 123_060_480


def test_a_folder_may_name_its_family(tmp_path, names, write):
    root = folder(tmp_path / "m", write, names, _nodeforge_family="nano")
    assert recognise(root).family == "nano"


@pytest.mark.parametrize(
    ("factor", "family"), [(0.18215, "sd15"), (0.13025, "sdxl"), (0.3611, None)]
)
def test_the_vae_of_a_folder_is_told_by_its_scaling_factor(tmp_path, names, write, factor, family):
    root = folder(tmp_path / "m", write, names)
    told = {"_class_name": "AutoencoderKL", "scaling_factor": factor}
    (root / "vae" / "config.json").write_text(json.dumps(told))
    assert recognise(root / "vae").family == family


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("vae-ft-mse-840000-ema-pruned", ("sd15", "sdxl", "sd21", "sdxl_refiner")),
        ("sd_xl_vae", ("sdxl", "sdxl_refiner")),
        ("fixFP16ErrorsSDXLLowerMemoryUse", ("sdxl", "sdxl_refiner")),
    ],
)
def test_a_vae_alone_is_of_all_families_with_such_latents_but_for_its_name(
    tmp_path, names, write, name, families
):
    info = recognise(write(tmp_path / f"{name}.safetensors", names["sd15_vae"]))
    assert info.families == families
    assert info.family == families[0]


@pytest.mark.parametrize(
    ("name", "metadata", "beside", "prediction"),
    [
        ("anything", {}, "", None),
        ("anything", {"modelspec.prediction_type": "v"}, "", "v_prediction"),
        ("anything", {"modelspec.architecture": "stable-diffusion-v2-768-v"}, "", "v_prediction"),
        ("anything", {"modelspec.architecture": "stable-diffusion-v2-512"}, "", "epsilon"),
        ("anything", {}, 'params:\n    parameterization: "v"\n', "v_prediction"),
        ("anything", {}, "params:\n    scale_factor: 0.18215\n", "epsilon"),
        ("v2-1_512-ema-pruned", {}, "", "epsilon"),
        ("v2-1_768-ema-pruned", {}, "", None),
        ("noob_vpred", {}, "", "v_prediction"),
    ],
)
def test_what_a_model_predicts_is_told_by_metadata_a_config_beside_it_or_its_name(
    tmp_path, names, write, name, metadata, beside, prediction
):
    file = write(tmp_path / f"{name}.safetensors", names["sd21_unet"], metadata=metadata)
    if beside:
        file.with_suffix(".yaml").write_text(beside)
    assert recognise(file).prediction_type == prediction


@pytest.mark.parametrize(
    ("name", "metadata", "zero"),
    [
        ("noob_vpred", {}, False),
        ("noob_vpred", {"ss_zero_terminal_snr": "True"}, True),
        ("noob_vpred", {"ss_zero_terminal_snr": "False"}, False),
        ("noob", {"modelspec.prediction_type": "v", "modelspec.title": "Noob ZTSNR"}, True),
        ("noob-v-pred-zero-terminal-snr", {}, True),
        ("noob_ztsnr", {"modelspec.prediction_type": "epsilon"}, False),
    ],
)
def test_noise_up_to_all_there_is_is_told_by_metadata_or_name(
    tmp_path, names, write, name, metadata, zero
):
    file = write(tmp_path / f"{name}.safetensors", names["sdxl_unet"], metadata=metadata)
    assert recognise(file).zero_snr is zero


@pytest.mark.parametrize(
    ("name", "title", "variant", "label"),
    [
        ("sd_xl_turbo_1.0_fp16", "", "turbo", "Turbo, by its name"),
        ("anything", "SDXL Lightning", "lightning", "Lightning, by its metadata"),
        ("realvisxlV40_lcm", "", "lcm", "LCM, by its name"),
        ("hyperrealism", "", "", ""),
    ],
)
def test_distilled_models_are_told_by_name_or_title(
    tmp_path, names, write, name, title, variant, label
):
    metadata = {"modelspec.title": title}
    file = write(tmp_path / f"{name}.safetensors", names["sdxl_unet_ldm"], metadata=metadata)
    info = recognise(file)
    assert info.variant == variant
    assert (family_label(info), variant_label(info)) == ("SDXL", label)


def test_a_folder_with_pickles_only_is_refused(tmp_path, names, write):
    root = folder(tmp_path / "m", write, names)
    (root / "unet" / "model.safetensors").rename(root / "unet" / "model.bin")
    with pytest.raises(PickleRefusedError):
        recognise(root)


def test_a_folder_without_weights_is_refused(tmp_path, names, write):
    root = folder(tmp_path / "m", write, names)
    (root / "unet" / "model.safetensors").unlink()
    with pytest.raises(CorruptModelError, match="no weights"):
        recognise(root)


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000, '"x"', "\0"])
def test_a_damaged_config_is_refused(tmp_path, names, write, content):
    root = folder(tmp_path / "m", write, names)
    (root / "unet" / "config.json").write_text(content)
    with pytest.raises(CorruptModelError):
        recognise(root)


def test_a_folder_cannot_name_parts_outside_of_it(tmp_path, names, write):
    root = folder(tmp_path / "m", write, names, **{"../evil": ["a", "b"]})
    assert recognise(root).parts == ("unet", "text_encoder", "vae")


def test_shards_are_read_together(tmp_path, names, write):
    root = tmp_path / "unet"
    shapes = list(names["sd15_unet"].items())
    stem = "diffusion_pytorch_model"
    halves = {f"{stem}-00001-of-00002.safetensors": shapes[:300]}
    halves[f"{stem}-00002-of-00002.safetensors"] = shapes[300:]
    for name, half in halves.items():
        write(root / name, dict(half))
    places = {key: name for name, half in halves.items() for key, _ in half}
    (root / f"{stem}.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    (root / "config.json").write_text(json.dumps({"_class_name": "UNet2DConditionModel"}))
    info = recognise(root)
    assert (info.kind, info.family, info.parameters) == ("unet", "sd15", 859_520_964)


def test_an_empty_folder_is_no_model(tmp_path):
    with pytest.raises(ModelFileError, match="without a model"):
        recognise(tmp_path)


def test_widths_tell_the_families_apart():
    unets = [family for family in FAMILIES.values() if family.denoiser == "unet"]
    assert len({family.width for family in unets}) == len(unets)


V, EPSILON, FLOW = "v_prediction", "epsilon", "flow_prediction"


@pytest.mark.parametrize(
    ("metadata", "prediction", "zero"),
    [
        ({"prediction_type": "v_prediction"}, V, False),
        ({"prediction_type": "v"}, V, False),
        ({"prediction_type": "V-Prediction"}, V, False),
        ({"modelspec.predict_key": "v"}, V, False),
        ({"modelspec.predict_key": "epsilon"}, EPSILON, False),
        ({"modelspec.prediction_type": "v_pred"}, V, False),
        ({"modelspec.prediction_type": "eps"}, EPSILON, False),
        ({"ss_v_parameterization": "True"}, V, False),
        ({"ss_v_parameterization": "true", "ss_zero_terminal_snr": "True"}, V, True),
        ({"ss_v_parameterization": "1", "ss_zero_terminal_snr": "1"}, V, True),
        ({"ss_v_parameterization": "False", "ss_zero_terminal_snr": "True"}, None, False),
        ({"prediction_type": "v", "zero_terminal_snr": "true"}, V, True),
        ({"v_pred": "true", "ztsnr": "true"}, V, True),
        ({"prediction_type": "flow_matching"}, FLOW, False),
        ({"prediction_type": "none of these"}, None, False),
        ({"prediction_type": ""}, None, False),
    ],
)
@pytest.mark.parametrize("model", ["sdxl_unet_ldm", "sd15_ldm"])
def test_every_key_of_metadata_that_tells_the_prediction_is_read(
    tmp_path, names, write, model, metadata, prediction, zero
):
    """files A9."""
    info = recognise(write(tmp_path / "a.safetensors", names[model], metadata=metadata))
    assert (info.prediction_type, info.zero_snr) == (prediction, zero)


SCALES = {
    "scaled_fp8": ([2], "scaled 8-bit"),
    "model.diffusion_model.scaled_fp8": ([2], "scaled 8-bit"),
    "{}.scale_weight": ([], "scaled 8-bit"),
    "{}.scale_input": ([1], "scaled 8-bit"),
    "{}.weight_scale": ([1], "scaled 8-bit"),
    "{}.weight_scale_inv": ([1], "scaled 8-bit"),
    "{}.weight_scale_2": ([1], "scaled 8-bit"),
    "{}.input_scale": ([1], "scaled 8-bit"),
    "{}.comfy_quant": ([40], "quantised weights of ComfyUI"),
    "{}.weight.absmax": ([40], "bitsandbytes"),
    "{}.weight.quant_state.bitsandbytes__nf4": ([40], "bitsandbytes"),
    "{}.SCB": ([320], "bitsandbytes"),
    "{}.qweight": ([4, 4], "GPTQ or AWQ"),
    "{}.weight._scale": ([4, 4], "quanto"),
    "{}.wscales": ([4, 4], "Nunchaku"),
}


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("model", ["sd15_ldm", "sdxl_unet", "sdxl_unet_ldm"])
def test_weights_that_other_tensors_scale_are_refused_by_name(tmp_path, names, write, model, name):
    """files A3: tensors that change what the weights mean are not ignored."""
    shape, said = SCALES[name]
    module = next(n for n in names[model] if n.endswith("attn1.to_q.weight"))
    more = {name.format(module.removesuffix(".weight")): shape}
    info = recognise(write(tmp_path / "a.safetensors", names[model] | more))
    assert (info.family, info.families) == (None, ())
    assert said in info.reason
    assert "not read" in info.reason


@pytest.mark.parametrize("name", ["junk.extra", "model_ema.decay", "epoch", "scale", "my_scale"])
def test_unknown_tensors_as_such_are_ignored(tmp_path, names, write, name):
    """files A3."""
    info = recognise(write(tmp_path / "a.safetensors", names["sd15_ldm"] | {name: [1]}))
    assert (info.kind, info.family) == ("checkpoint", "sd15")


@pytest.mark.parametrize("dtype", ["I8", "U8", "F8_E8M0"])
def test_weights_of_whole_numbers_are_refused(tmp_path, names, write, dtype):
    """files A3."""
    info = recognise(write(tmp_path / "a.safetensors", names["sd15_ldm"], dtype=dtype))
    assert info.family is None
    assert "quantised" in info.reason


def test_a_folder_of_quantised_weights_is_refused(tmp_path, names, write):
    """files A3."""
    write(tmp_path / "diffusion_pytorch_model.safetensors", names["sdxl_unet"])
    config = {"_class_name": "UNet2DConditionModel", "quantization_config": {"load_in_4bit": True}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    info = recognise(tmp_path)
    assert (info.family, info.reason) == (None, "quantised weights are not read")


@pytest.mark.parametrize(
    ("tensors", "family", "vectors"),
    [
        ({"clip_l": [4, 768], "clip_g": [4, 1280]}, "sdxl", 2),
        (
            {f"clip_{letter}{end}": [4, width] for letter, width in (("l", 768), ("g", 1280))
             for end in ("", "_out")},
            "sdxl",
            2,
        ),
        ({"clip_l": [4, 768], "clip_g": [4, 1280], "step": []}, "sdxl", 2),
        ({"clip_l": [4, 768], "clip_g": [4, 1280], "t5": [4, 4096]}, "sdxl", 2),
        ({"emb_params": [2, 768], "step": [1]}, "sd15", 1),
        ({"emb_params": [2, 768], "emb_params_out": [2, 768]}, "sd15", 1),
        ({"clip_l": [4, 768], "clip_l_out": [4, 768]}, "sd15", 1),
        ({"<cat>": [768]}, "sd15", 1),
        ({"*": [3, 1024], "step": []}, "sd21", 1),
        ({"string_to_param.*": [3, 768], "string_to_token.*": []}, "sd15", 1),
    ],
)  # fmt: skip
def test_an_embedding_may_hold_more_than_its_vectors(tmp_path, write, tensors, family, vectors):
    """files B7."""
    from nodeforge.models import embedding_tensors

    info = recognise(write(tmp_path / "a.safetensors", tensors))
    assert (info.kind, info.family) == ("embedding", family)
    names = embedding_tensors({name: tuple(shape) for name, shape in tensors.items()})
    assert len(names) == vectors
    assert not any(name.endswith("_out") for name in names)


@pytest.mark.parametrize(
    "config",
    [
        {"architectures": 5},
        {"architectures": {}},
        {"architectures": [5]},
        {"_class_name": ["x"]},
        {"scaling_factor": "x"},
    ],
)
def test_a_config_of_wrong_kinds_is_no_crash(tmp_path, names, write, config):
    """reliability F12."""
    write(tmp_path / "model.safetensors", names["sd15_vae"])
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert recognise(tmp_path).kind == "vae"


@pytest.mark.parametrize("places", [{"a": {}}, {"a": []}, {"a": 5}, [], 5, None, {}, {"a": "../x"}])
def test_a_list_of_shards_of_wrong_kinds_is_refused(tmp_path, places):
    """reliability F12: one bad folder hid all models."""
    index = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CorruptModelError, match="does not name the files"):
        recognise(tmp_path)


def test_edit_models_say_how_many_pictures_they_take(tmp_path, names, write):
    edits = {**names["sd15_unet"], "conv_in.weight": [320, 8, 3, 3]}
    assert references_taken(recognise(write(tmp_path / "edits.safetensors", edits))) == 1
    plain = recognise(write(tmp_path / "plain.safetensors", names["sd15_unet"]))
    assert references_taken(plain) == 0
