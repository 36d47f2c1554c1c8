import contextlib
import json
import os
import sys

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeforge.errors import RequestError
from nodeforge.models import ForbiddenModelError, MissingModelError, ModelFolders
from nodeforge.settings import ModelFolder, Settings

SHAPES = {"emb_params": [1, 768]}

settings_of_hypothesis = hypothesis.settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def put(settings, write):
    """Puts a model under a name below our own folder of models."""
    return lambda name: write(settings.models / name, SHAPES)


def folders(settings, **changes):
    return ModelFolders(Settings(home=settings.home, **changes))


@pytest.mark.parametrize("name", ["sub/a.safetensors", "sub\\a.safetensors", "sub/a", "./sub//a"])
def test_a_name_is_a_path_with_either_slash_with_or_without_suffix(settings, put, name):
    file = put("loras/sub/a.safetensors")
    assert ModelFolders(settings).find("lora", name) == file


def test_a_suffix_is_not_taken_from_a_name_with_dots(settings, put):
    file = put("checkpoints/v1.5-pruned.safetensors")
    assert ModelFolders(settings).find("checkpoint", "v1.5-pruned") == file


def test_a_model_is_looked_for_in_the_folders_of_its_kind(settings, put):
    put("checkpoints/a.safetensors")
    with pytest.raises(MissingModelError) as missing:
        ModelFolders(settings).find("lora", "a")
    assert (missing.value.kind, missing.value.name) == ("lora", "a")


def test_a_missing_model_names_the_nearest(settings, put):
    put("checkpoints/SD1.5/dreamy_v8.safetensors")
    put("checkpoints/photo.safetensors")
    with pytest.raises(MissingModelError) as missing:
        ModelFolders(settings).find("checkpoint", "dreamy_v8.safetensors")
    assert missing.value.near == ("SD1.5/dreamy_v8.safetensors",)
    assert "Did you mean 'SD1.5/dreamy_v8.safetensors'?" in str(missing.value)


FORBIDDEN = ["../x", "a/../../x", "..\\x", "", ".", "a\0b", "/etc/passwd", "~/x", "C:\\x", "C:x"]


@pytest.mark.parametrize("name", [*FORBIDDEN, "\\\\server\\x"])
def test_a_name_never_leads_out_of_the_folders(settings, put, name):
    put("loras/a.safetensors")
    with pytest.raises(ForbiddenModelError):
        ModelFolders(settings).find("lora", name)


@settings_of_hypothesis
@given(name=st.lists(st.sampled_from([*"ab./\\: ", "..", "~", "a.safetensors"])).map("".join))
def test_whatever_a_name_is_it_never_leads_out(settings, put, tmp_path, name):
    put("loras/a.safetensors")
    (tmp_path / "a.safetensors").touch()
    with contextlib.suppress(MissingModelError, ForbiddenModelError):
        found = ModelFolders(settings).find("lora", name)
        assert found.resolve().is_relative_to(settings.models.resolve())


def test_a_granted_path_is_found_wherever_it_is(tmp_path, settings, write):
    file = write(tmp_path / "elsewhere.safetensors", SHAPES)
    found = ModelFolders(settings).find("lora", str(file), granted=frozenset({file}))
    assert found == file
    with pytest.raises(ForbiddenModelError):
        ModelFolders(settings).find("lora", str(tmp_path / "x"), granted=frozenset({file}))


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_into_another_folder_and_a_linked_folder_are_followed(tmp_path, settings, write):
    real = tmp_path / "disk"
    file = write(real / "loras" / "a.safetensors", SHAPES)
    settings.models.mkdir(parents=True)
    (settings.models / "vaes").symlink_to(real / "loras")
    assert ModelFolders(settings).find("vae", "a").samefile(file)
    other = folders(settings, model_folders=(ModelFolder(str(real)),))
    (settings.models / "loras").mkdir()
    (settings.models / "loras" / "b.safetensors").symlink_to(file)
    assert other.find("lora", "b").samefile(file)


@pytest.mark.parametrize(
    ("layout", "kind", "place"),
    [
        ("comfyui", "checkpoint", "models/checkpoints"),
        ("comfyui", "lora", "loras"),
        ("comfyui", "unet", "models/unet"),
        ("comfyui", "unet", "models/diffusion_models"),
        ("comfyui", "text_encoder", "models/clip"),
        ("comfyui", "embedding", "models/embeddings"),
        ("a1111", "checkpoint", "models/Stable-diffusion"),
        ("a1111", "lora", "models/Lora"),
        ("a1111", "vae", "VAE"),
        ("a1111", "embedding", "embeddings"),
    ],
)
def test_folders_of_other_programs_are_read(tmp_path, settings, write, layout, kind, place):
    file = write(tmp_path / "app" / place / "sub" / "m.safetensors", SHAPES)
    settings_folder = ModelFolder(str(tmp_path / "app"), layout)
    assert folders(settings, model_folders=(settings_folder,)).find(kind, "sub/m") == file


def test_a_vae_is_also_found_in_a_whole_model_but_its_own_folder_comes_first(settings, put):
    whole = put("checkpoints/a.safetensors")
    assert ModelFolders(settings).find("vae", "a") == whole
    alone = put("vaes/a.safetensors")
    assert ModelFolders(settings).find("vae", "a") == alone


