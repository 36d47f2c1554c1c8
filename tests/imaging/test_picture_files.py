import contextlib
import errno
import io
import os
import struct
import threading
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from nodeforge.imaging import (
    PictureError,
    PictureFormat,
    PictureTooLargeError,
    SaveError,
    decode,
    encode,
    read_text,
    to_bytes,
    to_float,
    write_new,
)
from support.colour_profile import linear_rgb_profile

ALL = np.arange(256, dtype=np.uint8)


def tries(count):
    health = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=count, deadline=None, suppress_health_check=health)


def saved(image, format="PNG", **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def test_every_8_bit_value_survives_the_way_there_and_back():
    assert np.array_equal(to_bytes(to_float(ALL)), ALL)
    assert to_float(ALL)[37] == np.float32(37) / np.float32(255)


def test_what_is_out_of_range_or_no_number_is_clipped():
    odd = np.array([np.nan, np.inf, -np.inf, -1, 2, 0.5], np.float32)
    assert to_bytes(odd).tolist() == [0, 255, 0, 0, 255, 128]


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("format", [PictureFormat.PNG, PictureFormat.WEBP])
def test_lossless_files_keep_every_value(picture, format, channels):
    pixels = picture(33, 17, channels)
    back = decode(encode(pixels, format, quality=100)).pixels
    assert np.array_equal(back, pixels)


def test_jpeg_is_near_and_lays_transparency_on_white():
    pixels = np.zeros((16, 16, 4), np.float32)
    back = decode(encode(pixels, PictureFormat.JPEG)).pixels
    assert back.shape == (16, 16, 3)
    assert back.min() > 0.98


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (2, 1), 51), [0.2, 0.2, 0.2]),
        (Image.new("1", (2, 1), 1), [1, 1, 1]),
        (Image.new("LA", (2, 1), (51, 102)), [0.2, 0.2, 0.2, 0.4]),
        (Image.new("RGBA", (2, 1), (51, 0, 255, 255)), [0.2, 0, 1]),
        (Image.new("P", (2, 1), 3).convert("RGB").quantize(4), [0.0, 0, 0]),
        (Image.new("I;16", (2, 1), 13107), [0.2, 0.2, 0.2]),
    ],
    ids=["grey", "one bit", "grey and alpha", "opaque alpha", "palette", "16 bit grey"],
)
def test_all_kinds_of_png_become_rgb(image, expected):
    assert decode(saved(image)).pixels[0, 1].tolist() == pytest.approx(expected, abs=1e-6)


def test_a_transparent_palette_colour_is_transparent():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    pixels = decode(saved(image, transparency=0)).pixels
    assert to_bytes(pixels[0]).tolist() == [[10, 20, 30, 0], [40, 50, 60, 255]]


@pytest.mark.parametrize("channels", [3, 4])
def test_16_bits_a_channel_are_kept(channels):
    values = np.random.default_rng(0).integers(0, 65536, (4, 5, channels)).astype(np.uint16)
    _, data = cv2.imencode(".png", values[..., [2, 1, 0, 3][:channels]])
    pixels = decode(data.tobytes()).pixels
    assert np.array_equal(pixels, values.astype(np.float32) / np.float32(65535))


def test_cmyk_becomes_rgb():
    pixels = decode(saved(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "JPEG")).pixels
    assert pixels[8, 8].tolist() == pytest.approx([0, 1, 1], abs=0.05)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(picture, orientation):
    upright = Image.fromarray(to_bytes(picture(5, 3)))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose: each one's inverse
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(decode(saved(stored, exif=exif)).pixels, to_float(np.asarray(upright)))


def test_a_colour_profile_is_applied_and_srgb_changes_nothing():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = decode(saved(image, icc_profile=srgb)).pixels
    assert np.array_equal(to_bytes(same), np.asarray(image))
    damaged = decode(saved(image, icc_profile=b"not a profile")).pixels
    assert np.array_equal(to_bytes(damaged), np.asarray(image))


def test_a_linear_profile_brightens_the_stored_values():
    profile = linear_rgb_profile()
    pixels = decode(saved(Image.new("RGB", (2, 2), (128, 128, 128)), icc_profile=profile)).pixels
    assert pixels[0, 0, 0] == pytest.approx(0.735, abs=0.02)


@pytest.mark.parametrize("format", list(PictureFormat))
@tries(30)
@given(share=st.floats(0, 0.98))
def test_a_file_cut_short_anywhere_is_refused_or_whole(picture, format, share):
    data = encode(picture(24, 24), format)
    with contextlib.suppress(PictureError):
        assert decode(data[: int(len(data) * share)]).pixels.shape == (24, 24, 3)


@tries(150)
@given(
    data=st.binary(max_size=200), start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8"])
)
def test_nonsense_is_refused(data, start):
    with pytest.raises(PictureError):
        decode(start + data)
    read_text(start + data)


@tries(100)
@given(format=st.sampled_from(list(PictureFormat)), at=st.floats(0, 1), value=st.integers(0, 255))
def test_a_damaged_byte_never_ends_in_another_error(picture, format, at, value):
    data = bytearray(encode(picture(16, 16), format, {"nodeforge": "{}", "parameters": "x"}))
    data[int(at * (len(data) - 1))] = value
    read_text(bytes(data))
    with contextlib.suppress(PictureError):
        decode(bytes(data))


