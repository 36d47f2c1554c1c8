"""Writes new files whole, under names that overwrite nothing."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from nodeforge.imaging.errors import NoRoomError, SaveError
from nodeforge.settings.whole_file import is_disk_full, next_number, take_name
from nodeforge.values.output_names import fill, parameters_of, words_of, wrong_place, wrong_word
from nodeforge.values.picture_lock import LOCK, lock_of_item

_ATTEMPTS = 1000
_MOST_BYTES = 255
"""Of a name, on the file systems of today."""
_NUMBER_AND_SUFFIX = len("_0000000001.webp")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d) *")
"""Names of devices on Windows, whatever their suffix."""


def write_new(folder: Path, pattern: str, data: bytes | Callable[[Path], None]) -> Path:
    """Write `data` into a new file of `folder`, which is made if need be.

    Args:
        folder: Where.
        pattern: The file's name, in which ``{}`` becomes a number of five digits that no file
            there has yet: ``fox_{}.png``.
        data: All of the file, or what writes it to a path: a video is too large to be held.

    Raises:
        SaveError: the disk is full or the folder cannot be written; no part is left behind.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = _next_number(folder, pattern)
        part = _written(folder, data)
    except OSError as error:
        raise _cannot(folder, error) from error
    try:
        for attempt in range(_ATTEMPTS):
            target = folder / _name(pattern, number + attempt)
            if take_name(part, target):
                return target
        raise SaveError(f"{_ATTEMPTS} names in a row are taken.", place=str(folder))
    except OSError as error:
        raise _cannot(folder, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def output_name(prefix: str, parameters: str, size: tuple[int, int], index: int = 0) -> str:
    """`prefix` with its words in braces filled: ``{seed}_{model}`` to ``7_nano``.

    Args:
        prefix: May hold `nodeforge.values.output_names.WORDS`.
        parameters: The summary of the run, as pictures carry it.
        size: Width and height of the picture.
        index: Its place in the batch.

    Raises:
        SaveError: a word stands for nothing.
    """
    if wrong := wrong_word(prefix):
        raise SaveError(wrong[0], place=f"the name '{prefix}'", way_out=wrong[1])
    return fill(prefix, words_of(parameters, size, index))


def item_stamp(stamp: Mapping[str, str], index: int) -> dict[str, str]:
    """The texts of one picture of a batch: its own seed and place in ``parameters`` and its lock.

    Args:
        stamp: The texts of the run, by name.
        index: The picture's place in the batch.
    """
    of_item = {"parameters": parameters_of, LOCK: lock_of_item}
    own = {name: of_item[name](text, index) for name, text in stamp.items() if name in of_item}
    return {**stamp, **own}


def output_place(outputs: Path, prefix: str) -> tuple[Path, str]:
    """Folder and start of the name for ``foxes/red``, which never leads out of `outputs`.

    Characters that a system forbids in names become ``_``; names are cut to what disks hold.

    Raises:
        SaveError: the prefix is absolute, or climbs.
    """
    if wrong := wrong_place(prefix):
        raise SaveError(wrong[0], way_out=wrong[1])
    *folders, stem = prefix.replace("\\", "/").split("/")
    name = _allowed(stem, _MOST_BYTES - _NUMBER_AND_SUFFIX).lstrip(".") or "picture"
    return outputs.joinpath(*map(_allowed, folders)), name


def _allowed(name: str, most: int = _MOST_BYTES) -> str:
    """`name` as every system takes it, in at most so many bytes of UTF-8."""
    plain = re.sub(r'[<>:"|?*{}\x00-\x1f\x7f\ud800-\udfff]', "_", name).strip()
    cut = plain.encode()[:most].decode(errors="ignore").strip().rstrip(".")
    return f"_{cut}" if _RESERVED.fullmatch(cut.partition(".")[0]) else cut


def _name(pattern: str, number: int) -> str:
    return f"{number:05}".join(pattern.rsplit("{}", 1))


def _next_number(folder: Path, pattern: str) -> int:
    before, _, after = pattern.rpartition("{}")
    return next_number((path.name for path in folder.iterdir()), before, after)


def _written(folder: Path, data: bytes | Callable[[Path], None]) -> Path:
    """A temporary file beside the target that holds all of `data`, on the disk itself."""
    part = folder / f".{uuid.uuid4().hex}.part"
    try:
        if callable(data):
            data(part)
        with part.open("ab" if callable(data) else "xb") as file:
            file.write(b"" if callable(data) else data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:  # a run that is stopped leaves no part either
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return part


def _cannot(folder: Path, error: OSError) -> SaveError:
    if is_disk_full(error):
        return NoRoomError(
            "the disk is full.",
            place=str(folder),
            way_out="Free some space, or choose another folder.",
        )
    return SaveError(
        f"cannot be written: {error.strerror}.",
        place=str(folder),
        way_out="Choose a folder that may be written.",
    )
