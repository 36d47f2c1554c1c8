"""The whole table: what each of ComfyUI's classes becomes, and the page that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows import latents, loaders, pictures, prompts, sampling, schedules

NOTES = frozenset({"Note", "MarkdownNote"})
"""Classes that become notes on the scene."""

SEEDS = frozenset({"seed", "noise_seed", "value"})
"""Values that may be followed by what they do after a run."""

SUBJECTS: Mapping[str, tuple[Row, ...]] = {
    "Models": loaders.ROWS,
    "Prompts": prompts.ROWS,
    "Latents": latents.ROWS,
    "Sampling": sampling.ROWS,
    "Samplers and schedules": schedules.ROWS,
    "Pictures, masks and values": pictures.ROWS,
}

ROWS: Mapping[str, Row] = {row.kind: row for rows in SUBJECTS.values() for row in rows}


def page_lines() -> Iterator[str]:
    """The table as Markdown, a section a subject."""
    for subject, rows in SUBJECTS.items():
        yield from ("", f"### {subject}", "", "| in ComfyUI | here | |", "|---|---|---|")
        for row in rows:
            here = ", ".join(f"`{each}`" for each in row.becomes) or "–"
            differs = f"{row.differs}." if row.differs else ""
            yield f"| {row.kind} | {here} | {' '.join(filter(None, (row.remark, differs)))} |"
