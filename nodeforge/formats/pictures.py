"""Workflows inside pictures, videos and sounds: every saved one can be opened as what made it.

``nodeforge`` holds the workflow, ``parameters`` a summary as A1111 writes it, which galleries
and other programs read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nodeforge.formats.copies import COPY, narrow
from nodeforge.formats.errors import WorkflowError
from nodeforge.formats.parameters import (
    PARAMETERS,
    texts_of_copies,
    texts_of_run,
    with_hashes,
)
from nodeforge.formats.sampling_settings import Recognised
from nodeforge.formats.workflow import load, read, write
from nodeforge.graph.document import Document
from nodeforge.graph.planned.evaluate import Resolve
from nodeforge.models import known_sha256
from nodeforge.spec import Catalogue
from nodeforge.values.file_kinds import START, file_kind
from nodeforge.values.output_names import BATCH_POS, told
from nodeforge.values.picture_lock import LOCK

WORKFLOW = "nodeforge"

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
_SOUNDS = ("a sound", "an Ogg")
_MEDIA = ("a video", "a GIF", *_SOUNDS)
"""What kinds of files that FFmpeg reads begin with, see `file_kind`."""
_TOLD = frozenset({"prompt", "workflow", "parameters", "comment", "title", "description"})
"""Texts of videos that are worth naming; others are their encoder's."""
_OTHERS = {"prompt", "workflow", "parameters", "invokeai_metadata", "sd-metadata", "Comment"}
"""Texts of which an import may make a workflow."""


class NoWorkflowError(WorkflowError):
    """A picture, video or sound without a workflow of ours.

    `texts` are the names of what it holds instead.
    """

    def __init__(self, path: Path, texts: tuple[str, ...]) -> None:
        found = f" It has: {', '.join(texts)}." if texts else ""
        theirs = _OTHERS & set(texts)
        program = "ComfyUI" if {"prompt", "workflow"} & theirs else "Another program"
        super().__init__(
            f"holds no NodeForge workflow.{found}",
            place=path.name,
            way_out=f"{program} made it. Make a workflow of it: nodeforge import '{path.name}'."
            if theirs
            else "Choose a picture or video that NodeForge saved, and that no program has changed "
            "since.",
        )
        self.path = path
        self.texts = texts


def stamp(
    document: Document,
    catalogue: Catalogue | None = None,
    recognised: Recognised | None = None,
    resolve: Resolve | None = None,
) -> dict[str, str]:
    """The texts to put into a picture that `document` made, by name; no model is read for them.

    The arguments are those of `run_stamp`.
    """
    return hashed(run_stamp(document, catalogue, recognised, resolve))


def hashed(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts of a run (`run_stamp`) for a picture, with the hashes that are known by now."""
    return with_hashes(texts, known_sha256)[0]


def run_stamp(
    document: Document,
    catalogue: Catalogue | None = None,
    recognised: Recognised | None = None,
    resolve: Resolve | None = None,
) -> dict[str, str]:
    """The texts for the pictures that a run of `document` saves, by name, without the hashes of
    models: whoever saves puts those in that are known by then (`with_hashes`).

    Behind a list each copy of what saves has a summary of its own, ``parameters COPY``, and the
    values that the list gave it, ``nodeforge_copy COPY``.

    Args:
        document: The workflow.
        catalogue: Without one there is no summary: nothing tells which nodes only pass values on.
        recognised: Tells what a model is, for settings that are left to it.
        resolve: Finds files, for values that stand in some.
    """
    texts = {WORKFLOW: write(document).decode("utf-8")}
    if catalogue is None:
        return texts
    given = document.graph, catalogue, recognised, resolve
    return texts | texts_of_run(*given) | texts_of_copies(*given)


def document_from_picture(path: Path) -> Document:
    """The workflow that made the PNG, JPEG or WebP, the video or the sound at `path`.

    Raises:
        NoWorkflowError: it holds none.
        WorkflowError: what it holds cannot be read.
        PictureError, MediaError: the file cannot be read.
    """
    texts = texts_of_file(path)
    if WORKFLOW not in texts:
        raise NoWorkflowError(path, tuple(sorted(texts)))
    document = read(texts[WORKFLOW], path.name)
    if chunk := texts.get(COPY):
        narrow(document, chunk)
    return document


def texts_of_file(path: Path) -> dict[str, str]:
    """The texts in a picture, video or sound, by name.

    Raises:
        PictureError, MediaError: the file cannot be read.
    """
    if is_media(path):
        from nodeforge.media import read_media_text  # only here: it brings FFmpeg

        ours = _TOLD | {WORKFLOW, COPY, LOCK}
        return {name: text for name, text in read_media_text(path).items() if name in ours}
    from nodeforge.imaging import read_text  # only here: it brings numpy, which is slow to import

    return read_text(path)


def item_of_picture(path: Path) -> int | None:
    """The place of a picture in the batch that was drawn at once with it; None for others.

    Raises:
        PictureError: the file cannot be read.
    """
    from nodeforge.imaging import read_text

    if not is_picture(path):
        return None
    _, facts = told(read_text(path).get(PARAMETERS, ""))
    place = facts.get(BATCH_POS, "")
    return int(place) if place.isdigit() else None


def read_any(path: Path) -> Document:
    """The workflow in a workflow file, picture, video or sound, told apart by their first bytes.

    A damaged picture goes by its name.

    Raises:
        RequestError: there is none that can be read.
    """
    return document_from_picture(path) if is_picture(path) or is_media(path) else load(path)


def is_picture(path: Path) -> bool:
    """Whether the file at `path` is a PNG, JPEG or WebP, or a damaged one by its name."""
    try:
        with path.open("rb") as file:
            named = path.suffix.lower() in _SUFFIXES
            start = file.read(8)
            return start.startswith(_PICTURES) or (named and not start.startswith(b"{"))
    except OSError:
        return False  # `load` says why


def is_media(path: Path) -> bool:
    """Whether the file at `path` is a video, an animated GIF or a sound."""
    return _kind_of(path).startswith(_MEDIA)


def is_sound(path: Path) -> bool:
    """Whether the file at `path` is a sound."""
    return _kind_of(path).startswith(_SOUNDS)


def _kind_of(path: Path) -> str:
    """What kind of file is at `path`, by its first bytes; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file_kind(file.read(START), path.name)
    except OSError:
        return ""  # `load` says why
