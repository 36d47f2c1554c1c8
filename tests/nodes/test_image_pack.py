import re

import pytest
import torch

from nodeforge.api import Image, SizeMismatchError
from nodeforge.imaging import (
    BlendMode,
    Edge,
    Fit,
    PictureError,
    PictureFormat,
    SaveError,
    decode,
    read_text,
)
from nodeforge.imaging.colour import ColourError

PARAMETERS = (
    "a fox/wolf\nNegative prompt: blur, fog\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, "
    "CFG scale: 5.0, Seed: 7, Size: 40x30, Model: animals/fox_v1.safetensors, Version: 0.1"
)


def test_what_is_saved_is_loaded_again_with_its_workflow(nodes, image, run):
    pictures = image(batch=3)
    nodes["image.save"](run, pictures, "sets/fox")
    assert [path.name for path in run.files] == [f"fox_{i:05}.png" for i in (1, 2, 3)]
    assert run.files[0].parent == run.outputs / "sets"
    for number, path in enumerate(run.files):
        loaded = nodes["image.load"](path)
        assert torch.equal(loaded.image.pixels[0], pictures.pixels[number])
        assert loaded.mask.values.max() == 0
        assert read_text(path) == run.stamp


@pytest.mark.parametrize("format", list(PictureFormat))
def test_every_format_has_its_suffix_and_the_workflow(nodes, image, run, format):
    nodes["image.save"](run, image(), format=format)
    assert run.files[0].suffix == format.suffix
    assert decode(run.files[0]).text == run.stamp


@pytest.mark.parametrize("prefix", ["../x", "/etc/x", "a/../../x", "C:\\x", "\\x", "~/x"])
def test_nothing_is_saved_outside_of_the_outputs(nodes, image, run, prefix):
    with pytest.raises(SaveError, match="leads out"):
        nodes["image.save"](run, image(), prefix)
    assert run.files == []


@pytest.mark.parametrize("prefix", ["", "a/", "why:{}*?", ".hidden", "fox\x00"])
def test_odd_names_are_made_usable(nodes, image, run, prefix):
    nodes["image.save"](run, image(), prefix)
    assert run.files[0].is_relative_to(run.outputs)
    assert run.files[0].name.endswith("_00001.png")


def test_words_in_braces_name_what_made_the_picture(nodes, image, run):
    run.stamp = {"parameters": PARAMETERS}
    nodes["image.save"](run, image(batch=2), "{model}/{prompt} {seed} {width}x{height}")
    assert [str(path.relative_to(run.outputs)) for path in run.files] == [
        "fox_v1/a fox_wolf 7 40x30_00001.png",
        "fox_v1/a fox_wolf 8 40x30_00001.png",
    ]
    nodes["image.save"](run, image(), "{sampler}_{schedule}_{steps}_{scale}")
    assert run.files[2].name == "DPM++ 2M_Karras_20_5.0_00001.png"
    nodes["image.save"](run, image(), "{date}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_00001\.png", run.files[3].name)


@pytest.mark.parametrize("format", list(PictureFormat))
def test_each_picture_of_a_batch_carries_its_own_seed(nodes, image, run, format):
    """files A16."""
    prompt = "Seed: 1, a fox\nSteps: 2, Seed: 3"
    facts = "Steps: 20, Seed: 5, Size: 8x8, Model: Seed: 5"
    run.stamp = {"nodeforge": "{}", "parameters": f"{prompt}\n{facts}"}
    nodes["image.save"](run, image(batch=3), format=format)
    told = [read_text(path) for path in run.files]
    assert [each["parameters"] for each in told] == [
        f"{prompt}\n{facts.replace('Seed: 5, ', f'Seed: {seed}, ')}" for seed in (5, 6, 7)
    ]
    assert all(each["nodeforge"] == "{}" for each in told)


