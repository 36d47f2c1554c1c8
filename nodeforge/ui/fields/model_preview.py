"""The picture that a person has put beside a model to know it by."""

from __future__ import annotations

from pathlib import Path

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_INSIDE = ("preview", "samples")


def preview_picture(model: Path) -> Path | None:
    """``fox.png`` beside ``fox.safetensors``, or in a folder its ``samples.jpg``."""
    stem = model.name if model.is_dir() else model.stem
    names = [f"{stem}{middle}{suffix}" for middle in ("", ".preview") for suffix in _SUFFIXES]
    places = [model.with_name(name) for name in names]
    if model.is_dir():
        places += [model / f"{name}{suffix}" for name in _INSIDE for suffix in _SUFFIXES]
    return next((place for place in places if place.is_file()), None)
