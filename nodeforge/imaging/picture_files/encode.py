"""Encodes picture files, with text chunks."""

from __future__ import annotations

import io
from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from PIL import Image, PngImagePlugin

from nodeforge.imaging.arrays import Bytes, Pixels, to_bytes
from nodeforge.imaging.errors import PictureTooLargeError
from nodeforge.imaging.picture_files import text as texts
from nodeforge.values.picture_lock import LOCK


class PictureFormat(StrEnum):
    """Kinds of files that pictures are saved as."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def suffix(self) -> str:
        return ".jpg" if self is PictureFormat.JPEG else f".{self.value}"


_LONGEST = {PictureFormat.JPEG: 65_535, PictureFormat.WEBP: 16_383}


def encode(
    pixels: Pixels | Bytes,
    format: PictureFormat,
    text: Mapping[str, str] | None = None,
    quality: int = 95,
    profile: bytes = b"",
) -> bytes:
    """One picture as the bytes of a file.

    Args:
        pixels: (height, width, 3 or 4) or greyscale (height, width); float32 of 0..1, rounded
            to 8 bits, or uint8. JPEG has no alpha: the picture is then laid on white.
        format: Of the file; PNG keeps every 8-bit value.
        text: Texts by name that the file carries, see `nodeforge.imaging.read_text`.
        quality: 1..100, of JPEG and WebP; WebP loses nothing at 100.
        profile: The ICC profile that `pixels` are in; sRGB where it is empty.

    Raises:
        PictureTooLargeError: JPEG and WebP cannot hold a picture of this size.
    """
    _check_size(pixels.shape[1], pixels.shape[0], format)
    image = Image.fromarray(np.ascontiguousarray(to_bytes(pixels)))
    text = {name: _whole(value) for name, value in (text or {}).items()}
    colours = {"icc_profile": profile} if profile else {}
    out = io.BytesIO()
    match format:
        case PictureFormat.PNG:
            image.save(out, "PNG", pnginfo=_chunks(text), compress_level=4, **colours)
        case PictureFormat.JPEG:
            extra = texts.jpeg_segments(text) if text else b""
            exif = texts.exif(text)
            options = colours | ({"exif": exif} if exif else {})
            flat = _on_white(image)
            flat.save(out, "JPEG", quality=quality, subsampling=0, extra=extra, **options)
        case PictureFormat.WEBP:
            told = {"exif": texts.exif(text), "xmp": texts.xmp(text)} if text else {}
            options = colours | told
            lossless = quality == 100
            image.save(out, "WEBP", quality=quality, lossless=lossless, exact=lossless, **options)
    return out.getvalue()


def _whole(text: str) -> str:
    """`text` with a question mark for each half of a character, as names of files may hold."""
    return text.encode("utf-8", "replace").decode()


def _check_size(width: int, height: int, format: PictureFormat) -> None:
    longest = _LONGEST.get(format)
    if longest and max(width, height) > longest:
        raise PictureTooLargeError(
            f"the picture is {width} × {height} pixels; {format.upper()} holds up to {longest} "
            "along a side.",
            way_out="Save it as PNG.",
        )


def _chunks(text: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    for name, value in text.items():
        chunks.add_itxt(name, value, zip=name == LOCK)
    return chunks


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
