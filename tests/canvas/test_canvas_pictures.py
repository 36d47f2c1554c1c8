"""Pictures onto the canvas and back: every kind of file, and its own values again."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from nodeforge.canvas import (
    Brush,
    Canvas,
    CanvasSizeError,
    ColourPaint,
    Sample,
    State,
    Stroke,
    add_picture,
    composite,
    crop_canvas,
    export_picture,
    flatten,
    open_picture,
    pictured,
    set_layer,
    state_of,
)
from nodeforge.imaging import (
    Box,
    PictureError,
    PictureFormat,
    PictureTooLargeError,
    decode,
    decode_stored,
    to_bytes,
)
from support.colour_profile import linear_rgb_profile

VALUES = np.random.default_rng(0).integers(0, 256, (40, 60, 4), dtype=np.uint8)


def saved(image, format="PNG", **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def shown(state):
    return composite(pictured(state), state.box)


def sixteen_bits():
    return cv2.imencode(".png", (VALUES[..., :3].astype(np.uint16) * 257))[1].tobytes()


def animation():
    frames = [Image.fromarray(np.roll(VALUES[..., :3], i, 0)) for i in range(3)]
    return saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(Image.fromarray(VALUES[..., :3]), exif=exif)


RGB = Image.fromarray(VALUES[..., :3])
KINDS = {
    "rgb": lambda: saved(RGB),
    "alpha": lambda: saved(Image.fromarray(VALUES)),
    "grey": lambda: saved(RGB.convert("L")),
    "palette": lambda: saved(RGB.quantize(40)),
    "cmyk": lambda: saved(RGB.convert("CMYK"), "JPEG", quality=95),
    "16 bits": sixteen_bits,
    "animated": animation,
    "turned": turned,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_opens_as_it_is_decoded(kind):
    data = KINDS[kind]()
    state = state_of(open_picture(data, "cat.png"))
    expected = to_bytes(decode(data).pixels)
    assert (state.height, state.width) == expected.shape[:2]
    assert state.layers[0].name == "cat"
    pixels = shown(state)
    if expected.shape[2] == 3:
        assert np.array_equal(pixels[..., :3], expected)
        assert (pixels[..., 3] == 255).all()
    else:
        assert np.array_equal(pixels[..., 3], expected[..., 3])


@pytest.mark.parametrize("kind", ["rgb", "alpha", "palette", "turned"])
@pytest.mark.parametrize("format", [PictureFormat.PNG, PictureFormat.WEBP])
def test_an_untouched_picture_is_written_back_bit_for_bit(kind, format):
    data = KINDS[kind]()
    out = export_picture(state_of(open_picture(data)), format, quality=100)
    assert np.array_equal(decode(out).pixels, decode(data).pixels)


def painted_on(state, colour=(255, 0, 0, 255)):
    """The state with a red spot in its upper left corner."""
    canvas = Canvas(state)
    stroke = Stroke(canvas, Brush(10, 1.0), ColourPaint(colour))
    stroke.begin(Sample(10, 10))
    return canvas.state


def test_colours_are_shown_in_srgb_and_written_in_their_own_profile():
    profile = linear_rgb_profile()
    data = saved(RGB, icc_profile=profile)
    state = state_of(open_picture(data))
    assert not np.array_equal(shown(state)[..., :3], VALUES[..., :3])
    out = export_picture(painted_on(state), PictureFormat.PNG)
    back = decode_stored(out)
    assert back.profile == profile
    spot = (slice(8, 12), slice(8, 12))
    untouched = np.ones((40, 60), bool)
    untouched[3:17, 3:17] = False
    assert np.array_equal(back.pixels[untouched], VALUES[..., :3][untouched])
    assert np.abs(back.pixels[spot].astype(int) - (255, 0, 0)).max() <= 2
    assert to_bytes(decode(out).pixels)[10, 10, 0] >= 254


def test_own_values_are_found_again_after_a_crop_and_beneath_nothing_else(document):
    canvas = Canvas(state_of(open_picture(saved(Image.fromarray(VALUES)))))
    document.perform(set_layer(canvas, canvas.layers[0].id, offset=(5, -3)))
    document.perform(crop_canvas(canvas, Box(8, 2, 40, 30)))
    out = decode_stored(export_picture(canvas.state, PictureFormat.PNG))
    assert np.array_equal(out.pixels, VALUES[5:35, 3:43])


def test_a_picture_is_added_in_the_middle(document):
    canvas = Canvas(State(100, 100))
    document.perform(add_picture(canvas, open_picture(saved(RGB), "fox.png")))
    assert canvas.active.name == "fox"
    assert canvas.active.tiles.bounds().moved(*canvas.active.offset) == Box(20, 30, 60, 40)
    document.perform(add_picture(canvas, open_picture(saved(RGB)), 1, 2))
    assert canvas.active.offset == (1, 2)


def test_a_flattened_export_carries_its_texts():
    state = state_of(open_picture(saved(RGB)))
    out = export_picture(state, PictureFormat.PNG, {"nodeforge": "{}"})
    assert decode(out).text == {"nodeforge": "{}"}


def test_damaged_and_empty_pictures_are_refused():
    whole = KINDS["rgb"]()
    for data in (b"", whole[:100], whole[: len(whole) // 2], b"not a picture"):
        with pytest.raises(PictureError):
            open_picture(data)


def test_a_picture_of_no_size_is_refused():
    empty = bytearray(KINDS["rgb"]())
    empty[16:24] = bytes(8)  # the width and height that the file says
    with pytest.raises(PictureError):
        open_picture(bytes(empty))


def test_a_huge_picture_is_refused_with_the_limit_before_it_is_decoded():
    wide = saved(Image.new("1", (9000, 8000)))
    with pytest.raises(PictureTooLargeError, match="9000 × 8000 pixels; up to 67 million"):
        open_picture(wide)
    with pytest.raises(CanvasSizeError, match=r"8200 × 10 .* 8192"):
        state_of(open_picture(saved(Image.new("1", (8200, 10)))))


def test_a_profile_for_other_channels_is_left_out():
    grey = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = saved(RGB, icc_profile=grey)
    out = export_picture(state_of(open_picture(data)), PictureFormat.PNG)
    assert np.array_equal(to_bytes(decode(out).pixels), to_bytes(decode(data).pixels))


def test_own_values_outlive_a_flattening(document):
    canvas = Canvas(state_of(open_picture(saved(RGB, icc_profile=linear_rgb_profile()))))
    document.perform(set_layer(canvas, "picture", offset=(5, -3)))
    document.perform(flatten(canvas))
    out = decode_stored(export_picture(canvas.state, PictureFormat.PNG))
    assert np.array_equal(out.pixels[:37, 5:, :3], VALUES[3:, :55, :3])
