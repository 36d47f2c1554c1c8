"""The whole table: what each of ComfyUI's classes becomes."""

from __future__ import annotations

from collections.abc import Mapping

from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows import (
    latents,
    loaders,
    masks,
    pictures,
    plain,
    prompts,
    sampling,
    schedules,
)

NOTES = frozenset({"Note", "MarkdownNote"})
"""Classes that become notes on the scene."""

SUBJECTS: Mapping[str, tuple[Row, ...]] = {
    "Models": loaders.ROWS,
    "Prompts": prompts.ROWS,
    "Latents": latents.ROWS,
    "Sampling": sampling.ROWS,
    "Samplers and schedules": schedules.ROWS,
    "Pictures": pictures.ROWS,
    "Masks": masks.ROWS,
    "Values": plain.ROWS,
}

ROWS: Mapping[str, Row] = {row.kind: row for rows in SUBJECTS.values() for row in rows}
