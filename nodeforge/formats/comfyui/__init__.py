"""ComfyUI's workflows: read in both of their forms and made into ours, with a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.formats.comfyui.converting import PLACEHOLDER, Imported, convert
from nodeforge.formats.comfyui.reading import NotComfyUIError, from_json, read_file, read_text
from nodeforge.formats.comfyui.report import Became, Report
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders


def import_file(path: Path, catalogue: Catalogue, models: ModelFolders | None = None) -> Imported:
    """The workflow of ComfyUI in the JSON file or picture at `path`, as one of ours.

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
    "Became",
    "Imported",
    "NotComfyUIError",
    "Report",
    "convert",
    "from_json",
    "import_file",
    "read_file",
    "read_text",
]
