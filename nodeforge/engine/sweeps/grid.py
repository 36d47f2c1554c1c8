"""Labelled pictures of a sweep: one a page, first axis in rows, second in columns."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError
from PIL.ImageFont import FreeTypeFont
from PIL.ImageFont import ImageFont as BitmapFont

from nodeforge.engine.sweeps.labels import column_label, page_label, row_label
from nodeforge.engine.sweeps.results import CellResult
from nodeforge.media import read_frame

_MOST_PIXELS = 64 * 2**20
_MOST_SIDE = 16_000
"""Of a page."""
_FEWEST_ROWS = 4
"""Of a page that is divided."""
_LARGEST_CELL = 1024
_SMALLEST_CELL = 96
_GAP = 6
_PAPER, _INK, _EMPTY, _FAULT = (255, 255, 255), (20, 20, 20), (236, 236, 236), (176, 32, 32)
_WIDER_FONTS = ("NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf")
"""Fonts of systems with more letters than the one that Pillow brings."""
_LINES = 4
"""Of a label."""
_Font = FreeTypeFont | BitmapFont


def pages(results: Sequence[CellResult], together: bool = False) -> list[bytes]:
    """A PNG of each page of a sweep, with the first picture of each cell; long ones are divided.

    Args:
        results: One at least; cells without a picture stay empty.
        together: The axes change as one, so that a row has the values of all.
    """
    made = []
    for number in sorted({each.cell.page for each in results}):
        page = [each for each in results if each.cell.page == number]
        rows = sorted({each.cell.row for each in page})
        step = max(_FEWEST_ROWS, _MOST_SIDE // _cell_size(page, 1, 1)[1] - 1)
        for first in range(0, len(rows), step):
            part = frozenset(rows[first : first + step])
            made.append(_png(_page([each for each in page if each.cell.row in part], together)))
    return made


def _page(results: Sequence[CellResult], together: bool) -> Image.Image:
    rows = {each.cell.row: row_label(each.cell, together) for each in results}
    columns = {each.cell.column: column_label(each.cell, together) for each in results}
    width, height = _cell_size(results, len(rows), len(columns))
    size = max(12, min(28, width // 14))
    labels = {n: _wrapped(text, min(width, 16 * size), size) for n, text in rows.items()}
    margin = max(_text_width(label, size) for label in labels.values()) + _GAP
    left = _GAP + margin
    title = _wrapped(page_label(results[0].cell, together), margin + len(columns) * width, size)
    heads = {n: _wrapped(text, width, size) for n, text in columns.items()}
    above = _text_height(title, size)
    top = _GAP + above + max(_text_height(head, size) for head in heads.values())
    wide = left + len(columns) * (width + _GAP)
    page = Image.new("RGB", (wide, top + len(rows) * (height + _GAP)), _PAPER)
    draw = ImageDraw.Draw(page)
    _write(draw, (_GAP, _GAP), title, size)
    x_of = {n: left + place * (width + _GAP) for place, n in enumerate(sorted(columns))}
    y_of = {n: top + place * (height + _GAP) for place, n in enumerate(sorted(rows))}
    for number, head in heads.items():
        _write(draw, (x_of[number], _GAP + above), head, size)
    for number, label in labels.items():
        _write(draw, (_GAP, y_of[number]), label, size)
    for each in results:
        corner = x_of[each.cell.column], y_of[each.cell.row]
        _place(page, draw, each, corner, (width, height), size)
    return page


def _place(
    page: Image.Image,
    draw: ImageDraw.ImageDraw,
    result: CellResult,
    corner: tuple[int, int],
    box: tuple[int, int],
    size: int,
) -> None:
    (x, y), (width, height) = corner, box
    if not result.pictures:
        draw.rectangle((x, y, x + width - 1, y + height - 1), fill=_EMPTY)
        _write(draw, (x + 4, y + 4), _wrapped(result.error, width - 8, size), size, _FAULT)
        return
    picture = thumbnail(result.pictures[0], width, height)
    page.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))


def thumbnail(file: Path, width: int, height: int) -> Image.Image:
    """The picture in a file, or a video's first, no larger than asked, on white where it is
    transparent."""
    with _picture_in(file) as stored:
        made = stored.convert("RGBA")
    made.thumbnail((width, height), Image.Resampling.LANCZOS)
    on_paper = Image.new("RGB", made.size, _PAPER)
    on_paper.paste(made, mask=made.getchannel("A"))
    return on_paper


def _cell_size(results: Sequence[CellResult], rows: int, columns: int) -> tuple[int, int]:
    """Pixels of a cell: those of the largest picture, less where the page would be too large."""
    sizes = [_size_of(each.pictures[0]) for each in results if each.pictures] or [(256, 256)]
    width, height = (max(side) for side in zip(*sizes, strict=True))
    width, height = max(width, _SMALLEST_CELL), max(height, _SMALLEST_CELL)
    share = min(
        1.0,
        _LARGEST_CELL / max(width, height),
        _MOST_SIDE / (width * (columns + 1)),
        _MOST_SIDE / (height * (rows + 1)),
        math.sqrt(_MOST_PIXELS / (width * height * (rows + 1) * (columns + 1))),
    )
    return max(4, int(width * share)), max(4, int(height * share))


def _size_of(file: Path) -> tuple[int, int]:
    with _picture_in(file) as stored:
        return stored.size


def _picture_in(file: Path) -> Image.Image:
    """A file's picture; of a video that Pillow does not read, its first frame."""
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        return Image.fromarray(read_frame(file))


def _write(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: str,
    size: int,
    ink: tuple[int, int, int] = _INK,
) -> None:
    if text:
        draw.multiline_text(corner, text, fill=ink, font=_font(size, text.isascii()), spacing=2)


def _text_width(text: str, size: int) -> int:
    font = _font(size, text.isascii())
    return math.ceil(max(font.getlength(line) for line in text.split("\n")))


def _text_height(text: str, size: int) -> int:
    return (text.count("\n") + 1) * (size + 6) if text else 0


def _wrapped(text: str, width: int, size: int) -> str:
    """`text` in at most `_LINES` lines that are no wider than `width` pixels."""
    font = _font(size, text.isascii())
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph[:400].split():
            for piece in _fitting(word, width, font):
                longer = f"{line} {piece}" if line else piece
                if line and font.getlength(longer) > width:
                    lines.append(line)
                    line = piece
                else:
                    line = longer
        lines.append(line)
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], lines[_LINES - 1][:-1] + "…"]
    return "\n".join(lines)


def _fitting(word: str, width: int, font: _Font) -> list[str]:
    """A word in pieces that fit into a line."""
    pieces = []
    while len(word) > 1 and font.getlength(word) > width:
        count = max(1, int(len(word) * width / font.getlength(word)))
        pieces.append(word[:count])
        word = word[count:]
    return [*pieces, word]


@cache
def _font(size: int, ascii_only: bool) -> _Font:
    for name in () if ascii_only else _WIDER_FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _png(page: Image.Image) -> bytes:
    data = io.BytesIO()
    page.save(data, "PNG")
    return data.getvalue()
