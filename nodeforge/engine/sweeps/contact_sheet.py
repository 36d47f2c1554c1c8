"""A sweep, or the candidates of an exploration, as one HTML file that needs no other."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from nodeforge.engine.sweeps.grid import thumbnail
from nodeforge.engine.sweeps.labels import column_label, page_label, row_label
from nodeforge.engine.sweeps.results import CellResult, name_in

_SIDE = 384
"""Pixels of the longer side of a picture on the sheet; the file itself is linked."""
_STYLE = """
:root { color-scheme: light dark; font: 14px system-ui, sans-serif; }
body { margin: 16px; }
table { border-collapse: collapse; }
th, td { padding: 6px; text-align: left; vertical-align: top; white-space: pre-line; }
th { font-weight: 600; max-width: 24em; overflow-wrap: anywhere; }
figure { margin: 0; max-width: 384px; }
img { display: block; max-width: 100%; }
figcaption { opacity: 0.75; font-size: 12px; overflow-wrap: anywhere; }
.error { color: #c33; }
.wall { display: flex; flex-wrap: wrap; gap: 12px; }
"""


def sheet(title: str, results: Sequence[CellResult], folder: Path, together: bool = False) -> bytes:
    """The HTML of a sweep: a table a page.

    Args:
        title: Of the sheet.
        results: One at least.
        folder: Where the sheet will lie; the files are linked relative to it.
        together: The axes change as one.
    """
    return _document(title, _tables(results, folder, together))


def wall(title: str, pictures: Iterable[tuple[str, Sequence[Path], str]], folder: Path) -> bytes:
    """The HTML of pictures side by side, each with a caption.

    Args:
        title: Of the sheet.
        pictures: Caption, files, and an error where there is one.
        folder: Where the sheet will lie.
    """
    figures = (_figure(files, caption, error, folder) for caption, files, error in pictures)
    return _document(title, ('<div class="wall">', *figures, "</div>"))


def _tables(results: Sequence[CellResult], folder: Path, together: bool) -> Iterator[str]:
    for number in sorted({each.cell.page for each in results}):
        page = [each for each in results if each.cell.page == number]
        if label := page_label(page[0].cell, together):
            yield f"<h2>{_text(label)}</h2>"
        columns = {each.cell.column: column_label(each.cell, together) for each in page}
        yield "<table><tr><th></th>"
        yield from (f"<th>{_text(columns[column])}</th>" for column in sorted(columns))
        yield "</tr>"
        for row in sorted({each.cell.row for each in page}):
            found = {each.cell.column: each for each in page if each.cell.row == row}
            label = row_label(next(iter(found.values())).cell, together)
            yield f"<tr><th>{_text(label)}</th>"
            for column in sorted(columns):
                yield f"<td>{_cell(found.get(column), folder)}</td>"
            yield "</tr>"
        yield "</table>"


def _cell(result: CellResult | None, folder: Path) -> str:
    if result is None:
        return ""
    calls = f", {result.model_calls} model calls" if result.model_calls else ""
    return _figure(result.pictures, f"{result.seconds:.2f} s{calls}", result.error, folder)


def _figure(files: Sequence[Path], caption: str, error: str, folder: Path) -> str:
    pictures = "".join(_picture(file, folder) for file in files)
    fault = f'<p class="error">{_text(error)}</p>' if error else ""
    return f"<figure>{pictures}{fault}<figcaption>{_text(caption)}</figcaption></figure>"


def _picture(file: Path, folder: Path) -> str:
    """A small copy inside the sheet, which links the file."""
    data = io.BytesIO()
    thumbnail(file, _SIDE, _SIDE).save(data, "WEBP", quality=85)
    name = name_in(folder, file)
    link = quote(name) if not file.is_absolute() or name != file.as_posix() else file.as_uri()
    source = f"data:image/webp;base64,{base64.b64encode(data.getvalue()).decode()}"
    return f'<a href="{_text(link)}"><img src="{source}" alt="{_text(name)}"></a>'


def _document(title: str, body: Iterable[str]) -> bytes:
    lines = (
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_text(title)}</h1>",
        *body,
        "</body></html>",
    )
    return "\n".join(lines).encode("utf-8", "replace")


def _text(text: str) -> str:
    return html.escape(text, quote=True)