@pytest.mark.parametrize("format", ["AVIF", "TIFF", "GIF", "BMP"])
@tries(60)
@given(at=st.floats(0, 1), value=st.integers(0, 255))
def test_a_damaged_byte_of_another_kind_of_file_neither(picture, format, at, value):
    data = bytearray(saved(Image.fromarray(to_bytes(picture(16, 16))), format))
    data[int(at * (len(data) - 1))] = value
    with contextlib.suppress(PictureError):
        decode(bytes(data))


def test_a_bomb_is_refused_before_it_is_decoded():
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    idat = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(PictureTooLargeError, match="67 million"):
        decode(b"\x89PNG\r\n\x1a\n" + chunk + idat)


def test_the_limit_is_named(picture):
    with pytest.raises(PictureTooLargeError, match="30 × 20 pixels"):
        decode(encode(picture(30, 20), PictureFormat.PNG), most_pixels=599)


@pytest.mark.parametrize(("format", "width"), [("jpeg", 65_536), ("webp", 16_384)])
def test_a_picture_that_a_format_cannot_hold_is_refused_with_a_way_out(format, width):
    with pytest.raises(PictureTooLargeError, match="Save it as PNG"):
        encode(np.zeros((1, width, 3), np.uint8), PictureFormat(format))


def test_an_empty_and_a_missing_file_are_named(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(PictureError, match=r"empty\.png: is not a picture"):
        decode(tmp_path / "empty.png")
    with pytest.raises(PictureError, match=r"gone\.png: cannot be read"):
        decode(tmp_path / "gone.png")


TEXTS = {
    "nodeforge": '{"text": "é <b> ]]> \\u0000 \\" & 日本 🙂"}',
    "parameters": "a fox\nSteps: 20, é 日本 🙂",
}


@pytest.mark.parametrize("format", list(PictureFormat))
def test_texts_are_read_back_as_they_were(tmp_path, picture, format):
    data = encode(picture(), format, TEXTS)
    assert read_text(data) == TEXTS
    assert decode(data).text == TEXTS
    (tmp_path / "p").write_bytes(data)
    assert read_text(tmp_path / "p") == TEXTS


@pytest.mark.parametrize("format", list(PictureFormat))
@pytest.mark.parametrize("size", [60_000, 70_000, 3_000_000])
def test_a_large_workflow_fits_into_every_format(picture, format, size):
    text = {"nodeforge": "".join(map(chr, np.random.default_rng(0).integers(32, 127, size)))}
    data = encode(picture(), format, text)
    assert read_text(data) == text
    assert decode(data).pixels.shape == (9, 12, 3)


@pytest.mark.parametrize("format", list(PictureFormat))
@tries(30)
@given(value=st.text(max_size=80))
def test_any_text_is_kept(picture, format, value):
    assert read_text(encode(picture(), format, {"nodeforge": value})) == {"nodeforge": value}


def test_chunks_of_other_programs_are_read():
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("prompt", '{"3": {}}')
    chunks.add_text("workflow", '{"nodes": []}', zip=True)
    chunks.add_itxt("parameters", "é", zip=True)
    data = saved(Image.new("RGB", (2, 2)), pnginfo=chunks)
    told = {"prompt": '{"3": {}}', "workflow": '{"nodes": []}', "parameters": "é"}
    assert read_text(data) == told


def test_comfyui_texts_in_a_webp_are_read():
    exif = Image.Exif()
    exif[0x010F] = 'workflow:{"nodes": []}'
    exif[0x0110] = 'prompt:{"3": {}}'
    data = saved(Image.new("RGB", (2, 2)), "WEBP", exif=exif)
    assert read_text(data) == {"workflow": '{"nodes": []}', "prompt": '{"3": {}}'}


def test_a_text_bomb_is_not_unpacked():
    packed = zlib.compress(bytes(64 * 2**20))
    body = b"workflow\0\1\0\0\0" + packed
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body + bytes(4)
    assert read_text(b"\x89PNG\r\n\x1a\n" + chunk) == {}


def test_new_files_count_up_and_never_overwrite(tmp_path):
    folder = tmp_path / "out"
    assert write_new(folder, "fox_{}.png", b"1").name == "fox_00001.png"
    (folder / "fox_00007.png").write_bytes(b"mine")
    assert write_new(folder, "fox_{}.png", b"2").name == "fox_00008.png"
    assert (folder / "fox_00007.png").read_bytes() == b"mine"
    assert sorted(path.name for path in folder.iterdir()) == [
        "fox_00001.png",
        "fox_00007.png",
        "fox_00008.png",
    ]


def test_writers_at_once_get_a_file_each(tmp_path):
    def write(number):
        for _ in range(20):
            write_new(tmp_path, "p{}.bin", bytes([number]))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    contents = [path.read_bytes()[0] for path in tmp_path.iterdir()]
    assert sorted(contents) == sorted([0, 1, 2, 3] * 20)


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="the disk is full"):
        write_new(tmp_path, "p{}.png", b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_hard_links_works_too(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    names = [write_new(tmp_path, "p{}.png", b"x").name for _ in range(2)]
    assert names == ["p00001.png", "p00002.png"]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match="file"):
        write_new(tmp_path / "file" / "sub", "p{}.png", b"x")
