"""`--set` and `--seed`: edits of the document before it is run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from nodeforge.cli.workflow.piped import copied, is_pipe
from nodeforge.engine.content.assets import keep_picture
from nodeforge.engine.content.files import FOLDERS, READ_IN_PLACE
from nodeforge.engine.sweeps.exploration import seeds_of
from nodeforge.errors import RequestError
from nodeforge.graph.assets import ASSET, asset_name
from nodeforge.graph.assignments import AssignmentError, check_allowed, find_input, parse_value
from nodeforge.graph.document import Document
from nodeforge.graph.ports import input_spec
from nodeforge.settings import Settings
from nodeforge.spec import (
    Catalogue,
    FileWidget,
    ModelFileWidget,
    PortSpec,
)


class OverrideError(RequestError):
    """A `--set` that cannot be carried out."""


class Overrides:
    """Sets values of a document, as the person asked on the command line.

    Files that are named by a path are granted: pictures and texts are copied to the assets,
    models and folders are read where they are.
    """

    def __init__(self, document: Document, catalogue: Catalogue, settings: Settings) -> None:
        self._document = document
        self._catalogue = catalogue
        self._settings = settings
        self.granted: list[str] = []

    def set(self, assignment: str) -> None:
        """Carry out ``NODE.PORT=VALUE``, NODE an id or a title, or ``LABEL=VALUE`` of the form.

        Raises:
            OverrideError: there is no such input, or the value does not fit.
        """
        target, equals, text = assignment.partition("=")
        if not (equals and target):
            raise OverrideError(
                "is neither NODE.PORT=VALUE nor LABEL=VALUE.",
                place=f"--set {assignment}",
                way_out="For example --set prompt.text='a red fox'.",
            )
        try:
            _, node, port = find_input(self._document, self._catalogue, target)
            value = self._value(port, text)
            if port != input_spec(node, port.name, self._catalogue):
                check_allowed(port, value)  # the form's range; the linter knows the input's own
            node.values[port.name] = value
        except AssignmentError as error:
            place = f"--set {assignment}"
            raise OverrideError(error.fact, place=place, way_out=error.way_out) from None

    def seed(self, seed: int) -> None:
        """Give every unlinked seed this value."""
        for each in seeds_of(self._document, self._catalogue):
            self._document.node(each.path).values[each.port] = seed

    def count_seeds_up(self) -> None:
        """Raise every unlinked seed by 1."""
        for each in seeds_of(self._document, self._catalogue):
            self._document.node(each.path).values[each.port] = (each.value + 1) % 2**63

    def _value(self, port: PortSpec, text: str) -> Any:
        if isinstance(port.widget, FileWidget):
            return self._file(text, port.widget.kind)
        if isinstance(port.widget, ModelFileWidget):
            return self._model(text)
        return parse_value(port, text)

    def _file(self, text: str, kind: str) -> str:
        """A path of the person's becomes an asset of the document; a name stays a name.

        Folders, videos and sounds are read where they are.
        """
        path = _path(text)
        if kind in FOLDERS:
            return self._granted(path) if os.path.isdir(path) else text  # noqa: PTH112
        if is_pipe(path):
            with tempfile.TemporaryDirectory(prefix="nodeforge-") as folder:
                return self._asset(copied(path, Path(folder)), kind)
        if not os.path.isfile(path):  # noqa: PTH113
            return text
        return self._granted(path) if kind in READ_IN_PLACE else self._asset(path, kind)

    def _asset(self, path: Path, kind: str) -> str:
        entry = keep_picture(path, self._settings, kind)
        name = asset_name(self._document.assets, path.name, entry["sha256"])
        self._document.assets[name] = entry
        return ASSET + name

    def _model(self, text: str) -> str:
        path = _path(text)
        there = os.path.exists(path)  # noqa: PTH110
        if not there or not (path.is_absolute() or "." in text[:1]):
            return text
        return self._granted(path)

    def _granted(self, path: Path) -> str:
        self.granted.append(str(path.absolute()))
        return self.granted[-1]


def _path(text: str) -> Path:
    """A path as a shell takes it. Whether anything is there is asked of `os.path`, which says no
    to what can be no name, where `Path` raises."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # of a user who is not there
        return Path(text)
