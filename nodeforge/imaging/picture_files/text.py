"""Reads text inside picture files: PNG chunks, EXIF, XMP.

PNG has chunks for it. JPEG and WebP have none, so an XMP packet holds all texts as one JSON
object in ASCII (which XML cannot damage), and EXIF's UserComment holds ``parameters``, where
other programs look for it. A packet too large for one JPEG segment goes on in others, as
XMP's own rules for that say.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from PIL import Image

from nodeforge.imaging.errors import PictureError
from nodeforge.values.picture_lock import deflated

MOST_TEXT = 32 * 2**20
"""Bytes of all texts of a picture, packed and unpacked; what goes beyond is not read."""
MOST_XMP = 8 * 2**20
"""Bytes of the texts in an XMP packet."""
_MOST_CHUNKS = 10_000
"""Parts of a file that are looked at."""

_PNG = b"\x89PNG\r\n\x1a\n"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"
_EXIF = b"Exif\0\0"
_SEGMENT = 65_000
_EXIF_FOLDER, _USER_COMMENT = 0x8769, 0x9286
_COMFYUI_TAGS = (0x010F, 0x0110, 0x010E)
_OPEN, _CLOSE = b"<nodeforge:texts>", b"</nodeforge:texts>"
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
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            head = file.read(12)
            if head.startswith(_PNG):
                file.seek(len(_PNG))
                return _of_png(file)
            if head.startswith(b"\xff\xd8"):
                return _of_jpeg(file)
            if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
                return _of_webp(file)
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}.", place=str(source)) from error
    return {}


def xmp(text: Mapping[str, str]) -> bytes:
    """An XMP packet with all of `text`."""
    body = html.escape(json.dumps(deflated(text)), quote=False)
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


def _of_png(file: IO[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    left = MOST_TEXT
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head)
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            file.seek(length + 4, os.SEEK_CUR)
            continue
        content = file.read(min(length, left))
        if len(content) < length:  # cut short, or more than is read
            break
        file.seek(4, os.SEEK_CUR)
        name, _, rest = content.partition(b"\0")
        value = _png_value(kind, rest, left)
        if value is not None:
            found[name.decode("latin-1")] = value
            left -= len(value)
        left = max(0, left - length)
    return found


def _png_value(kind: bytes, rest: bytes, most: int) -> str | None:
    if kind == b"tEXt":
        return _plain(rest)
    if kind == b"zTXt":
        packed, encoding, value = True, "", rest[1:]
    else:
        packed, encoding = rest[:1] == b"\1", "utf-8"
        value = rest[2:].split(b"\0", 2)[-1]
    if packed:
        value = _unpacked(value, most)
    if value is None:
        return None
    return value.decode(encoding, "replace") if encoding else _plain(value)


def _plain(value: bytes) -> str:
    """Text that the format says is Latin-1; ComfyUI's front end writes and reads it as UTF-8."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _unpacked(value: bytes, most: int) -> bytes | None:
    """What zlib makes of `value`; None where it is damaged or gives more than `most` bytes."""
    unpack = zlib.decompressobj()
    try:
        made = unpack.decompress(value, most)
    except zlib.error:
        return None
    return None if unpack.unconsumed_tail else made


def _of_jpeg(file: IO[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    packets: list[bytes] = []
    more: dict[int, bytes] = {}
    left = MOST_TEXT
    for content in _jpeg_segments(file):
        left -= len(content)
        if left < 0:
            break
        if content.startswith(_XMP):
            packets.append(content[len(_XMP) :])
        elif content.startswith(_XMP_MORE) and len(content) > len(_XMP_MORE) + 40:
            head = content[len(_XMP_MORE) :][:40]
            more[struct.unpack(">I", head[36:40])[0]] = content[len(_XMP_MORE) + 40 :]
        elif content.startswith(_EXIF):
            found |= _of_exif(content)
    return found | _of_xmp(b"".join([*packets, *(more[at] for at in sorted(more))]))


def _jpeg_segments(file: IO[bytes]) -> Iterator[bytes]:
    """The contents of the APP1 segments before the pixels."""
    file.seek(2)
    for _ in range(_MOST_CHUNKS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] == 0xDA:
            return
        length = struct.unpack(">H", head[2:])[0] - 2
        if length < 0:
            return
        if head[1] == 0xE1:
            yield file.read(length)
        else:
            file.seek(length, os.SEEK_CUR)


def _of_webp(file: IO[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    file.seek(12)
    left = MOST_TEXT
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        if kind not in (b"EXIF", b"XMP "):
            file.seek(length + length % 2, os.SEEK_CUR)
            continue
        content = file.read(min(length, left))
        left -= len(content)
        if len(content) < length:
            break
        found |= _of_exif(content) if kind == b"EXIF" else _of_xmp(content)
        file.seek(length % 2, os.SEEK_CUR)
    return found


def _of_xmp(packet: bytes) -> dict[str, str]:
    start = packet.find(_OPEN)
    end = packet.find(_CLOSE, start)
    if start < 0 or end < 0 or end - start > MOST_XMP:
        return {}
    try:
        texts = json.loads(html.unescape(packet[start + len(_OPEN) : end].decode()))
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
            comment = tags.get_ifd(_EXIF_FOLDER).get(_USER_COMMENT) or tags.get(_USER_COMMENT)
            values = [tags.get(tag) for tag in _COMFYUI_TAGS]
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return {}
    found: dict[str, str] = {}
    for value in values:
        name, colon, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
        if colon and name.lower() in ("workflow", "prompt"):
            found[name.lower()] = rest
    if isinstance(comment, str):  # Fooocus puts it among the tags of the picture, as a text
        comment = comment.encode()
    if isinstance(comment, bytes) and (told := _comment(comment)):
        found["parameters"] = told
    return found


def _comment(raw: bytes) -> str:
    """Of any writer: EXIF leaves open which byte comes first, and some leave out the encoding."""
    if raw.startswith(b"UNICODE\0"):
        first = "le" if raw[8:9] and raw[9:10] == b"\0" else "be"
        return raw[8:].decode(f"utf-16-{first}", "replace")
    if raw.startswith(b"ASCII\0\0\0"):
        return raw[8:].decode("utf-8", "replace")
    return raw.decode("utf-8", "replace") if raw.startswith(b"{") else ""
