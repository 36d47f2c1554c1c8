"""Opens pictures of other programs as workflows: ComfyUI's graph, or the settings of the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.formats.comfyui import Imported, NotComfyUIError, import_file
from nodeforge.formats.parameters.foreign import a1111, fooocus, invokeai, novelai, swarmui
from nodeforge.formats.parameters.foreign.picture_settings import PictureSettings
from nodeforge.formats.parameters.foreign.report import ImportedSettings
from nodeforge.formats.parameters.foreign.settings_workflow import workflow_of
from nodeforge.formats.pictures import is_media, is_picture, texts_of_file
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders

_READERS = (invokeai, novelai, swarmui, fooocus, a1111)
"""Those first that tell their own by more than a text which looks like one."""


def settings_of(texts: Mapping[str, str]) -> PictureSettings | None:
    """The settings in the texts of a picture; None where no program that we know wrote them."""
    return next((made for each in _READERS if (made := each.read(texts)) is not None), None)


def import_any(
    path: Path, catalogue: Catalogue, folders: ModelFolders | None = None
) -> Imported | ImportedSettings:
    """Make a workflow of the file at `path`: a workflow of ComfyUI in JSON or in a picture, or a
    picture with the settings of A1111, Forge, InvokeAI, SwarmUI, Fooocus or NovelAI.

    Args:
        path: The file.
        catalogue: Our node types.
        folders: Where models are.

    Raises:
        NotComfyUIError: it holds neither.
        RequestError: it cannot be read, is damaged, or passes a bound.
    """
    try:
        return import_file(path, catalogue, folders)
    except NotComfyUIError:
        if not (is_picture(path) or is_media(path)):
            raise
        settings = settings_of(texts_of_file(path))
        if settings is None:
            raise
        return workflow_of(settings, catalogue, folders)
