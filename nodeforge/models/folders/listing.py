"""Walks a folder of models."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from nodeforge.models.errors import ModelFileError
from nodeforge.models.files.diffusers_folder import (
    components,
    is_model_folder,
    is_whole_model,
)

SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf")
"""What model files end with, in any case. Pickles are listed and found, and then refused with a
way out."""

_DEPTH = 12


def models_in(root: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of each model below `root`: files, and diffusers folders.

    Inside a whole model's folder, its networks are parts of it; other folders there, as LoRAs
    that came with it, are listed. Links are followed, wherever they lead: models are only read.
    Of a folder that is met twice, and of one that `root` itself lies in, nothing is listed again.
    """
    seen = _around(os.path.realpath(root))
    waiting = [(root, "")]
    while waiting:
        folder, prefix = waiting.pop()
        real = os.path.realpath(folder)
        if real in seen or prefix.count("/") > _DEPTH:
            continue
        seen.add(real)
        whole = is_whole_model(folder)
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
            elif not whole and is_named_as_model(path.name):
                yield name, path


def is_named_as_model(name: str) -> bool:
    """Whether a file's name ends as those of models do."""
    return name.lower().endswith(SUFFIXES)


def same_name(name: str) -> str:
    """`name` as all ways of writing it come out: separators, accents, the suffix's case."""
    stem, dot, suffix = unicodedata.normalize("NFC", name.replace("\\", "/")).rpartition(".")
    return f"{stem}{dot}{suffix.lower()}"


def _around(real: str) -> set[str]:
    """The folders that a folder lies in; the system's own are no place for models either."""
    return {*map(str, Path(real).parents), "/proc", "/sys", "/dev"}


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
