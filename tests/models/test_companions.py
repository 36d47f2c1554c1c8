"""What a denoiser that comes alone needs is found by headers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nodeforge.errors import RequestError
from nodeforge.formats import load
from nodeforge.lint import Severity, companion_locks, lint
from nodeforge.models import (
    COMPANIONS,
    MissingCompanionError,
    ModelFolders,
    locked_entry,
    needs_of,
    recognise,
)
from nodeforge.settings import ModelFolder, Settings, shipped
from nodeforge.spec import Catalogue
from tests.support.problems import serious

CATALOGUE = Catalogue.shipped()

Z_IMAGE = {
    "cap_pad_token": [1, 3840],
    "x_embedder.weight": [3840, 64],
    "cap_embedder.1.weight": [3840, 2560],
    "final_layer.linear.weight": [64, 3840],
}


def qwen(width):
    return {
        "model.embed_tokens.weight": [151936, width],
        "model.layers.0.self_attn.q_norm.weight": [128],
        "model.layers.0.mlp.gate_proj.weight": [4 * width, width],
    }


@pytest.fixture
def ae(names):
    """Flux.1's autoencoder, by the names of its tensors."""
    ldm = {n.removeprefix("first_stage_model."): s for n, s in names["sd15_vae_ldm"].items()}
    ldm = {name: shape for name, shape in ldm.items() if "quant_conv" not in name}
    return {**ldm, "decoder.conv_in.weight": [512, 16, 3, 3]}


@pytest.fixture
def tree(tmp_path, write, ae):
    """A folder as ComfyUI has it: the model, both companions, and others of their kinds."""
    root = tmp_path / "ComfyUI" / "models"
    write(root / "diffusion_models" / "z_image_turbo.safetensors", Z_IMAGE, "BF16")
    write(root / "text_encoders" / "qwen_3_4b.safetensors", qwen(2560), "BF16")
    write(root / "text_encoders" / "a_qwen_3_8b.safetensors", qwen(4096), "BF16")
    write(root / "vae" / "ae.safetensors", ae, "BF16")
    return root


@pytest.fixture
def folders(tree, settings):
    """Makes the model folders, with what lies in them now."""
    laid = replace(settings, model_folders=[ModelFolder(str(tree), "comfyui")])
    return lambda: ModelFolders(laid)


@pytest.fixture
def found(folders):
    """The names of what is found, by port."""

    def find(given=None, **more):
        folders_now = folders()
        model = folders_now.find("checkpoint", "z_image_turbo.safetensors")
        made = folders_now.companions(model, given or {}, **more)
        return {port: path.name for port, path in made.items()}

    return find


def test_the_right_kind_and_width_is_found(found):
    assert found() == {"text_encoder": "qwen_3_4b.safetensors", "vae": "ae.safetensors"}


def test_what_is_given_is_not_looked_for(found, tree, write):
    mine = write(tree / "mine" / "my_qwen.safetensors", qwen(2560), "F16")
    assert found({"text_encoder": mine}) == {"vae": "ae.safetensors"}
    with pytest.raises(RequestError, match=r"'my_qwen\.safetensors' is not what Z-Image needs"):
        found({"vae": mine})


def test_the_highest_precision_goes_first_and_then_the_name(found, tree, write):
    folder = tree / "text_encoders"
    write(folder / "a_qwen_3_4b_fp8.safetensors", qwen(2560), "F8_E4M3")
    assert found()["text_encoder"] == "qwen_3_4b.safetensors"
    write(folder / "b_qwen_3_4b_fp32.safetensors", qwen(2560), "F32")
    assert found()["text_encoder"] == "b_qwen_3_4b_fp32.safetensors"


def test_what_the_lock_names_goes_before_all(found, tree, write):
    folder = tree / "text_encoders"
    locked = write(folder / "z_qwen_3_4b_fp8.safetensors", qwen(2560), "F8_E4M3")
    info = replace(recognise(locked), name="moved since.safetensors")
    assert found(locked={"text_encoder": locked_entry(info)})["text_encoder"] == locked.name
    assert found(locked={"text_encoder": locked_entry(info) | {"quick": "0"}})["text_encoder"] == (
        "qwen_3_4b.safetensors"
    )


@pytest.mark.parametrize("entry", [None, 3, {}, {"name": 3}, {"size": "9", "quick": []}])
def test_a_lock_of_anything_is_passed_over(found, entry):
    assert found(locked={"text_encoder": entry})["text_encoder"] == "qwen_3_4b.safetensors"


def test_what_is_missing_is_named_with_its_usual_file(found, tree):
    (tree / "text_encoders" / "qwen_3_4b.safetensors").unlink()
    with pytest.raises(MissingCompanionError) as error:
        found()
    assert "Z-Image needs the text encoder Qwen3-4B" in str(error.value)
    assert "'qwen_3_4b.safetensors', about 8 GB" in error.value.way_out


def test_another_size_of_the_encoder_is_refused_before_the_run(found, tree):
    with pytest.raises(RequestError, match="not what Z-Image needs: the text encoder Qwen3-4B"):
        found({"text_encoder": tree / "text_encoders" / "a_qwen_3_8b.safetensors"})


@pytest.fixture
def of_sd3(tree, folders, write, names, ae):
    """What is found for SD 3.5, by port, in the same folder with its text encoders and VAE."""
    write(tree / "diffusion_models" / "sd3.5_medium.safetensors", names["sd3_original"], "BF16")
    for name, kind in (
        ("clip_l", "sd15_text_encoder"),
        ("clip_g", "clip_g"),
        ("t5xxl_fp16", "t5_xxl"),
    ):
        write(tree / "text_encoders" / f"{name}.safetensors", names[kind], "F16")
    write(tree / "vae" / "sd3.5_vae.safetensors", ae, "F32")
    write(tree / "vae" / "any.safetensors", ae, "F32")

    def find(**given):
        there = folders()
        made = there.companions(there.find("unet", "sd3.5_medium.safetensors"), given)
        return {port: path.name.partition(".safe")[0] for port, path in made.items()}

    return find