def test_the_seed_of_a_picture_of_one_draw_is_followed_by_its_place(nodes, image, run):
    run.stamp = {"parameters": f"{PARAMETERS}, Batch size: 2, Convention: ComfyUI"}
    nodes["image.save"](run, image(batch=2), "{seed}")
    assert [path.name for path in run.files] == ["7_0_00001.png", "7_1_00001.png"]
    assert "Seed: 7, Batch pos: 1" in read_text(run.files[1])["parameters"]
    run.stamp = {"parameters": f"{PARAMETERS}, Convention: ComfyUI"}
    nodes["image.save"](run, image(), "{seed}")
    assert run.files[2].name == "7_00001.png"


def test_what_a_run_has_not_is_none_and_what_stands_for_nothing_is_refused(nodes, image, run):
    nodes["image.save"](run, image(), "{seed}")
    assert run.files[0].name == "none_00001.png"
    with pytest.raises(SaveError, match=r"\{sed\} stands for nothing") as refused:
        nodes["image.save"](run, image(), "fox_{sed}")
    assert refused.value.way_out.startswith("Did you mean {seed}? Use {date}, {time}")


def test_transparency_is_loaded_as_alpha_and_as_mask(nodes, image, run):
    picture = image(channels=4)
    nodes["image.save"](run, picture)
    loaded = nodes["image.load"](run.files[0])
    assert torch.equal(loaded.image.pixels, picture.pixels)
    assert torch.equal(loaded.mask.values, 1 - picture.pixels[..., 3])


def test_a_file_that_is_no_picture_is_named(nodes, tmp_path):
    (tmp_path / "x.png").write_text("words")
    with pytest.raises(PictureError, match=r"x\.png"):
        nodes["image.load"](tmp_path / "x.png")


def test_preview_passes_pictures_on(nodes, image):
    picture = image()
    assert nodes["image.preview"](picture) is picture


@pytest.mark.parametrize(
    ("width", "height", "size"), [(20, 10, (20, 10)), (20, 0, (20, 15)), (0, 15, (20, 15))]
)
@pytest.mark.parametrize("fit", list(Fit))
def test_a_side_of_0_follows_from_the_other(nodes, image, width, height, size, fit):
    made = nodes["image.resize"](image(batch=2), width, height, fit)
    assert (made.batch, made.width, made.height) == (2, *size)


def test_cropping_undoes_padding(nodes, image):
    picture = image(batch=2, channels=4)
    padded = nodes["image.pad"](picture, 3, 4, 5, 6, Edge.COLOUR, "#ff0000")
    assert padded.image.pixels[1, 0, 0].tolist() == [1, 0, 0, 1]
    assert padded.mask.values.sum() == 48 * 40 - 40 * 30
    back = nodes["image.crop"](padded.image, 3, 4, 40, 30)
    assert torch.equal(back.pixels, picture.pixels)


def test_a_wrong_colour_is_named(nodes, image):
    with pytest.raises(ColourError, match="'reddish' is no colour"):
        nodes["image.pad"](image(), colour="reddish")


def test_one_picture_is_blended_with_each_of_a_batch(nodes, image):
    base, over = image(batch=1, seed=1), image(batch=3, seed=2)
    made = nodes["image.blend"](base, over, BlendMode.NORMAL, 1.0)
    assert torch.equal(made.pixels, over.pixels)


def test_batches_that_do_not_fit_are_refused(nodes, image):
    with pytest.raises(SizeMismatchError, match="2 pictures, another 3"):
        nodes["image.blend"](image(batch=2), image(batch=3))


def test_sizes_that_do_not_fit_are_refused_with_both_named(nodes, image, mask):
    with pytest.raises(SizeMismatchError, match="40 × 30 pixels, the other 41 × 30"):
        nodes["image.blend"](image(), image(41, 30))
    with pytest.raises(SizeMismatchError, match="40 × 30 pixels, the picture 41 × 30"):
        nodes["image.composite"](image(41, 30), image(41, 30), mask())


