"""Walks a folder of models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from nodeforge.models.errors import ModelFileError
from nodeforge.models.files.diffusers_folder import INDEX, components, is_model_folder

SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin")
"""What model files end with. Pickles are listed and found, and then refused with a way out."""

_DEPTH = 12


def models_in(root: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of each model below `root`: files, and diffusers folders.

    Inside a whole model's folder, its networks are parts of it; other folders there, as LoRAs
    that came with it, are listed.
    """
    seen = set[str]()
    waiting = [(root, "")]
    while waiting:
        folder, prefix = waiting.pop()
        real = os.path.realpath(folder)
        if real in seen or prefix.count("/") > _DEPTH:
            continue
        seen.add(real)
        whole = (folder / INDEX).is_file()
        parts = _parts(folder) if whole else ()
        for path in _entries(folder):
            name = prefix + path.name
            if path.name in parts or path.name.startswith("."):
                continue
            if path.is_dir():
                if is_model_folder(path):
                    yield name, path
                if not (path / "config.json").is_file():
                    waiting.append((path, f"{name}/"))
            elif not whole and path.name.endswith(SUFFIXES):
                yield name, path


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _parts(folder: Path) -> tuple[str, ...]:
    try:
        return components(folder)
    except ModelFileError:
        return ()
