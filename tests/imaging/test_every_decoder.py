"""Every reader of a picture file against every kind of file: they agree on its pixels."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from nodeforge.canvas import export_picture, open_picture, state_of
from nodeforge.imaging import (
    PictureError,
    PictureFormat,
    check_picture,
    decode,
    decode_bytes,
    decode_stored,
    picture_size,
    to_bytes,
)
from support.colour_profile import linear_rgb_profile, profile_named, rgb_profile

HEIGHT, WIDTH = 6, 10
RGBA = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
DEEP = np.linspace(0, 65535, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
ORIENTATION = 0x0112
UNDO = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
"""Orientations to `Image.Transpose`: each one's inverse."""


def saved(image, format="PNG", **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def coloured(mode):
    colours = RGBA[..., :3].copy()
    colours[0, 0] = 1, 2, 3
    return Image.fromarray(colours).convert(mode)


def with_cv2(suffix, array):
    return cv2.imencode(suffix, array)[1].tobytes()


def palette():
    return saved(coloured("RGB").quantize(16), transparency=3)


RGB16 = RGBA[..., :3].astype(np.uint16) * 257 - 60
RGBA16 = RGBA.astype(np.uint16) * 257
GREY_GAMMA_1 = profile_named("linear grey", grey=True)
FILES = {
    "PNG 1": saved(coloured("1")),
    "PNG L": saved(coloured("L")),
    "PNG LA": saved(Image.fromarray(RGBA).convert("LA")),
    "PNG L, transparent grey": saved(coloured("L"), transparency=7),
    "PNG P": palette(),
    "PNG RGB": saved(coloured("RGB")),
    "PNG RGB, transparent colour": saved(coloured("RGB"), transparency=(1, 2, 3)),
    "PNG RGBA, hidden colours": saved(Image.fromarray(RGBA * np.uint8([1, 1, 1, 0]))),
    "PNG RGBA": saved(Image.fromarray(RGBA)),
    "PNG I;16": saved(Image.fromarray(DEEP.astype(np.uint16))),
    "PNG RGB 16": with_cv2(".png", RGB16),
    "PNG RGBA 16": with_cv2(".png", RGBA16),
    "JPEG L": saved(coloured("L"), "JPEG"),
    "JPEG RGB": saved(coloured("RGB"), "JPEG"),
    "JPEG CMYK": saved(coloured("CMYK"), "JPEG"),
    "WEBP RGB": saved(coloured("RGB"), "WEBP", lossless=True),
    "WEBP RGBA": saved(Image.fromarray(RGBA), "WEBP", lossless=True, exact=True),
    "AVIF RGB": saved(coloured("RGB"), "AVIF"),
    "AVIF RGBA": saved(Image.fromarray(RGBA), "AVIF"),
    "GIF": saved(coloured("RGB").quantize(16), "GIF", transparency=2),
    "BMP L": saved(coloured("L"), "BMP"),
    "BMP RGB": saved(coloured("RGB"), "BMP"),
    "TIFF 1": saved(coloured("1"), "TIFF"),
    "TIFF L": saved(coloured("L"), "TIFF"),
    "TIFF LA": saved(Image.fromarray(RGBA).convert("LA"), "TIFF"),
    "TIFF P": saved(coloured("P"), "TIFF"),
    "TIFF RGB": saved(coloured("RGB"), "TIFF"),
    "TIFF RGB, packed": saved(coloured("RGB"), "TIFF", compression="tiff_lzw"),
    "TIFF RGBA": saved(Image.fromarray(RGBA), "TIFF"),
    "TIFF CMYK": saved(coloured("CMYK"), "TIFF"),
    "TIFF LAB": saved(ImageCms.profileToProfile(
        coloured("RGB"), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"),
        outputMode="LAB"), "TIFF"),
    "TIFF YCbCr": saved(coloured("YCbCr"), "TIFF"),
    "TIFF I;16": saved(Image.fromarray(DEEP.astype(np.uint16)), "TIFF"),
    "TIFF I;16B": saved(Image.frombytes("I;16B", (WIDTH, HEIGHT), DEEP.astype(">u2").tobytes()),
                        "TIFF"),
    "TIFF I": saved(Image.fromarray(DEEP.astype(np.int32)), "TIFF"),
    "TIFF F": saved(Image.fromarray((DEEP / 65535).astype(np.float32)), "TIFF"),
    "TIFF RGB 16": with_cv2(".tiff", RGB16),
    "TIFF RGBA 16": with_cv2(".tiff", RGBA16),
    "PNG RGB, linear": saved(coloured("RGB"), icc_profile=linear_rgb_profile()),
    "PNG RGBA, linear": saved(Image.fromarray(RGBA), icc_profile=linear_rgb_profile()),
    "PNG LA, linear grey": saved(Image.fromarray(RGBA).convert("LA"), icc_profile=GREY_GAMMA_1),
    "PNG L, linear RGB": saved(coloured("L"), icc_profile=linear_rgb_profile()),
    "PNG P, linear": saved(coloured("P"), icc_profile=linear_rgb_profile()),
    "TIFF F, linear grey": saved(
        Image.fromarray((DEEP / 65535).astype(np.float32)), "TIFF", icc_profile=GREY_GAMMA_1
    ),
    "TIFF I;16, linear grey": saved(
        Image.fromarray(DEEP.astype(np.uint16)), "TIFF", icc_profile=GREY_GAMMA_1
    ),
}  # fmt: skip


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_decode_and_decode_bytes_agree(data):
    """files A1: one fact, several readers."""
    assert np.array_equal(to_bytes(decode(data).pixels), decode_bytes(data))


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_what_is_stored_without_a_profile_is_what_is_shown(data):
    """files A1: the stored values of greys, 16 bits and decimals are not clipped."""
    stored, shown = decode_stored(data), decode_bytes(data)
    if stored.profile:
        assert stored.pixels.shape[:2] == shown.shape[:2]
        return
    image = np.asarray(Image.fromarray(stored.pixels).convert("RGBA"))
    assert np.array_equal(image[..., : shown.shape[2]], shown)


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_a_canvas_that_was_not_painted_exports_what_it_opened(data):
    """files A1."""
    shown = decode_bytes(data)
    out = decode_bytes(export_picture(state_of(open_picture(data)), PictureFormat.PNG))
    assert out.shape == shown.shape
    visible = shown[..., 3:] > 0 if shown.shape[2] == 4 else np.ones((HEIGHT, WIDTH, 1), bool)
    apart = np.abs(out.astype(int) - shown) * visible
    assert apart.max() <= 1


@pytest.mark.parametrize("kind", ["uint16 PNG", "uint16 TIFF", "int32 TIFF", "float TIFF"])
def test_a_depth_map_survives_the_canvas(kind):
    """files A1: 16-bit grey, 32-bit and float pictures were clipped to white or black."""
    name, format = kind.split()
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64)
    values = values.astype(name) if name != "float" else (values / 65535).astype(np.float32)
    data = saved(Image.fromarray(values), format)
    out = decode_bytes(export_picture(state_of(open_picture(data)), PictureFormat.PNG))
    assert np.abs(out.astype(int) - decode_bytes(data)).max() <= 1
    assert (out.min(), out.max()) == (0, 255)