def test_a_composite_keeps_every_bit_outside_of_the_mask(nodes, image, mask):
    base, over = image(batch=2, seed=1), image(seed=2)
    made = nodes["image.composite"](base, over, mask())
    inside = mask().values[0] == 1
    assert torch.equal(made.pixels[:, ~inside], base.pixels[:, ~inside])
    assert torch.equal(made.pixels[1, inside], over.pixels[0, inside])


def test_colours_are_matched_with_and_without_a_mask(nodes, image, mask):
    picture, reference = image(batch=2, seed=1), image(seed=2)
    dark = Image(reference.pixels * 0.5)
    assert nodes["image.match_colour"](picture, dark).pixels.mean() < 0.35
    masked = nodes["image.match_colour"](picture, reference, mask())
    assert masked.pixels.shape == picture.pixels.shape


def test_adjusting_nothing_keeps_every_bit(nodes, image):
    assert torch.equal(nodes["image.adjust"](image()).pixels, image().pixels)


def test_edges_are_found_in_every_picture(nodes, image):
    made = nodes["image.edges"](image(batch=2))
    assert set(made.pixels.unique().tolist()) <= {0, 1}
    assert made.batch == 2


def test_a_grid_holds_all_pictures_of_all_batches(nodes, image):
    made = nodes["image.grid"]([image(4, 4, batch=2), image(6, 6, channels=4)], columns=3, gap=1)
    assert (made.batch, made.width, made.height) == (1, 20, 6)
    assert made.has_alpha


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("a:b", "a_b"),
        ("C:x", "C_x"),
        ("a?b*c", "a_b_c"),
        ("~x", "~x"),
        ("NUL", "_NUL"),
        ("con.txt", "_con.txt"),
        ("sub/aux/x", "x"),
        ("x. ", "x"),
        ("no\udcffutf8", "no_utf8"),
        ("half\ud800", "half_"),
    ],
)
def test_a_name_is_made_one_that_every_system_takes(nodes, image, run, prefix, name):
    """files C8, C1: 'a:b' leads nowhere."""
    nodes["image.save"](run, image(), prefix)
    assert run.files[0].name == f"{name}_00001.png"
    assert run.files[0].is_relative_to(run.outputs)


@pytest.mark.parametrize("letter", ["x", "é", "猫", "🐱"])
@pytest.mark.parametrize("place", ["{}", "sub/{}", "{}/x"])
@pytest.mark.parametrize("format", list(PictureFormat))
def test_a_long_name_is_cut_to_what_disks_hold(nodes, image, run, letter, place, format):
    """files C8: 255 bytes, not letters."""
    nodes["image.save"](run, image(), place.format(letter * 300), format=format)
    assert run.files[0].is_file()
    assert run.files[0].name.endswith(f"_00001{format.suffix}")


@pytest.mark.parametrize(
    "prompt", ["..", "../../x", "~/x", "/abs", "C:\\x", "🐱" * 60, "a\udcffb", "."]
)
def test_what_a_prompt_says_never_spoils_the_name(nodes, image, run, prompt):
    """files C8: words are filled after the run, when an error would lose the picture."""
    run.stamp = {"parameters": f"{prompt}\nSteps: 2, Seed: 5"}
    nodes["image.save"](run, image(), "{date}_{prompt}")
    nodes["image.save"](run, image(), "{prompt}")
    assert all(path.is_file() and path.is_relative_to(run.outputs) for path in run.files)
    assert len(run.files) == 2


@pytest.mark.parametrize("format", list(PictureFormat))
def test_texts_with_half_characters_do_not_lose_the_picture(nodes, image, run, format):
    """files C1: names of files that are no UTF-8."""
    run.stamp = {"nodeforge": '{"file": "bad\udcff"}', "parameters": "x\nModel: bad\udcff, Seed: 5"}
    nodes["image.save"](run, image(), "{model}", format=format)
    assert read_text(run.files[0])["parameters"] == "x\nModel: bad?, Seed: 5"
