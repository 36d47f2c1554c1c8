"""Imports ComfyUI workflows, in UI and API form, with a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.formats.comfyui.reading import NotComfyUIError, from_json, read_file, read_text
from nodeforge.formats.comfyui.report import ConvertedNode, Report
from nodeforge.formats.comfyui.workflow_conversion import PLACEHOLDER, Imported, convert
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders


def import_file(path: Path, catalogue: Catalogue, models: ModelFolders | None = None) -> Imported:
    """Import the ComfyUI workflow in the JSON file or picture at `path`.

    Args:
        path: The file.
        catalogue: Our node types.
        models: Where to look for the families of models (see `convert`).

    Raises:
        NotComfyUIError: it holds none.
        RequestError: it cannot be read, is damaged, or passes a bound.
    """
    return convert(read_file(path), catalogue, models)


__all__ = [
    "PLACEHOLDER",
    "ConvertedNode",
    "Imported",
    "NotComfyUIError",
    "Report",
    "convert",
    "from_json",
    "import_file",
    "read_file",
    "read_text",
]
