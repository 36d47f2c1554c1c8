"""Reads text inside picture files: PNG chunks, EXIF, XMP.

PNG has chunks for it. JPEG and WebP have none, so an XMP packet holds all texts as one JSON
object in ASCII (which XML cannot damage), and EXIF's UserComment holds ``parameters``, where
other programs look for it. A packet too large for one JPEG segment goes on in others, as
XMP's own rules for that say.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from PIL import Image

from nodeforge.imaging.errors import PictureError

MOST_TEXT = 32 * 2**20
"""Bytes that a text may have after unpacking; longer ones are not read."""

_PNG = b"\x89PNG\r\n\x1a\n"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"
_EXIF = b"Exif\0\0"
_SEGMENT = 65_000
_EXIF_FOLDER, _USER_COMMENT = 0x8769, 0x9286
_COMFYUI_TAGS = (0x010F, 0x0110, 0x010E)
_TEXTS = re.compile(rb"<nodeforge:texts>(.*?)</nodeforge:texts>", re.DOTALL)
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:nodeforge="urn:nodeforge:1"{more}>'
    "{body}</rdf:Description></rdf:RDF></x:xmpmeta>"
    '<?xpacket end="r"?>'
)


def read_text(source: bytes | Path) -> dict[str, str]:
    """The texts in a PNG, JPEG or WebP file; none where it is another kind or damaged.

    Raises:
        PictureError: the file cannot be read.
    """
    try:
        data = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}.", place=str(source)) from error
    if data.startswith(_PNG):
        return _of_png(data)
    if data.startswith(b"\xff\xd8"):
        return _of_jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _of_webp(data)
    return {}


def xmp(text: Mapping[str, str]) -> bytes:
    """An XMP packet with all of `text`."""
    body = html.escape(json.dumps(dict(text)), quote=False)
    return _packet(f"<nodeforge:texts>{body}</nodeforge:texts>")


def jpeg_segments(text: Mapping[str, str]) -> bytes:
    """The XMP packet as JPEG segments, ready to be put into a file."""
    whole = xmp(text)
    if len(whole) <= _SEGMENT:
        return _segment(_XMP + whole)
    name = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()
    note = f' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{name}"'
    made = [_segment(_XMP + _packet("", note))]
    for at in range(0, len(whole), _SEGMENT):
        place = name.encode() + struct.pack(">II", len(whole), at)
        made.append(_segment(_XMP_MORE + place + whole[at : at + _SEGMENT]))
    return b"".join(made)


def exif(text: Mapping[str, str]) -> bytes:
    """EXIF with ``parameters`` as UserComment; empty where there are none or they are too long."""
    comment = text.get("parameters", "").encode("utf-16-be", "surrogatepass")
    if not comment or len(comment) > _SEGMENT:
        return b""
    made = Image.Exif()
    made.get_ifd(_EXIF_FOLDER)[_USER_COMMENT] = b"UNICODE\0" + comment
    return made.tobytes()


def _packet(body: str, more: str = "") -> bytes:
    return _PACKET.format(body=body, more=more).encode()


def _segment(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def _of_png(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + 8 + length]
        if kind in (b"tEXt", b"zTXt", b"iTXt") and len(content) == length:
            name, _, rest = content.partition(b"\0")
            value = _png_value(kind, rest)
            if value is not None:
                found[name.decode("latin-1")] = value
        at += 12 + length
    return found


def _png_value(kind: bytes, rest: bytes) -> str | None:
    if kind == b"tEXt":
        return rest.decode("latin-1")
    if kind == b"zTXt":
        packed, encoding, value = True, "latin-1", rest[1:]
    else:
        packed, encoding = rest[:1] == b"\1", "utf-8"
        value = rest[2:].split(b"\0", 2)[-1]
    if packed:
        value = _unpacked(value)
    return None if value is None else value.decode(encoding, "replace")


def _unpacked(value: bytes) -> bytes | None:
    unpack = zlib.decompressobj()
    try:
        made = unpack.decompress(value, MOST_TEXT)
    except zlib.error:
        return None
    return None if unpack.unconsumed_tail else made


def _of_jpeg(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    packets, more = b"", {}
    for content in _jpeg_segments(data):
        if content.startswith(_XMP):
            packets += content[len(_XMP) :]
        elif content.startswith(_XMP_MORE) and len(content) > len(_XMP_MORE) + 40:
            head = content[len(_XMP_MORE) :][:40]
            more[struct.unpack(">I", head[36:40])[0]] = content[len(_XMP_MORE) + 40 :]
        elif content.startswith(_EXIF):
            found |= _of_exif(content)
    packets += b"".join(more[at] for at in sorted(more))
    return found | _of_xmp(packets)


def _jpeg_segments(data: bytes) -> Iterator[bytes]:
    """The contents of the APP1 segments before the pixels."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if data[at + 1] == 0xE1:
            yield data[at + 4 : at + 2 + length]
        at += 2 + length


def _of_webp(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        content = data[at + 8 : at + 8 + length]
        if kind == b"EXIF":
            found |= _of_exif(content)
        elif kind == b"XMP ":
            found |= _of_xmp(content)
        at += 8 + length + length % 2
    return found


def _of_xmp(packet: bytes) -> dict[str, str]:
    match = _TEXTS.search(packet)
    if match is None or len(match[1]) > MOST_TEXT:
        return {}
    try:
        texts = json.loads(html.unescape(match[1].decode()))
    except (ValueError, RecursionError):
        return {}
    items = texts.items() if isinstance(texts, dict) else ()
    return {name: value for name, value in items if isinstance(value, str)}


def _of_exif(raw: bytes) -> dict[str, str]:
    """UserComment as ``parameters``; and what ComfyUI leaves in other tags, as ``workflow:...``."""
    tags = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged tags: those are left out
            tags.load(raw)
            comment = tags.get_ifd(_EXIF_FOLDER).get(_USER_COMMENT)
            values = [tags.get(tag) for tag in _COMFYUI_TAGS]
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return {}
    found: dict[str, str] = {}
    for value in values:
        name, colon, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
        if colon and name.lower() in ("workflow", "prompt"):
            found[name.lower()] = rest
    if isinstance(comment, bytes) and (told := _comment(comment)):
        found["parameters"] = told
    return found


def _comment(raw: bytes) -> str:
    if raw.startswith(b"UNICODE\0"):
        return raw[8:].decode("utf-16-be", "replace")
    return raw[8:].decode("utf-8", "replace") if raw.startswith(b"ASCII\0\0\0") else ""
