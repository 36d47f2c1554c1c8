"""The table of all ComfyUI classes that have a counterpart."""

from __future__ import annotations

from collections.abc import Mapping

from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows import (
    batches,
    caches,
    images,
    latents,
    loaders,
    masks,
    motion,
    pack_sampling,
    picture_sizes,
    pipes,
    preprocessors,
    prompts,
    references,
    sampling,
    schedules,
    sound_latents,
    sounds,
    switches,
    texts,
    values,
    videos,
)

NOTES = frozenset({"Note", "MarkdownNote"})
"""Classes that become notes on the scene."""

SUBJECTS: Mapping[str, tuple[Row, ...]] = {
    "Models": loaders.ROWS,
    "Caches of steps": caches.ROWS,
    "Prompts": prompts.ROWS,
    "Reference pictures": references.ROWS,
    "Latents": latents.ROWS,
    "Sampling": sampling.ROWS,
    "Samplers and schedules": schedules.ROWS,
    "Images": images.ROWS,
    "Sizes of images": picture_sizes.ROWS,
    "Batches of images": batches.ROWS,
    "Preprocessors": preprocessors.ROWS,
    "Masks": masks.ROWS,
    "Videos": videos.ROWS,
    "Motion modules": motion.ROWS,
    "Sounds": sounds.ROWS,
    "Latents of sounds": sound_latents.ROWS,
    "Values": values.ROWS,
    "Texts and numbers of others": texts.ROWS,
    "Switches": switches.ROWS,
    "Pipes": pipes.ROWS,
    "Loaders and samplers of packs": pack_sampling.ROWS,
}

ROWS: Mapping[str, Row] = {row.class_type: row for rows in SUBJECTS.values() for row in rows}
