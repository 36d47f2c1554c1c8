"""Picture files to pixels: upright, in sRGB, bounded before anything is decoded."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from nodeforge.imaging.arrays import Pixels, to_float
from nodeforge.imaging.errors import PictureError, PictureTooLargeError
from nodeforge.imaging.text import read_text

MOST_PIXELS = 8192 * 8192
MOST_BYTES = 512 * 2**20
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")

_ORIENTATION = 0x0112
_SRGB = ImageCms.createProfile("sRGB")

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


def decode(source: bytes | Path, most_pixels: int = MOST_PIXELS) -> Decoded:
    """The picture in a file, turned upright as its EXIF says, its colours brought to sRGB.

    Palettes, greyscale, CMYK and 16 bits become RGB, with alpha where the picture has a
    transparent pixel. Of an animation, the first frame.

    Raises:
        PictureTooLargeError: it has more than `most_pixels`, or the file is too large.
        PictureError: it is no picture, or cut short.
    """
    place = str(source) if isinstance(source, Path) else "picture"
    data = read_file(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures; the limit here is ours
            return _decode(data, most_pixels)
    except PictureError as error:
        raise error.at(place) from None
    except Image.DecompressionBombError as error:
        raise _too_large(most_pixels, place) from error
    except _DAMAGE as error:
        raise PictureError(
            "is not a picture, or is cut short.",
            place=place,
            way_out=f"Choose a whole file of one of these kinds: {', '.join(FORMATS)}.",
        ) from error


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


def _decode(data: bytes, most_pixels: int) -> Decoded:
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    if image.width * image.height > most_pixels:
        raise _too_large(most_pixels, "", image.size)
    orientation = image.getexif().get(_ORIENTATION, 1)
    deep = _deep(data, image)
    pixels = _visible(deep if deep is not None else _shallow(image))
    upright = np.ascontiguousarray(_upright(pixels, orientation))
    return Decoded(upright, read_text(data), image.format or "")


def _deep(data: bytes, image: Image.Image) -> Pixels | None:
    """A picture of 16 bits a channel, which Pillow would cut to 8."""
    png = image.format == "PNG" and data[24:25] == b"\x10"
    if not (png or image.mode.startswith("I;16")) or _profile(image):
        return None
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    array = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if array is None or array.dtype != np.uint16:
        return None
    pixels = array.astype(np.float32) / np.float32(65535)
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def _shallow(image: Image.Image) -> Pixels:
    """A picture of 8 bits a channel, its colours converted where it brings a profile."""
    if image.mode in ("I", "F"):
        return _of_numbers(np.asarray(image))
    transparent = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    profile = _profile(image)
    alpha = image.convert("RGBA").getchannel("A") if transparent else None
    if image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    colours = _to_srgb(image, profile) if profile else image.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    return to_float(np.asarray(colours))


def _of_numbers(values: np.ndarray) -> Pixels:
    """Greyscale in whole numbers of 16 or more bits, or in decimals of 0..1."""
    most = 65535 if values.dtype.kind in "iu" else 1
    grey = np.clip(np.nan_to_num(values.astype(np.float32)) / np.float32(most), 0, 1)
    return np.repeat(grey[..., None], 3, axis=2)


def _profile(image: Image.Image) -> bytes | None:
    """Its colour profile, unless that is sRGB already: the pixels then stay as they are."""
    raw = image.info.get("icc_profile")
    if not raw:
        return None
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(raw)))
    except (ImageCms.PyCMSError, OSError):
        return None
    return None if "srgb" in name.lower() else raw


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):  # a profile for other channels than it has
        return image.convert("RGB")
    assert made is not None
    return made


def _visible(pixels: Pixels) -> Pixels:
    """`pixels` without an alpha that is opaque everywhere."""
    opaque = pixels.shape[2] == 4 and bool((pixels[..., 3] == 1).all())
    return pixels[..., :3] if opaque else pixels


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """`pixels` turned and mirrored as EXIF's orientation 1..8 says."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
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
