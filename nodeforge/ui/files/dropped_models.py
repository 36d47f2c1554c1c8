"""A model file that is dropped or opened: what it is, and where it shall lie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.edits import SetValue
from nodeforge.graph.model import Input
from nodeforge.models import (
    Kind,
    ModelInfo,
    family_label,
    is_pickle,
    kind_with_article,
    readable,
    recognise,
    upscaler_label,
)
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue, ModelFileWidget
from nodeforge.ui.common.background_reader import BackgroundReader
from nodeforge.ui.common.message_bars import Button, MessageBars
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.pickle_dialog import ALLOW, ask_to_allow

SUFFIXES = (".safetensors", ".sft", ".pth", ".pt", ".ckpt")
_SUBJECT = "model"


class DroppedModels:
    """Says what a model file is, and moves, copies or uses it as the person chooses.

    Args:
        workspace: Knows the model folders and the current document.
        bars: Where it is asked.
        reader: Copies in the background.
        parent: The window, for dialogs.
    """

    def __init__(
        self, workspace: Workspace, bars: MessageBars, reader: BackgroundReader, parent: QWidget
    ) -> None:
        self._workspace, self._bars, self._reader = workspace, bars, reader
        self._parent = parent

    def open(self, path: Path) -> None:
        """Ask what to do with a model file, or say why it cannot be used."""
        readable_copy = readable(path, self._workspace.settings)
        if is_pickle(readable_copy):
            text = f"{path.name} is a pickle, which is not opened before you allow it."
            allow: Button = (ALLOW, partial(self._allow, path))
            self._bars.show_message(_SUBJECT, text, [allow], kind="warn")
            return
        try:
            info = recognise(readable_copy)
        except NodeForgeError as error:
            self._show(str(error))
            return
        if info.kind is Kind.UNKNOWN:
            self._show(f"{path.name} cannot be used: {info.reason or 'its kind is not known.'}")
            return
        kind = info.kind.value
        folder = folder_of(kind, self._workspace.settings)
        family = family_label(info)
        what = f"{kind_with_article(kind)}{f' for {family}' if family else ''}"
        what += f" ({upscaler})" if (upscaler := upscaler_label(info)) else ""
        buttons: list[Button] = []
        if path.parent != folder:
            take = partial(self._take, path, folder)
            buttons += [("Move it there", partial(take, move=True))]
            buttons += [("Copy it there", partial(take, move=False))]
        if (end := self._port_for(info)) is not None:
            buttons.append(("Use it where it is", partial(self._use, path, end)))
        text = f"{path.name} is {what}. Its place is {folder}."
        self._bars.show_message(_SUBJECT, text, buttons, kind="info")

    def _allow(self, path: Path) -> None:
        if ask_to_allow(self._workspace.settings, path, self._parent):
            self.open(path)

    def _take(self, path: Path, folder: Path, *, move: bool) -> None:
        self._reader.read(
            path.name, partial(_put, path, folder, move), self._taken, lambda e: self._show(str(e))
        )

    def _taken(self, path: Path) -> None:
        text = f"{path.name} is in {path.parent}; every model picker offers it now."
        self._bars.show_message(_SUBJECT, text, kind="info")

    def _use(self, path: Path, end: Input) -> None:
        opened = self._workspace.current
        if opened is not None:
            opened.granted.append(str(path))
            opened.perform(SetValue(end.node, end.port, str(path)))

    def _port_for(self, info: ModelInfo) -> Input | None:
        opened = self._workspace.current
        if opened is None:
            return None
        return model_port(opened.document, self._workspace.catalogue, info.kind.value)

    def _show(self, text: str) -> None:
        self._bars.show_message(_SUBJECT, text)


def folder_of(kind: str, settings: Settings) -> Path:
    """The folder of NodeForge for models of a kind."""
    return settings.models / f"{kind}s"


def model_port(document: Document, catalogue: Catalogue, kind: str) -> Input | None:
    """The first input of the root graph that takes a model of `kind`; None for none."""
    for name, node in document.graph.nodes.items():
        spec = catalogue.get(node.type)
        for port in spec.inputs if spec is not None else ():
            if isinstance(port.widget, ModelFileWidget) and port.widget.kind == kind:
                return Input(name, port.name)
    return None


def _put(path: Path, folder: Path, move: bool, report: Callable[[float], object]) -> Path:
    """Move or copy a file into a folder; the new name appears only once it is whole."""
    target = folder / path.name
    if target.exists():
        raise RequestError(
            "is there already.", place=str(target), way_out="Rename one of the two files."
        )
    folder.mkdir(parents=True, exist_ok=True)
    if move and path.stat().st_dev == folder.stat().st_dev:
        path.rename(target)
        return target
    part = target.with_name(f".{target.name}.part")
    try:
        with path.open("rb") as source, part.open("wb") as copy:
            size, done = max(1, path.stat().st_size), 0
            while block := source.read(2**22):
                copy.write(block)
                done += len(block)
                report(done / size)
            copy.flush()
            os.fsync(copy.fileno())
        shutil.copystat(path, part)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    if move:
        path.unlink()
    return target