UPRIGHT = {
    "PNG": coloured("RGB"),
    "PNG of I;16": Image.fromarray(DEEP.astype(np.uint16)),
    "TIFF": coloured("RGB"),
    "TIFF of RGBA": Image.fromarray(RGBA),
    "TIFF of I;16": Image.fromarray(DEEP.astype(np.uint16)),
    "TIFF of F": Image.fromarray((DEEP / 65535).astype(np.float32)),
    "WEBP": coloured("RGB"),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", UPRIGHT)
def test_every_format_is_turned_once_by_every_reader(kind, orientation):
    """files A5: TIFF was turned twice."""
    upright, format = UPRIGHT[kind], kind.split()[0]
    stored = upright.transpose(UNDO[orientation]) if orientation > 1 else upright
    lossless = {"lossless": True} if format == "WEBP" else {}
    if format == "TIFF":
        data = saved(stored, format, tiffinfo={ORIENTATION: orientation})
    else:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        data = saved(stored, format, exif=exif, **lossless)
    expected = decode_bytes(saved(upright, format, **lossless))
    assert np.array_equal(decode_bytes(data), expected)
    assert np.array_equal(to_bytes(decode(data).pixels), expected)
    held = np.asarray(Image.fromarray(decode_stored(data).pixels).convert("RGBA"))
    assert np.array_equal(held[..., : expected.shape[2]], expected)


def test_a_tiff_of_16_bit_colours_is_turned_once():
    """files A5: OpenCV turns TIFF itself, too."""
    stored = Image.open(io.BytesIO(with_cv2(".tiff", RGB16)))
    for orientation in range(1, 9):
        data = with_orientation(with_cv2(".tiff", RGB16), orientation)
        turned = Image.fromarray(np.asarray(stored))
        expected = turned.transpose(TURN[orientation]) if orientation > 1 else turned
        apart = decode_bytes(data).astype(int) - np.asarray(expected)
        assert np.abs(apart).max() <= 1, orientation


TURN = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


def with_orientation(tiff, orientation):
    """A little-endian TIFF with another directory, which says how to turn it."""
    where = int.from_bytes(tiff[4:8], "little")
    count = int.from_bytes(tiff[where : where + 2], "little")
    entries = [tiff[at : at + 12] for at in range(where + 2, where + 2 + 12 * count, 12)]
    entries.append(struct.pack("<HHIHH", ORIENTATION, 3, 1, orientation, 0))
    entries.sort(key=lambda entry: int.from_bytes(entry[:2], "little"))
    body = tiff + b"\0" * (len(tiff) % 2)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    return body[:4] + struct.pack("<I", len(body)) + body[8:] + directory


SRGB_CURVE = "sRGB"


@pytest.mark.parametrize(
    ("name", "curve", "primaries", "stored", "expected"),
    [
        ("GIMP built-in Linear sRGB", 1.0, "sRGB", 55, 128),
        ("sRGB-elle-V2-g10.icc", 1.0, "sRGB", 55, 128),
        ("Linear Rec709", 1.0, "sRGB", 55, 128),
        ("sRGB IEC61966-2.1", SRGB_CURVE, "sRGB", 55, 55),
        ("My monitor", SRGB_CURVE, "sRGB", 55, 55),
        ("sRGB with gamma 1.8", 1.8, "sRGB", 128, 147),
        ("", 1.0, "sRGB", 55, 128),
    ],
)
def test_a_profile_is_judged_by_its_curves(name, curve, primaries, stored, expected):
    """files A6: not by its description."""
    data = saved(
        Image.new("RGB", (4, 4), (stored,) * 3), icc_profile=rgb_profile(name, curve, primaries)
    )
    assert abs(int(decode_bytes(data)[0, 0, 0]) - expected) <= 1


def test_a_profile_is_judged_by_its_primaries():
    """files A6: a wide gamut called sRGB is converted."""
    profile = rgb_profile("sRGB wide", SRGB_CURVE, "Display P3")
    red = decode_bytes(saved(Image.new("RGB", (4, 4), (200, 40, 40)), icc_profile=profile))[0, 0]
    assert red[0] > 210
    grey = decode_bytes(saved(Image.new("RGB", (4, 4), (90, 90, 90)), icc_profile=profile))[0, 0]
    assert np.abs(grey.astype(int) - 90).max() <= 1


def test_16_bits_with_a_linear_profile_keep_their_dark_parts():
    """files A6: through 8 bits, all of the darkest 1/255 would be black."""
    values = np.linspace(0, 257 * 3, 60).astype(np.uint16).reshape(6, 10)
    _, plain = cv2.imencode(".png", np.repeat(values[..., None], 3, axis=2))
    data = with_profile(plain.tobytes(), rgb_profile("linear", 1.0))
    linear = values.astype(np.float64) / 65535
    expected = np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )
    assert np.abs(decode(data).pixels[..., 0] - expected).max() < 0.006


