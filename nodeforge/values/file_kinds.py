"""Names kinds of files by their first bytes, for errors that say what a file is instead."""

from __future__ import annotations

import re
from collections.abc import Callable

START = 512
"""How many bytes of a file are enough."""

LFS_POINTER = "a Git LFS pointer, not the file itself"
WEB_PAGE = "a web page"
JSON = "JSON"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"GGUF", "a GGUF file"),
    (b"ggml", "a GGML file"),
    (b"version https://git-lfs.github.com/", LFS_POINTER),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"8BPS", "a Photoshop picture (PSD)"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"\0\0\2\0\1\0", "a cursor (CUR)"),
    (b"gimp xcf", "a GIMP picture (XCF)"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"#?RGBE", "a Radiance HDR picture"),
    (b"qoif", "a QOI picture"),
    (b"DDS ", "a DDS texture"),
    (b"farbfeld", "a farbfeld picture"),
    (b"II*\0\x10\0\0\0CR", "a camera's raw picture (CR2)"),
    (b"FUJIFILMCCD-RAW", "a camera's raw picture (RAF)"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)"),
    (b"FORM", "an IFF picture"),
    (b"\x0a\x05\x01\x08", "a PCX picture"),
    (b"%PDF-", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)"),
    (b"FLV\1", "a video (FLV)"),
    (b"\0\0\1\xba", "a video (MPEG)"),
    (b"OggS", "an Ogg file (video or sound)"),
    (b"ID3", "a sound file (MP3)"),
    (b"fLaC", "a sound file (FLAC)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
_BRANDS = (  # of ISO media files, after 'ftyp'
    (rb"avif|avis", "an AVIF picture"),
    (rb"heic|heix|hevc|hevx|heim|heis|mif1|msf1", "a HEIC picture"),
    (rb"crx ", "a camera's raw picture (CR3)"),
    (rb"M4A |M4B ", "a sound file (M4A)"),
    (rb"", "a video (MP4)"),
)
_ZIPPED = (
    (b"image/openraster", "an OpenRaster picture"),
    (b"application/x-krita", "a Krita picture"),
    (b"application/x-nodeforge-project", "a NodeForge project"),
)


def file_kind(start: bytes, name: str = "") -> str:
    """What a file is, with its article: ``a HEIC picture``; empty where nothing tells.

    Args:
        start: Its first `START` bytes, or all of it.
        name: Its name, for the few kinds that nothing in the file tells.
    """
    looks: tuple[Callable[[bytes], str], ...] = (_magic, _container, _text, _pickle)
    return next((kind for look in looks if (kind := look(start))), "") or _targa(start, name)


def _magic(start: bytes) -> str:
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), "")


def _container(start: bytes) -> str:
    if start[4:8] == b"ftyp":
        return next(kind for brand, kind in _BRANDS if re.match(brand, start[8:12]))
    if start[4:8] in (b"moov", b"mdat", b"wide"):
        return "a video (QuickTime)"
    if start.startswith(b"RIFF"):
        kinds = {b"WEBP": "a WebP picture", b"AVI ": "a video (AVI)", b"WAVE": "a sound file (WAV)"}
        return kinds.get(start[8:12], "")
    if start.startswith(b"PK\3\4"):
        said = next((kind for word, kind in _ZIPPED if word in start[:128]), "")
        torch = "a pickle of PyTorch" if b"/data.pkl" in start or b"/version" in start else ""
        return said or torch or "a zip archive"
    return ""


def _text(start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if re.match(rb"(<\?xml[^>]*>|<!--.*?-->|\s)*<(!doctype svg|svg|[a-z]+:svg)\b", text, re.DOTALL):
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return WEB_PAGE
    if text.startswith(b"<?xml"):
        return WEB_PAGE if b"<html" in text else "an XML document"
    if re.match(rb"p[1-7]\s", text) or text.startswith(b"pf\n"):
        return "a Netpbm picture (PPM)"
    if text.startswith((b"{", b"[")) and b"\0" not in text:
        return JSON
    if text.startswith(b"access to model") or b"entry not found" in text[:64]:
        return "a server's answer instead of the file"
    return ""


def _pickle(start: bytes) -> str:
    return "a pickle" if re.match(rb"\x80[\x02-\x05]", start) else ""


def _targa(start: bytes, name: str) -> str:
    """A TGA has no mark at its start."""
    plain = len(start) > 18 and start[1] in (0, 1) and start[2] in (1, 2, 3, 9, 10, 11)
    return "a Targa picture (TGA)" if plain and name.lower().endswith(".tga") else ""
