"""Finds the preview picture of a model file."""

from __future__ import annotations

from pathlib import Path

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_INSIDE = ("preview", "samples")


def preview_picture(model: Path) -> Path | None:
    """A model's preview: ``fox.png`` beside ``fox.safetensors``, ``samples.jpg`` in a folder."""
    stem = model.name if model.is_dir() else model.stem
    names = [f"{stem}{middle}{suffix}" for middle in ("", ".preview") for suffix in _SUFFIXES]
    places = [model.with_name(name) for name in names]
    if model.is_dir():
        places += [model / f"{name}{suffix}" for name in _INSIDE for suffix in _SUFFIXES]
    return next((place for place in places if place.is_file()), None)
