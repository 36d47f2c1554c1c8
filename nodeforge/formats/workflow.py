"""Workflow files: bytes to document and back. A file that we wrote comes back byte for byte."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.formats import json_text
from nodeforge.formats.errors import FORMAT, NewerFormatError, TooLargeError, WrongShapeError
from nodeforge.formats.form_json import form_from_json, form_to_json
from nodeforge.formats.graph_json import graph_from_json, graph_to_json, reasons
from nodeforge.formats.migrations import migrate
from nodeforge.graph.document import VIEW_TABLES, Document, View
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Upgraded
from nodeforge.graph.upgrade import upgrade
from nodeforge.settings.whole_file import keep_copy, write_whole
from nodeforge.spec import Catalogue

_FIELDS = frozenset(
    {"format", "app", "nodes", "links", "form", "view", "assets", "lock", "lint", "conflicts"}
)
_NUMBERS = (int, float)
_TODAYS = b'\n  "format": %d,\n' % FORMAT


def read(text: bytes | str, name: str = "workflow") -> Document:
    """The workflow in `text`.

    Args:
        text: A workflow file's content.
        name: How errors call it, as a file's name.

    Raises:
        WorkflowError: it is not a workflow, or not one that this version reads; the place is
            `name` and the spot in the JSON.
    """
    try:
        with _without_collecting():
            return document_from_json(json_text.parse(text))
    except RequestError as error:
        raise error.at(name) from None


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Thousands of objects are made, none of them garbage: looking for it takes a third longer."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def write(document: Document) -> bytes:
    """`document` as a workflow file: sorted keys, one link a line, UTF-8."""
    return json_text.dump(document_to_json(document)).encode("utf-8", "replace")


def load(path: Path) -> Document:
    """The workflow in the file at `path`.

    Raises:
        RequestError: it cannot be read (see `read`).
    """
    return read(read_bytes(path), path.name)


def read_bytes(path: Path) -> bytes:
    """A file's content, if it is not too large to be a workflow."""
    try:
        with path.open("rb") as file:
            content = file.read(json_text.MAX_FOREIGN_BYTES + 1)
    except OSError as error:
        raise RequestError(f"cannot be read: {error.strerror}.", place=str(path)) from error
    if len(content) > json_text.MAX_FOREIGN_BYTES:
        limit = json_text.MAX_FOREIGN_BYTES // 2**20
        raise TooLargeError(f"is larger than {limit} MiB.", place=path.name)
    return content


def save(document: Document, path: Path) -> None:
    """Write `document` whole or not at all: a temporary file, flushed, then renamed.

    Where an older file is replaced, a copy of it stays beside it.

    Raises:
        RequestError: it cannot be written; what was at `path` is untouched.
    """
    content = write(document)
    if path.exists() and (number := _old_format(path, document.upgraded)):
        keep_copy(path, f"format{number}")
    write_whole(path, lambda file: file.write(content))


def _old_format(path: Path, upgraded: Collection[Upgraded]) -> int:
    try:
        content = read_bytes(path)
        if not upgraded and _TODAYS in content:
            return 0  # as we write it; the common case, without reading it all
        return old_format(json_text.parse(content), upgraded)
    except RequestError:
        return 0


def old_format(raw: Any, upgraded: Collection[Upgraded]) -> int:
    """The format of the workflow in `raw` if it is older than what we write; 0 if it is not.

    Args:
        upgraded: The nodes of the document to be saved that opening has upgraded: `raw` is older
            where it has one of them as it was before.
    """
    try:
        made_with = _format(raw) if isinstance(raw, dict) else FORMAT
        if made_with < FORMAT:
            return made_with
        nodes = every_node(_document(raw).graph) if upgraded else {}
    except RequestError:
        return 0
    before = (each for each in upgraded if each.path in nodes)
    return made_with if any(nodes[e.path].version == e.before for e in before) else 0


def document_from_json(raw: Any) -> Document:
    """The workflow in `raw`, as `json.loads` gives it, with today's versions of its nodes.

    Nodes of packs that are not shipped are as they were saved: whoever knows these packs'
    catalogue gives it to `nodeforge.graph.upgrade.upgrade`.

    Raises:
        WorkflowError: it is not a workflow, or not one that this version reads.
    """
    document = _document(raw)
    upgrade(document, Catalogue.shipped())
    return document


def _document(raw: Any) -> Document:
    """The workflow as it was saved, in today's format."""
    if not isinstance(raw, dict):
        raise WrongShapeError("is not a JSON object.", way_out="Choose a workflow file.")
    raw = migrate(raw, _format(raw))
    app = raw.get("app", "")
    if type(app) is not str:
        raise WrongShapeError("is not text.", place="app")
    return Document(
        graph=graph_from_json(raw),
        form=form_from_json(raw.get("form", [])),
        view=_view(_table(raw, "view")),
        assets=_table(raw, "assets"),
        lock=_table(raw, "lock"),
        lint=reasons(raw, ""),
        conflicts=_table(raw, "conflicts"),
        extra={key: raw[key] for key in raw if key not in _FIELDS},
        app=app,
    )


def document_to_json(document: Document) -> dict[str, Any]:
    """`document` as JSON values; they are shared with it."""
    versions = {spec.type: spec.version for spec in Catalogue.shipped().values()}
    raw = {
        **document.extra,
        "format": FORMAT,
        **graph_to_json(document.graph, versions),
    }
    parts = {
        "app": document.app,
        "form": form_to_json(document.form),
        "view": _view_to_json(document.view),
        "assets": document.assets,
        "lock": document.lock,
        "lint": document.lint,
        "conflicts": document.conflicts,
    }
    return raw | {name: part for name, part in parts.items() if part}


def _format(raw: dict[str, Any]) -> int:
    made_with = raw.get("format")
    if type(made_with) is not int or made_with < 1:
        raise WrongShapeError(
            "says no format, so it is not a NodeForge workflow.",
            place="format",
            way_out="Choose a workflow file; 'nodeforge import' makes one of ComfyUI's.",
        )
    if made_with > FORMAT:
        raise NewerFormatError(made_with)
    return made_with


def _table(raw: dict[str, Any], name: str) -> dict[str, Any]:
    table = raw.get(name, {})
    if type(table) is not dict:
        raise WrongShapeError("is not an object.", place=name)
    return table


def _view(raw: dict[str, Any]) -> View:
    view = View(extra={key: raw[key] for key in raw if key not in VIEW_TABLES})
    for name in VIEW_TABLES:
        table = raw.get(name, {})
        if type(table) is not dict:
            raise WrongShapeError("is not an object.", place=f"view.{name}")
        setattr(view, name, table)
    for path, position in view.positions.items():
        if not _is_position(position):
            raise WrongShapeError("is not [x, y].", place=f"view.positions.{path}")
    return view


def _is_position(value: Any) -> bool:
    return (
        type(value) is list
        and len(value) == 2
        and type(value[0]) in _NUMBERS
        and type(value[1]) in _NUMBERS
    )


def _view_to_json(view: View) -> dict[str, Any]:
    tables = {name: getattr(view, name) for name in VIEW_TABLES}
    return {**view.extra, **{name: table for name, table in tables.items() if table}}
