"""The LoRAs of a denoise loop, and what their files say of themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nodeforge.errors import NodeForgeError
from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import Loop, number
from nodeforge.lint.recipes import model_path

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders

LOAD_LORA = "models.load_lora"
KIND = "lora"
_HURRYING = re.compile(
    r"(?i)(?<![a-z])(lcm|lightning|hyper|turbo|dmd2?|tcd|distill(?:ed)?|lightx2v)(?![a-z])"
)


@dataclass(frozen=True)
class LoadedLora:
    """A LoRA as a node loads it.

    Args:
        path: The node's.
        file: What the workflow calls the file.
        weight: On the denoiser; None where only a run can tell.
        text_weight: On the text encoder.
        found: Where the file is; None where it is not there.
    """

    path: str
    file: str
    weight: float | None
    text_weight: float | None
    found: Path | None

    @property
    def name(self) -> str:
        return PurePosixPath(self.file.replace("\\", "/")).name

    @property
    def hurries(self) -> bool:
        """Whether its name says that it was made to draw in few steps."""
        return bool(self.way_to_hurry)

    @property
    def way_to_hurry(self) -> str:
        """Which of the ways to draw in few steps its name says: ``lightning``; empty for none.

        A style for Z-Image Turbo says the name of its model, and is none.
        """
        words = PurePosixPath(self.name).stem.replace("_", "-").lower()
        found = _HURRYING.search(words.replace("z-image-turbo", ""))
        return found[1] if found and "patch" not in words else ""

    @property
    def metadata(self) -> Mapping[str, str]:
        """What its maker left in its header."""
        return _told(self.found)[0] if self.found else {}

    @property
    def has_text_part(self) -> bool:
        """Whether it changes text encoders, by its tensors' names."""
        return self.found is not None and _told(self.found)[1]

    @property
    def has_denoiser_part(self) -> bool:
        """Whether it changes a denoiser, by its tensors' names."""
        return self.found is not None and _told(self.found)[2]


def lora_at(scene: LintContext, path: str) -> LoadedLora | None:
    """The LoRA that the node at `path` loads, where it names one."""
    file = scene.value(path, "file")
    if scene.nodes[path].type != LOAD_LORA or type(file) is not str or not file:
        return None
    weight, text_weight = (
        number(scene.value(path, port)) for port in ("model_weight", "text_weight")
    )
    found = _find(scene, scene.models, file) if scene.models else None
    return LoadedLora(path, file, weight, text_weight, found)


def loras(scene: LintContext, loop: Loop) -> list[LoadedLora]:
    """Those that act on the loop's denoiser, the nearest first."""
    return [found for path in loop.upstream("model") if (found := lora_at(scene, path))]


def all_loras(scene: LintContext) -> list[LoadedLora]:
    """Those of the whole workflow."""
    return [found for path in scene.nodes if (found := lora_at(scene, path))]


def _find(scene: LintContext, models: ModelFolders, file: str) -> Path | None:
    try:
        return model_path(scene, models, KIND, file)
    except NodeForgeError:
        return None


def _told(path: Path) -> tuple[Mapping[str, str], bool, bool]:
    try:
        stat = path.stat()
        return _told_of(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, NodeForgeError):
        return {}, False, False  # a folder, or a file that `model_files` speaks of


@lru_cache(256)
def _told_of(path: Path, *stamp: int) -> tuple[Mapping[str, str], bool, bool]:
    """Metadata, and whether there are parts for text encoders and for a denoiser."""
    del stamp
    from nodeforge.models.files.header import read_header

    header = read_header(path)
    texts = [name for name in header.tensors if name.startswith(_TEXT)]
    return header.metadata, bool(texts), len(texts) < len(header.tensors)


_TEXT = ("lora_te", "text_encoder", "te_", "te1_", "te2_", "text_model", "transformer.text_model")
"""How names of tensors for text encoders begin: Kohya's, diffusers', and others'."""