def test_the_vae_of_another_family_with_its_shapes_is_not_taken(of_sd3):
    assert of_sd3() == {
        "text_encoder": "clip_l",
        "text_encoder_2": "clip_g",
        "text_encoder_3": "t5xxl_fp16",
        "vae": "sd3.5_vae",
    }


def test_a_text_encoder_that_may_be_left_out_is_where_others_are_chosen(of_sd3, tree):
    texts = tree / "text_encoders"
    chosen = {
        "text_encoder": texts / "clip_l.safetensors",
        "text_encoder_2": texts / "clip_g.safetensors",
    }
    assert of_sd3(**chosen) == {"vae": "sd3.5_vae"}
    assert of_sd3(text_encoder=texts / "t5xxl_fp16.safetensors") == {
        "text_encoder_2": "clip_l",
        "text_encoder_3": "clip_g",
        "vae": "sd3.5_vae",
    }


def test_it_is_left_out_where_it_is_in_no_folder(of_sd3, tree):
    (tree / "text_encoders" / "t5xxl_fp16.safetensors").unlink()
    assert of_sd3() == {"text_encoder": "clip_l", "text_encoder_2": "clip_g", "vae": "sd3.5_vae"}
    (tree / "text_encoders" / "clip_g.safetensors").unlink()
    with pytest.raises(MissingCompanionError, match="SD 3 needs the text encoder OpenCLIP-G"):
        of_sd3()


def test_text_encoders_of_one_kind_and_other_training_are_told_by_their_names(
    tree, folders, write, names
):
    write(tree / "diffusion_models" / "anima-base-v1.0.safetensors", names["anima_original"])
    write(tree / "text_encoders" / "qwen_0.6b_ace15.safetensors", qwen(1024), "F32")
    write(tree / "vae" / "qwen_image_vae.safetensors", names["wan_vae"], "BF16")

    def find():
        there = folders()
        model = there.find("unet", "anima-base-v1.0.safetensors")
        return there.companions(model, {})["text_encoder"].name

    with pytest.raises(MissingCompanionError) as error:
        find()
    assert "'qwen_3_06b_base.safetensors'" in error.value.way_out
    chosen = {"text_encoder": tree / "text_encoders" / "qwen_0.6b_ace15.safetensors"}
    there = folders()
    model = there.find("unet", "anima-base-v1.0.safetensors")
    assert [*there.companions(model, chosen)] == ["vae"]  # a person may know better
    write(tree / "text_encoders" / "my qwen.safetensors", qwen(1024), "F8_E4M3")
    assert find() == "my qwen.safetensors"


def test_whole_models_need_nothing(names, write, tmp_path):
    file = write(tmp_path / "sd.safetensors", names["sd15_ldm"])
    assert needs_of(recognise(file)) == ()


@pytest.fixture
def document():
    """The shipped workflow with a denoiser that comes alone."""
    document = load(shipped("workflows") / "text_to_image.json")
    document.node("model").values["file"] = "z_image_turbo.safetensors"
    return document


def test_a_folder_with_a_denoiser_alone_finds_what_ships(tmp_path):
    folders = ModelFolders(Settings(home=tmp_path))
    path = folders.find("checkpoint", "nano-edit")
    info = folders.info("checkpoint", "nano-edit", frozenset())
    assert (info.family, info.variant, info.parts) == ("nano", "edit", ("unet",))
    there = folders.companions(path, {})
    nano = shipped("resources") / "models" / "nano"
    assert {port: each.path for port, each in there.items()} == {
        "text_encoder": nano / "text_encoder",
        "vae": nano / "vae",
    }
    assert folders.companions(nano, {}) == {}


def test_what_is_missing_is_said_at_its_port_before_a_run(document, folders, tree):
    assert serious(lint(document, CATALOGUE, folders())) == []
    (tree / "vae" / "ae.safetensors").unlink()
    (problem,) = serious(lint(document, CATALOGUE, folders()))
    assert (problem.node, problem.port, problem.severity) == ("model", "vae", Severity.ERROR)
    assert problem.fact.startswith("Z-Image needs the VAE of Flux.1")


def test_files_chosen_by_hand_do_not_change_the_family(document, folders):
    document.node("model").values.update(text_encoder="qwen_3_4b.safetensors", vae="ae.safetensors")
    assert serious(lint(document, CATALOGUE, folders())) == []
    document.node("model").values["text_encoder"] = "a_qwen_3_8b.safetensors"
    (problem,) = serious(lint(document, CATALOGUE, folders()))
    assert (problem.node, problem.port) == ("model", "text_encoder")
    assert "is not what Z-Image needs: the text encoder Qwen3-4B" in problem.fact


def test_a_file_that_is_added_later_never_changes_a_locked_choice(document, folders, tree, write):
    locks = companion_locks(document, CATALOGUE, folders())
    assert {port: entry["name"] for port, entry in locks["model"].items()} == {
        "text_encoder": "qwen_3_4b.safetensors",
        "vae": "ae.safetensors",
    }
    write(tree / "text_encoders" / "better_qwen_3_4b.safetensors", qwen(2560), "F32")
    assert companion_locks(document, CATALOGUE, folders()) != locks
    document.lock[COMPANIONS] = locks
    assert companion_locks(document, CATALOGUE, folders()) == locks
