"""Makes small files that cost much to read."""

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from nodeforge.imaging import PictureFormat, encode


def chunk(kind: bytes, value: bytes) -> bytes:
    return (
        struct.pack(">I", len(value)) + kind + value + struct.pack(">I", zlib.crc32(kind + value))
    )


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(*each) for each in chunks)


def webp(xmp: bytes) -> bytes:
    body = b"WEBPXMP " + struct.pack("<I", len(xmp)) + xmp
    return b"RIFF" + struct.pack("<I", len(body)) + body


def ora(path: Path, pictures: dict[str, bytes], stack: str, side: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in pictures.items():
            file.writestr(name, content)
        file.writestr("stack.xml", f'<image w="{side}" h="{side}"><stack>{stack}</stack></image>')
    return path


def flat(side: int, *colour: int) -> bytes:
    return encode(np.full((side, side, 4), colour, np.uint8), PictureFormat.PNG)
