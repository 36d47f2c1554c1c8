"""Every concept's picture in one array per style, so that drawing never opens an archive."""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tools.nano.packages import FLUENT_3D, FLUENT_FLAT, NOTO, fetch, read_files, read_json

SIZE = 256
STYLES = ("3d", "flat", "noto")
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """Pictures of one style: `pixels` is (pictures, 256, 256, 4), straight alpha."""

    codes: tuple[str, ...]
    pixels: Pixels

    def __getitem__(self, code: str) -> Pixels:
        return self.pixels[self.codes.index(code)]

    def __contains__(self, code: object) -> bool:
        return code in self.codes

    @classmethod
    def load(cls, archive: Path) -> "Pictures":
        """From an archive of WebP files, small enough to send along; unpacked beside it once."""
        pixels = archive.with_suffix(".npy")
        with zipfile.ZipFile(archive) as packed:
            names = packed.namelist()
            if not pixels.exists():
                fresh = archive.with_suffix(".new.npy")
                np.save(fresh, np.stack([decode(packed.read(name)) for name in names]))
                fresh.replace(pixels)
        codes = tuple(name.removesuffix(".webp") for name in names)
        return cls(codes, np.load(pixels, mmap_mode="r"))


def save_pictures(pictures: Mapping[str, bytes], archive: Path) -> None:
    """WebP files by code, in that order."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.with_suffix(".npy").unlink(missing_ok=True)
    with zipfile.ZipFile(archive, "w") as packed:
        for code, content in pictures.items():
            packed.writestr(f"{code}.webp", content)


def render_svg(markup: str) -> bytes:
    """An SVG's pixels as lossless WebP."""
    # Imported here: all but the data step do without the renderer.
    import resvg_py

    png = resvg_py.svg_to_bytes(svg_string=markup, width=SIZE, height=SIZE)
    return encode(decode(bytes(png)))


def encode(pixels: Pixels) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(content, "WEBP", lossless=True)
    return content.getvalue()


def decode(content: bytes) -> Pixels:
    picture = Image.open(io.BytesIO(content)).convert("RGBA")
    return np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS))


def read_style(style: str, cache: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Codes of a style with what gives each picture as WebP, straight from its package."""
    if style == "3d":
        for name, content in read_files(fetch(FLUENT_3D, cache), ".webp"):
            yield name.removesuffix(".webp"), partial(bytes, content)
    elif style == "flat":
        for name, content in read_files(fetch(FLUENT_FLAT, cache), ".svg"):
            yield name.removesuffix(".svg"), partial(render_svg, content.decode())
    else:
        yield from read_noto(cache)


def read_noto(cache: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Noto names its icons by words and lists their code points apart."""
    archive = fetch(NOTO, cache)
    icons: dict[str, Any] = read_json(archive, "/icons.json")["icons"]
    chars: dict[str, str] = read_json(archive, "/chars.json")
    for code, name in chars.items():
        if name in icons:
            body = icons[name]["body"]
            start = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128">'
            yield code, partial(render_svg, f"{start}{body}</svg>")


def pack_style(style: str, codes: Sequence[str], cache: Path) -> dict[str, bytes]:
    """The style's pictures of `codes`, in that order; codes it does not draw are left out."""
    wanted = set(codes)
    found = {code: picture() for code, picture in read_style(style, cache) if code in wanted}
    return {code: found[code] for code in codes if code in found}