@pytest.mark.parametrize("name", ["x" * 5000, "\udc80", "a/" * 300 + "a"])
def test_a_name_that_no_disk_can_hold_is_missing(settings, name):
    with pytest.raises(MissingModelError):
        ModelFolders(settings).find("lora", name)


def test_what_ships_with_nano_is_found_below_its_name(tmp_path, settings, write, monkeypatch):
    shipped = tmp_path / "resources"
    monkeypatch.setattr("nodeforge.models.folders.folder_layouts.shipped", lambda _: shipped)
    nano = shipped / "models" / "nano"
    hint = {"controlnet_cond_embedding.conv_in.weight": [1], "attn2.to_k.weight": [8, 192]}
    lora = {"unet.attn2.to_k.lora_A.weight": [4, 192]}
    write(nano / "unet" / "model.safetensors", SHAPES)
    write(nano / "controlnet" / "diffusion_pytorch_model.safetensors", hint)
    write(nano / "lora" / "flat.safetensors", lora)
    for part, class_name in (("unet", "UNet2DConditionModel"), ("controlnet", "ControlNetModel")):
        (nano / part / "config.json").write_text(json.dumps({"_class_name": class_name}))
    (nano / "model_index.json").write_text(json.dumps({"unet": ["diffusers", "UNet"]}))
    found = ModelFolders(settings)
    assert [(info.listed, info.name) for info in found.scan()] == [
        ("checkpoint", "nano"),
        ("controlnet", "nano/controlnet"),
        ("lora", "nano/lora/flat.safetensors"),
    ]
    assert found.find("lora", "nano/lora/flat") == nano / "lora" / "flat.safetensors"
    assert {info.family for info in found.scan() if info.listed != "checkpoint"} == {"nano"}


YAML = """
comfyui:
    base_path: {base}
    is_default: true
    checkpoints: models/checkpoints/
    loras: |
        models/loras
        more loras
    nonsense: 3
other:
    clip: {absolute}
empty:
"""


def test_extra_model_paths_are_read(tmp_path, settings, write, put):
    write(tmp_path / "base" / "models" / "checkpoints" / "c.safetensors", SHAPES)
    write(tmp_path / "base" / "more loras" / "l.safetensors", SHAPES)
    write(tmp_path / "abs" / "t.safetensors", SHAPES)
    mine = put("checkpoints/c.safetensors")
    file = tmp_path / "extra_model_paths.yaml"
    file.write_text(YAML.format(base="base", absolute=tmp_path / "abs"))
    found = folders(settings, extra_model_paths=(str(file),))
    assert found.find("checkpoint", "c") != mine  # is_default: looked in first
    assert found.find("lora", "l").parent.name == "more loras"
    assert found.find("text_encoder", "t").parent == tmp_path / "abs"


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "!!python/object/apply:os.getcwd []", "\0"])
def test_a_damaged_extra_model_paths_is_named(tmp_path, settings, text):
    file = tmp_path / "extra.yaml"
    file.write_text(text)
    with pytest.raises(RequestError, match=r"extra\.yaml"):
        folders(settings, extra_model_paths=(str(file),))


def test_an_extra_model_paths_that_is_gone_is_named(tmp_path, settings):
    with pytest.raises(RequestError, match="gone"):
        folders(settings, extra_model_paths=(str(tmp_path / "gone.yaml"),))


def own(found):
    return [(info.listed, info.name, info.kind.value) for info in found if "nano" not in info.name]


def test_scan_lists_what_find_finds(settings, put):
    put("embeddings/e.safetensors")
    put("loras/sub/l.safetensors")
    (settings.models / "checkpoints").mkdir()
    (settings.models / "checkpoints" / "old.ckpt").write_bytes(b"\x80\x02" + bytes(20))
    found = ModelFolders(settings)
    listed = found.scan()
    assert own(listed) == [
        ("checkpoint", "old.ckpt", "unknown"),
        ("embedding", "e.safetensors", "embedding"),
        ("lora", "sub/l.safetensors", "embedding"),
    ]
    assert "pickle" in next(info for info in listed if info.name == "old.ckpt").reason
    assert all(found.find(info.listed, info.name) == info.path for info in listed if info.family)


def test_a_second_scan_reads_no_header_and_sees_changes(settings, put, write):
    file = put("embeddings/e.safetensors")
    os.utime(file, (1, 1))
    first = ModelFolders(settings).scan()
    content = file.read_bytes()
    file.write_bytes(bytes(len(content)))
    os.utime(file, (1, 1))
    assert ModelFolders(settings).scan() == first
    os.utime(file, (2, 2))
    assert own(ModelFolders(settings).scan())[0][2] == "unknown"


def test_a_whole_model_is_one_entry_and_what_came_with_it_is_found_inside(settings, write):
    root = settings.models / "checkpoints" / "m"
    write(root / "unet" / "model.safetensors", SHAPES)
    write(root / "lora" / "l.safetensors", SHAPES)
    (root / "unet" / "config.json").write_text("{}")
    (root / "model_index.json").write_text(json.dumps({"unet": ["a", "b"]}))
    names = [info.name for info in ModelFolders(settings).scan() if info.listed == "checkpoint"]
    assert [name for name in names if "nano" not in name] == ["m", "m/lora/l.safetensors"]
    assert ModelFolders(settings).find("checkpoint", "m") == root


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_loop_of_links_ends(settings, put):
    put("loras/a.safetensors")
    (settings.models / "loras" / "again").symlink_to(settings.models / "loras")
    assert len(own(ModelFolders(settings).scan())) == 1
