"""Values that stand in files."""

from __future__ import annotations

import os
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple, cast

from nodeforge.graph.planned.functions.lists import MOST, ListError, Texts
from nodeforge.graph.planned.wildcards import text_of_file

_MOST_LISTED = 200_000
"""Files of one folder."""
_BLOCK = re.compile(r"-{3,}\s*")
_NEGATIVE = re.compile(r"^negative prompt:\s*", re.IGNORECASE | re.MULTILINE)
_OPTIONS = {"--prompt": "prompt", "--negative_prompt": "negative"}


class Prompts(NamedTuple):
    """Prompts with their negative prompts, and how many."""

    prompt: list[str]
    negative: list[str]
    length: int


class Pictures(NamedTuple):
    """Pictures of a folder, their names without ending, and how many."""

    file: list[Path]
    name: list[str]
    length: int


def lines(file: Path, start: int, most: int) -> Texts:
    """The lines of a text file that are not blank, from `start` on, `most` at most; 0 takes all.

    Raises:
        RequestError: it is no text in UTF-8, too large, or has no such line.
    """
    found = [line.strip() for line in text_of_file(file).split("\n") if line.strip()]
    return _some(file, found, start, most)


def prompts(file: Path, start: int, most: int) -> Prompts:
    """The prompts of a text file, from `start` on, `most` at most; 0 takes all.

    With a line of ``---`` in it, prompts are the blocks between such lines, of which the rest
    after ``Negative prompt:`` at the start of a line is the negative one. Else there is one a
    line, plain or as A1111's script takes it, with ``--prompt`` and ``--negative_prompt``. Lines
    that begin with ``#`` do not count.

    Raises:
        RequestError: it is no text in UTF-8, too large, has no such prompt, or names another
            option.
    """
    told = [line for line in text_of_file(file).split("\n") if not line.startswith("#")]
    if any(_BLOCK.fullmatch(line) for line in told):
        found = [_of_block(block) for block in _blocks(told)]
    else:
        numbered = enumerate(text_of_file(file).split("\n"), 1)
        found = [
            _of_line(file, number, line.strip())
            for number, line in numbered
            if line.strip() and not line.startswith("#")
        ]
    found = [pair for pair in found if any(pair)]
    texts = _some(file, [prompt for prompt, _ in found], start, most)
    negative = [negative for _, negative in found][start : start + texts.length]
    return Prompts(texts.text, negative, texts.length)


def pictures(folder: Path, pattern: str, start: int, most: int, subfolders: bool) -> Pictures:
    """The pictures of a folder in natural order: ``2.png`` before ``10.png``.

    Args:
        folder: The folder.
        pattern: Names with ``*`` and ``?``, several with semicolons between them.
        start: How many to leave out at the beginning.
        most: How many to take; 0 takes all.
        subfolders: Whether those of folders within it count.

    Raises:
        ListError: the folder cannot be read, has too many files, or none of those.
    """
    from nodeforge.imaging import PICTURE_SUFFIXES  # only here: it brings numpy

    wanted = [each.strip().lower() for each in pattern.split(";") if each.strip()] or ["*"]
    found = [
        name
        for name in _files_in(folder, subfolders)
        if name.lower().endswith(PICTURE_SUFFIXES)
        and any(fnmatch(name.rpartition("/")[2].lower(), each) for each in wanted)
    ]
    found.sort(key=_natural)
    taken = found[start : start + most if most else None]
    if not taken:
        more = f" from the {start + 1:,}. on" if start else ""
        raise ListError(
            f"the folder {folder} has no picture '{pattern}'{more}.",
            way_out="Choose another folder, pattern or start.",
        )
    names = [each.rpartition(".")[0] for each in taken]
    # as values of a workflow, files are texts
    paths = cast("list[Path]", [str(folder / each) for each in taken])
    return Pictures(paths, names, len(taken))


def _files_in(folder: Path, subfolders: bool) -> list[str]:
    """Files below a folder, with slashes; what a link leads to outside of it does not count."""
    found: list[str] = []
    root = folder.resolve()

    def refuse(error: OSError) -> None:
        raise ListError(
            f"the folder {folder} cannot be read: {error.strerror or error}.",
            way_out="Choose another folder.",
        ) from error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [each for each in folders if not each.startswith(".")] if subfolders else []
        paths = (Path(place, name) for name in names if not name.startswith("."))
        found += [
            path.relative_to(folder).as_posix()
            for path in paths
            if not path.is_symlink() or path.resolve().is_relative_to(root)
        ]
        if len(found) > _MOST_LISTED:
            raise ListError(
                f"the folder {folder} has more than {_MOST_LISTED:,} files.",
                way_out="Choose a smaller one.",
            )
    return found


def _natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Numbers in names count as numbers, and case only between names that are else equal."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts], name


def _some(file: Path, found: list[str], start: int, most: int) -> Texts:
    taken = found[start : start + most if most else None]
    if not taken:
        fact = f"has {len(found):,} texts, and none from the {start + 1:,}. on"
        raise ListError(f"{file} {fact}.", way_out="Choose another file, or an earlier start.")
    if len(taken) > MOST:
        raise ListError(
            f"{file} has {len(taken):,} texts, and a list has {MOST:,} at most.",
            way_out="Take a part by 'start' and 'most'.",
        )
    return Texts(taken, len(taken))


def _blocks(lines_of_file: list[str]) -> list[str]:
    blocks: list[list[str]] = [[]]
    for line in lines_of_file:
        if _BLOCK.fullmatch(line):
            blocks.append([])
        else:
            blocks[-1].append(line)
    return ["\n".join(block).strip() for block in blocks]


def _of_block(block: str) -> tuple[str, str]:
    told = _NEGATIVE.split(block, maxsplit=1)
    return told[0].strip(), told[1].strip() if len(told) > 1 else ""


def _of_line(file: Path, number: int, line: str) -> tuple[str, str]:
    """A plain prompt, or options as a command line has them."""
    if not line.startswith("--"):
        return line, ""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise ListError(
            f"{file}, line {number}: a quotation mark is not closed.",
            way_out='Write --prompt "a fox" --negative_prompt "blurry".',
        ) from error
    told = {"prompt": "", "negative": ""}
    name = ""
    for word in words:
        if word.startswith("--"):
            if word not in _OPTIONS:
                raise ListError(
                    f"{file}, line {number}: the option '{word}' is not read.",
                    way_out="Take it out, and set it in the workflow.",
                )
            name = _OPTIONS[word]
        else:
            told[name] = f"{told[name]} {word}".strip()
    return told["prompt"], told["negative"]
