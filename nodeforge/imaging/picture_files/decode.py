"""Decodes picture files: upright, to sRGB, with a bound before anything is decoded."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, TiffImagePlugin

from nodeforge.imaging.arrays import Bytes, Pixels, to_bytes, to_float
from nodeforge.imaging.errors import PictureError, PictureTooLargeError
from nodeforge.imaging.picture_files.profiles import curve_to_srgb, foreign_profile, image_to_srgb
from nodeforge.imaging.picture_files.text import read_text
from nodeforge.values.file_kinds import START, file_kind

MOST_PIXELS = 8192 * 8192
MOST_BYTES = 512 * 2**20
_SUFFIXES = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jfif"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
}
FORMATS = tuple(_SUFFIXES)
PICTURE_SUFFIXES = tuple(suffix for each in _SUFFIXES.values() for suffix in each)
"""What files of the kinds that are read end with."""

_OWN = {f"{article} {name} picture" for name in (*FORMATS, "WebP") for article in ("a", "an")}
"""What a file of a kind that is read is called, though it may be damaged."""

_STORED = ("L", "LA", "RGB", "RGBA")
_AnyPixels = NDArray[Any]
_ORIENTATION = 0x0112
_BITS, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 258, 338, 339  # tags of TIFF
_DECIMALS = 3  # a sample format

# What decoders raise at damaged files, found by feeding them 90,000.
_DAMAGE = (
    *(OSError, ValueError, SyntaxError, EOFError, RuntimeError, TypeError),
    *(ArithmeticError, LookupError, struct.error, zlib.error, cv2.error),
)
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the error tells enough

# A large workflow inside of a PNG must not keep the picture from opening.
PngImagePlugin.MAX_TEXT_CHUNK = 32 * 2**20


@dataclass(frozen=True)
class Decoded:
    """One picture.

    Args:
        pixels: float32, (height, width, 3 or 4), 0..1, sRGB; an 8-bit value v is v / 255.
        text: What its maker wrote into it, by name.
        format: ``PNG``, ``JPEG``, ...
    """

    pixels: Pixels
    text: dict[str, str]
    format: str


@dataclass(frozen=True)
class Stored:
    """One picture as its file stores it.

    Args:
        pixels: uint8, (height, width[, channels]).
        mode: ``L``, ``LA``, ``RGB`` or ``RGBA``, as Pillow names them.
        profile: The ICC profile of its colours; empty where there is none.
    """

    pixels: Bytes
    mode: str
    profile: bytes


def decode(source: bytes | Path, most_pixels: int = MOST_PIXELS) -> Decoded:
    """The picture in a file, turned upright as its EXIF says, its colours brought to sRGB.

    Palettes, greyscale, CMYK and 16 bits become RGB, with alpha where the picture has a
    transparent pixel. Of an animation, the first frame.

    Raises:
        PictureTooLargeError: it has more than `most_pixels`, or the file is too large.
        PictureError: it is no picture, or cut short.
    """
    data = read_file(source)
    with _named(source, data, most_pixels):
        image = _opened(data, most_pixels)
        shown = _shown(image, data)
        pixels = to_float(shown) if shown.dtype == np.uint8 else shown
        return Decoded(pixels, read_text(data), image.format or "")


def decode_bytes(source: bytes | Path, most_pixels: int = MOST_PIXELS) -> Bytes:
    """The same with 8 bits a channel, for less time and memory: (height, width, 3 or 4).

    Raises:
        PictureError: see `decode`.
    """
    data = read_file(source)
    with _named(source, data, most_pixels):
        return to_bytes(_shown(_opened(data, most_pixels), data))


def picture_size(source: bytes | Path) -> tuple[int, int]:
    """Width and height of a picture file, before it is turned upright; no pixel is read.

    Raises:
        PictureError: see `decode`.
    """
    data = read_file(source)
    with _named(source, data, MOST_PIXELS):
        return _opened(data, MOST_PIXELS).size


def upright_size(source: bytes | Path) -> tuple[int, int]:
    """Width and height of a picture file as it is shown, from its header.

    Raises:
        PictureError: see `decode`.
    """
    data = read_file(source)
    with _named(source, data, MOST_PIXELS):
        image = _opened(data, MOST_PIXELS)
        width, height = image.size
        return (height, width) if _orientation(image) >= 5 else (width, height)


def check_picture(source: bytes | Path, most_pixels: int = MOST_PIXELS) -> None:
    """Read a picture file as far as its pixels, for its errors alone.

    Raises:
        PictureError: see `decode`.
    """
    data = read_file(source)
    with _named(source, data, most_pixels):
        _opened(data, most_pixels).load()


def decode_stored(source: bytes | Path, most_pixels: int = MOST_PIXELS) -> Stored:
    """The picture as the file stores it, upright, but its colours as they are.

    What is not stored as 8 bits of grey or RGB (palettes, CMYK, 16 bits, decimals) is as
    `decode_bytes` gives it: RGB or RGBA, in sRGB.

    Raises:
        PictureError: see `decode`.
    """
    data = read_file(source)
    with _named(source, data, most_pixels):
        image = _opened(data, most_pixels)
        image.load()
        if image.mode not in _STORED or _deep(data, image) is not None:
            pixels = to_bytes(_shown(image, data))
            return Stored(pixels, "RGBA" if pixels.shape[2] == 4 else "RGB", b"")
        stored = image if "transparency" not in image.info else image.convert("RGBA")
        pixels = np.ascontiguousarray(_upright(np.asarray(stored), _orientation(image)))
        return Stored(pixels, stored.mode, image.info.get("icc_profile", b""))


def is_deep(data: bytes) -> bool:
    """Whether a picture that can be decoded has more than 8 bits a channel."""
    image = _opened(data, MOST_PIXELS)
    return _is_deep_colour(data, image) or image.mode.startswith("I") or image.mode == "F"


def _is_deep_colour(data: bytes, image: Image.Image) -> bool:
    """Whether Pillow would cut a picture of several channels to 8 bits."""
    if image.format == "PNG":
        return data[24:25] == b"\x10"
    if isinstance(image, TiffImagePlugin.TiffImageFile) and image.mode in ("RGB", "RGBA"):
        plain = image.tag_v2.get(_EXTRA_SAMPLES, (2,)) == (2,)  # alpha is not multiplied in
        return set(image.tag_v2.get(_BITS, ())) == {16} and plain
    return False


@contextmanager
def _named(source: bytes | Path, data: bytes, most_pixels: int) -> Iterator[None]:
    """Tell of a picture that cannot be read which it is, and what it is instead."""
    place = str(source) if isinstance(source, Path) else "picture"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures; the limit here is ours
            yield
    except PictureError as error:
        raise error.at(place) from None
    except Image.DecompressionBombError as error:
        raise _too_large(most_pixels, place) from error
    except _DAMAGE as error:
        if told := _unread_tiff(data):
            way_out = "Save it with 8 or 16 bits a channel in whole numbers, and choose that."
            raise PictureError(told, place=place, way_out=way_out) from error
        raise PictureError(
            _what_it_is(source, data),
            place=place,
            way_out=f"Choose a whole file of one of these kinds: {', '.join(FORMATS)}.",
        ) from error


def _unread_tiff(data: bytes) -> str:
    """What a TIFF has that is not read: decimals in colour, or more than 16 bits; else nothing."""
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(data[:8])
        file = io.BytesIO(data)
        file.seek(tags.next)
        tags.load(file)
        bits, kinds = tags.get(_BITS, (1,)), tags.get(_SAMPLE_FORMAT, (1,))
    except _DAMAGE:
        return ""
    if max(bits, default=1) <= 16 and _DECIMALS not in kinds:
        return ""
    numbers = "decimal numbers" if _DECIMALS in kinds else "numbers"
    return (
        f"is a TIFF picture of {len(bits)} channels with {numbers} of {max(bits)} bits; this kind "
        "is not read."
    )


def _what_it_is(source: bytes | Path, data: bytes) -> str:
    if not data:
        return "is not a picture: the file is empty."
    kind = file_kind(data[:START], source.name if isinstance(source, Path) else "")
    if kind and kind not in _OWN:
        return f"is {kind}; this kind is not read as a picture."
    return "is not a picture, or is cut short."


def read_file(source: bytes | Path) -> bytes:
    """The bytes of a file that is small enough to be a picture.

    Raises:
        PictureError: it cannot be read, or is larger than `MOST_BYTES`.
    """
    if isinstance(source, bytes):
        return source
    try:
        size = source.stat().st_size
        if size > MOST_BYTES:
            raise PictureTooLargeError(
                f"is {size} bytes; up to {MOST_BYTES} are read.", place=str(source)
            )
        return source.read_bytes()
    except OSError as error:
        raise PictureError(
            f"cannot be read: {error.strerror}.",
            place=str(source),
            way_out="Choose a file that exists and may be read.",
        ) from error


def _opened(data: bytes, most_pixels: int) -> Image.Image:
    """The picture, of which no pixel is read yet."""
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    if image.width * image.height > most_pixels:
        raise _too_large(most_pixels, "", image.size)
    return image


def _shown(image: Image.Image, data: bytes) -> _AnyPixels:
    """The picture upright in sRGB: floats, or uint8 where it has 8 bits."""
    image.load()
    deep = _deep(data, image)
    pixels = _shallow(image) if deep is None else deep
    return np.ascontiguousarray(_upright(_visible(pixels), _orientation(image)))


def _orientation(image: Image.Image) -> int:
    """How a picture that is loaded must still be turned; Pillow turns TIFF itself, loading it."""
    return image.getexif().get(_ORIENTATION, 1)


def _deep(data: bytes, image: Image.Image) -> Pixels | None:
    """A picture of more than 8 bits a channel, which Pillow would cut."""
    if image.mode.startswith("I") or image.mode == "F":
        return _of_numbers(image)
    if not _is_deep_colour(data, image):
        return None
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION  # of TIFF, it turns even so
    array = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if array is None or array.dtype != np.uint16:
        return None
    pixels = array.astype(np.float32) / np.float32(65535)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    if profile := foreign_profile(image):
        colours = curve_to_srgb(pixels[..., :3], profile)
        return None if colours is None else np.dstack([colours, pixels[..., 3:]])
    return pixels


def _shallow(image: Image.Image) -> Bytes:
    """A picture of 8 bits a channel, its colours converted where it brings a profile."""
    transparent = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    profile = foreign_profile(image)
    alpha = image.convert("RGBA").getchannel("A") if transparent else None
    if image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    colours = image_to_srgb(image, profile) if profile else image.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    return np.asarray(colours)


def _of_numbers(image: Image.Image) -> Pixels:
    """Greyscale in whole numbers of 16 or more bits, or in decimals of 0..1."""
    values = np.asarray(image)
    most = 65535 if values.dtype.kind in "iu" else 1
    grey = np.clip(np.nan_to_num(values.astype(np.float32)) / np.float32(most), 0, 1)
    profile = foreign_profile(image)
    if profile and (shown := curve_to_srgb(grey, profile)) is not None:
        grey = shown
    return np.repeat(grey[..., None], 3, axis=2)


def _visible(pixels: _AnyPixels) -> _AnyPixels:
    """`pixels` without an alpha that is opaque everywhere."""
    most = 255 if pixels.dtype == np.uint8 else 1
    opaque = pixels.shape[2] == 4 and bool((pixels[..., 3] == most).all())
    return pixels[..., :3] if opaque else pixels


def _upright(pixels: _AnyPixels, orientation: int) -> _AnyPixels:
    """`pixels` turned and mirrored as EXIF's orientation 1..8 says."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _too_large(
    most_pixels: int, place: str, size: tuple[int, int] | None = None
) -> PictureTooLargeError:
    told = f"is {size[0]} × {size[1]} pixels" if size else "has too many pixels"
    return PictureTooLargeError(
        f"{told}; up to {most_pixels / 1e6:.0f} million are read.",
        place=place,
        way_out="Make it smaller first.",
    )
