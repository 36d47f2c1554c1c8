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
