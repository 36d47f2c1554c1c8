"""What is run to make a saved picture again, and what of it is missing on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nodeforge import models
from nodeforge.engine.content.files import Files
from nodeforge.engine.content.pack_content import content_hash
from nodeforge.engine.queue.attempt import recogniser
from nodeforge.engine.replay.lock import LockError, PictureLock, read_lock
from nodeforge.engine.running.context import RunRequest
from nodeforge.errors import NodeForgeError
from nodeforge.formats.pictures import (
    document_from_picture,
    is_sound,
    run_stamp,
    texts_of_file,
)
from nodeforge.graph.document import Document
from nodeforge.graph.inline import inline
from nodeforge.graph.planned import original
from nodeforge.lint import Problem, Severity, companion_locks, lint
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue
from nodeforge.values.picture_lock import LOCK


def read_picture(picture: Path) -> tuple[Document, PictureLock]:
    """The workflow of a picture or video, and its lock.

    Raises:
        LockError: it has no lock, or a damaged one, or is a sound.
        NodeForgeError: it holds no workflow, or cannot be read.
    """
    document = document_from_picture(picture)
    if is_sound(picture):
        raise LockError(
            "is a sound, and only pictures and videos are judged.",
            place=picture.name,
            way_out=f"Make it again, and listen: nodeforge run '{picture.name}'.",
        )
    lock = read_lock(texts_of_file(picture).get(LOCK), picture.name)
    if original(lock.node) not in inline(document.graph).nodes:
        raise LockError(
            f"its lock is of what '{original(lock.node)}' saved, which its workflow does not have.",
            place=picture.name,
            way_out="Take the file as NodeForge saved it; a program has changed this one.",
        )
    return document, lock


def missing_packs(lock: PictureLock, settings: Settings) -> Iterator[NodeForgeError]:
    """The packs that a picture was made with and that do not run here, or only others."""
    for name, content in lock.packs.items():
        folder = settings.packs / name
        if not _is_name(name) or not folder.is_dir():
            yield LockError(
                "is not on this machine.",
                place=f"pack '{name}'",
                way_out=f"Copy it to {settings.packs}, and allow it in the preferences.",
            )
            continue
        try:
            here = content_hash(folder)
        except NodeForgeError as error:
            yield error
            continue
        if settings.packs_allowed.get(name) != here:
            other = "" if here == content else ", and has other content than the picture's"
            yield LockError(
                f"is not allowed to run{other}.",
                place=f"pack '{name}'",
                way_out="Allow it in the preferences, if you trust who made it.",
            )


def errors_of(
    document: Document, catalogue: Catalogue, settings: Settings, granted: Sequence[str] = ()
) -> list[Problem]:
    """Why the workflow of a picture cannot be run here: missing models, unknown nodes, ..."""
    files = Files(settings, document.assets, granted)
    problems = lint(
        document,
        catalogue,
        models.ModelFolders(settings),
        granted=frozenset(granted),
        pictures=files.picture,
        resolve=files.resolve,
    )
    return [each for each in problems if each.severity is Severity.ERROR]


def replay_request(
    document: Document,
    lock: PictureLock,
    catalogue: Catalogue,
    settings: Settings,
    *,
    run: str,
    outputs: Path,
    granted: Sequence[str] = (),
) -> RunRequest:
    """The run that makes a picture again, from an empty cache.

    Args:
        document: Its workflow, with today's versions of the nodes.
        lock: Its lock.
        catalogue: The node types.
        settings: Folders.
        run: A new id.
        outputs: An empty folder: what is saved there is judged, and nothing else is written.
        granted: Paths that the person gave.
    """
    folders = models.ModelFolders(settings)
    found = companion_locks(document, catalogue, folders, granted)
    locked = {**document.lock, models.COMPANIONS: found} if found else dict(document.lock)
    files = Files(settings, document.assets, granted, locked)
    return RunRequest(
        run=run,
        targets=[original(lock.node)],
        assets=document.assets,
        granted=list(granted),
        lock=locked,
        stamp=run_stamp(document, catalogue, recogniser(settings, granted), files.resolve),
        outputs=outputs,
        afresh=True,
    )


def picture_again(lock: PictureLock, saved: Sequence[Path]) -> Path:
    """Of what a replay has saved, the file that is to be compared with the picture.

    Args:
        lock: Of the picture.
        saved: In the order in which they were saved.

    Raises:
        LockError: the run has not saved it.
    """
    if not 0 <= lock.item < len(saved):
        raise LockError(
            f"is picture {lock.item + 1} of its batch; the replay saved {len(saved)}.",
            place=original(lock.node),
            way_out="The workflow in the picture was edited since: it makes fewer now.",
        )
    return saved[lock.item]


def _is_name(name: str) -> bool:
    """Whether a pack's name, which anyone may have written, leads nowhere else."""
    return bool(name) and name not in (".", "..") and not set(name) & set("/\\\0:")