def with_profile(png, profile):
    """A PNG with a colour profile put behind its header."""
    content = b"icc\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(content)) + b"iCCP" + content
    return png[:33] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + png[33:]


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "F"])
def test_a_grey_picture_with_a_linear_profile_is_brightened(mode):
    """files A6, A1: in every depth."""
    value = {"I;16": 55 * 257, "F": 55 / 255, "LA": (55, 255)}.get(mode, 55)
    image = Image.new(mode, (4, 4), value)
    data = saved(image, "TIFF" if mode == "F" else "PNG", icc_profile=GREY_GAMMA_1)
    assert abs(int(decode_bytes(data)[0, 0, 0]) - 128) <= 1


@pytest.mark.parametrize(
    ("dtype", "shape", "fact"),
    [
        (np.float32, (8, 8, 3), "3 channels with decimal numbers of 32 bits"),
        (np.float64, (8, 8, 3), "decimal numbers of 64 bits"),
        (np.float32, (8, 8, 4), "4 channels with decimal numbers"),
    ],
)
def test_a_tiff_of_numbers_that_are_not_read_is_named(dtype, shape, fact):
    values = np.linspace(0, 1, np.prod(shape)).reshape(shape).astype(dtype)
    data = with_cv2(".tiff", values)
    for read in (decode, decode_bytes, decode_stored, picture_size, check_picture):
        with pytest.raises(PictureError, match=fact) as caught:
            read(data)
        assert "8 or 16 bits" in caught.value.way_out
