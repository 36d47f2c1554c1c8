"""What a denoiser that comes alone needs is found by headers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nodeforge.errors import RequestError
from nodeforge.models import MissingCompanionError, ModelFolders, needs_of, recognise
from nodeforge.settings import ModelFolder

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
def found(tree, settings):
    """The names of what is found, by port."""

    def find(given=None, **more):
        laid = replace(settings, model_folders=[ModelFolder(str(tree), "comfyui")])
        folders = ModelFolders(laid)
        model = folders.find("checkpoint", "z_image_turbo.safetensors")
        made = folders.companions(model, given or {}, **more)
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
    assert found(locked={locked})["text_encoder"] == locked.name


def test_what_is_missing_is_named_with_its_usual_file(found, tree):
    (tree / "text_encoders" / "qwen_3_4b.safetensors").unlink()
    with pytest.raises(MissingCompanionError) as error:
        found()
    assert "Z-Image needs the text encoder Qwen3-4B" in str(error.value)
    assert "'qwen_3_4b.safetensors', about 8 GB" in error.value.way_out


def test_another_size_of_the_encoder_is_refused_before_the_run(found, tree):
    with pytest.raises(RequestError, match="not what Z-Image needs: the text encoder Qwen3-4B"):
        found({"text_encoder": tree / "text_encoders" / "a_qwen_3_8b.safetensors"})


def test_whole_models_need_nothing(names, write, tmp_path):
    file = write(tmp_path / "sd.safetensors", names["sd15_ldm"])
    assert needs_of(recognise(file)) == ()
