"""Reads what can be opened as a document: plain values, made in any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.errors import NodeForgeError
from nodeforge.formats import NoWorkflowError, read_any
from nodeforge.graph.document import Document
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    from nodeforge.formats.comfyui import Imported
    from nodeforge.formats.parameters.foreign.report import ImportedSettings

_QUICK_BYTES = 2**18


@dataclass(frozen=True)
class ForeignWorkflow:
    """A workflow of ComfyUI, or one made of the settings in a picture of another program.

    Args:
        in_picture: It was in a picture.
    """

    imported: Imported | ImportedSettings
    in_picture: bool


def is_quick(path: Path) -> bool:
    """Whether reading a file takes a moment, so that it needs no other thread: a small workflow.

    A picture may hold far more than its size tells.
    """
    try:
        return path.suffix.lower() == ".json" and path.stat().st_size <= _QUICK_BYTES
    except OSError:
        return True  # it is not there


def read_document(
    path: Path,
    catalogue: Catalogue,
    settings: Settings,
    report: Callable[[float], object] = lambda _: None,
) -> Document | ForeignWorkflow:
    """The workflow in a workflow file or a picture, of NodeForge or another program.

    Args:
        path: The file.
        catalogue: Our node types.
        settings: Where models are, for the families of ComfyUI's.
        report: Hears the share that is done, 0..1; what it raises ends reading.

    Raises:
        RequestError: it holds no readable one; `NoWorkflowError` where it is a picture without.
    """
    try:
        return read_any(path)
    except NodeForgeError as error:
        report(0.5)
        from nodeforge.formats.parameters.foreign.reading import import_any  # few files need it

        try:
            imported = import_any(path, catalogue, ModelFolders(settings))
        except NodeForgeError:
            raise error from None  # why it is not a NodeForge workflow
        return ForeignWorkflow(imported, isinstance(error, NoWorkflowError))
