"""Lists of what stands in files and folders."""

from pathlib import Path
from typing import Annotated

from nodeforge.api import File, Range, node
from nodeforge.graph.planned.functions import files
from nodeforge.graph.planned.functions.files import Pictures, Prompts
from nodeforge.graph.planned.functions.lists import Texts

_Start = Annotated[int, Range(0, 1_000_000)]
_Most = Annotated[int, Range(0, 10_000)]


@node("lists.lines", title="Lines of file", planned=True)
def lines(file: Annotated[Path, File("text")], start: _Start = 0, most: _Most = 0) -> Texts:
    """Give each line of a text file; what is behind is computed once for each.

    Args:
        file: A text file in UTF-8; blank lines do not count.
        start: How many lines to leave out at the beginning.
        most: How many lines to take; 0 takes all.

    Returns:
        text: The lines, without the spaces around them.
        length: How many there are.
    """
    return files.lines(file, start, most)


@node("lists.prompts", title="Prompts from file", planned=True)
def prompts(file: Annotated[Path, File("text")], start: _Start = 0, most: _Most = 0) -> Prompts:
    """Give each prompt of a text file; what is behind is computed once for each.

    Prompts are lines, or blocks between lines of ``---``, with ``Negative prompt:`` before a
    block's negative one. Lines of A1111's script with ``--prompt`` and ``--negative_prompt`` are
    read as well.

    Args:
        file: A text file in UTF-8; lines that begin with # do not count.
        start: How many prompts to leave out at the beginning.
        most: How many prompts to take; 0 takes all.

    Returns:
        prompt: The prompts.
        negative: The negative prompt of each, empty where there is none.
        length: How many there are.
    """
    return files.prompts(file, start, most)


@node("lists.pictures", title="Pictures of folder", planned=True)
def pictures(
    folder: Annotated[Path, File("folder")],
    pattern: str = "*",
    start: _Start = 0,
    most: _Most = 0,
    subfolders: bool = False,
) -> Pictures:
    """Give each picture file of a folder; what is behind is computed once for each.

    Args:
        folder: A folder of pictures, below the inputs or one that you chose.
        pattern: Which names, as ``*.png`` or ``cat_??.jpg; dog*``.
        start: How many pictures to leave out at the beginning.
        most: How many pictures to take; 0 takes all.
        subfolders: Whether to take pictures of the folders within it, too.

    Returns:
        file: The files, sorted as people count: 2.png before 10.png. Links to *Load image*.
        name: Their names without the ending.
        length: How many there are.
    """
    return files.pictures(folder, pattern, start, most, subfolders)
