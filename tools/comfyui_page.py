"""Fills the generated parts of the page for those who come from ComfyUI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.sampling_names import SAMPLERS, SCHEDULES
from nodeforge.formats.comfyui.table import SUBJECTS

PAGE = Path(__file__).parent.parent / "docs" / "comfyui.md"


def page() -> str:
    """The page with its tables as they should be."""
    text = PAGE.read_text("utf-8")
    text = _filled(text, "table", _tables())
    return _filled(text, "names", _names())


def _filled(text: str, part: str, lines: Iterator[str]) -> str:
    start, end = f"<!-- {part}: start -->", f"<!-- {part}: end -->"
    before, _, rest = text.partition(start)
    body = "\n".join(lines)
    return f"{before}{start}\n{body}\n{end}{rest.partition(end)[2]}"


def _tables() -> Iterator[str]:
    for subject, rows in SUBJECTS.items():
        yield from (f"### {subject}", "", "| in ComfyUI | here | |", "|---|---|---|")
        yield from map(_row, rows)
        yield ""


def _row(row: Row) -> str:
    here = ", ".join(f"`{each}`" for each in row.becomes) or "–"
    told = [row.remark, f"{row.difference}." if row.difference else ""]
    return f"| {row.class_type} | {here} | {' '.join(filter(None, told))} |"


def _names() -> Iterator[str]:
    yield from _pairs("sampler", SAMPLERS)
    yield ""
    yield from _pairs("schedule", SCHEDULES)


def _pairs(what: str, names: Mapping[str, str]) -> Iterator[str]:
    yield from (f"| {what} in ComfyUI | here |", "|---|---|")
    yield from (f"| {there} | {ours} |" for there, ours in names.items())
