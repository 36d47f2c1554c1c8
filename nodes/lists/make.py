"""Lists of values that stand in the workflow."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

from nodeforge.api import Choice, File, Multiline, Range, Role, Seed, node
from nodeforge.graph.planned.functions import dynamic, lists
from nodeforge.graph.planned.functions.lists import Numbers, Seeds, Texts, Zipped


@node("lists.texts", title="List of texts", planned=True)
def texts(lines: Annotated[str, Multiline()] = "") -> Texts:
    """Give each line as a text; what is behind is computed once for each.

    Args:
        lines: One text a line; blank lines do not count.

    Returns:
        text: The texts, one after another.
        length: How many there are.
    """
    return lists.texts(lines)


@node("lists.numbers", title="List of numbers", planned=True)
def numbers(values: str = "1:3:1") -> Numbers:
    """Give several numbers; what is behind is computed once for each.

    Args:
        values: Numbers with commas between them, ``10, 20, 30``, or FROM:TO:STEP.

    Returns:
        number: The numbers, one after another.
        whole: The numbers, rounded to whole ones.
        length: How many there are.
    """
    return lists.numbers(values)


@node("lists.seeds", title="List of seeds", planned=True)
def seeds(seed: Annotated[int, Seed()] = 0, count: Annotated[int, Range(1, 10_000)] = 4) -> Seeds:
    """Give seeds that follow one another; what is behind is computed once for each.

    Args:
        seed: The first seed.
        count: How many.

    Returns:
        seed: The seeds, one after another.
        length: How many there are.
    """
    return lists.seeds(seed, count)


@node("lists.count", title="Counted numbers", planned=True)
def count(
    start: float = 0.0, step: float = 1.0, length: Annotated[int, Range(1, 10_000)] = 4
) -> Numbers:
    """Give numbers at equal distances; what is behind is computed once for each.

    Args:
        start: The first number.
        step: How far the next one is.
        length: How many there are.

    Returns:
        number: The numbers, one after another.
        whole: The numbers, rounded to whole ones.
        length: How many there are.
    """
    return lists.count(start, step, length)


@node("lists.split", title="Split text", planned=True)
def split(text: Annotated[str, Multiline()] = "", separator: str = ",") -> Texts:
    """Give the parts of a text; what is behind is computed once for each.

    Args:
        text: The text.
        separator: What stands between two parts; without one, spaces and new lines do.

    Returns:
        text: The parts, without the spaces around them.
        length: How many there are.
    """
    return lists.split(text, separator)


@node("lists.combinations", title="All combinations", planned=True)
def combinations(
    text: Annotated[str, Multiline()] = "",
    most: Annotated[int, Range(1, 10_000)] = 100,
    folder: Annotated[Path, File("wildcards")] = Path(),
) -> Texts:
    """Give every text that a dynamic prompt can become, as *Wildcards* reads it.

    Args:
        text: A text with choices ``{a|b}`` and wildcards ``__name__``.
        most: How many texts are allowed; more are refused, with their number.
        folder: The folder of wildcard files.

    Returns:
        text: The texts, in the order of their options.
        length: How many there are.
    """
    return dynamic.all_combinations(text, most, folder)


@node("lists.zip", title="Zip lists", planned=True)
def zipped(
    first: list[Any],
    second: list[Any],
    third: list[Any] | None = None,
    fourth: list[Any] | None = None,
    lengths: Annotated[str, Choice("equal", "shortest", "repeat")] = "equal",
) -> Zipped:
    """Take several lists pair by pair, as one; without it, each value meets each other.

    Args:
        first: A list.
        second: A list.
        third: A list.
        fourth: A list.
        lengths: What lists of different lengths do: they must be equal, all end with the
            shortest, or the shorter ones are repeated.

    Returns:
        first: The values of the first list.
        second: The values of the second list.
        third: The values of the third list.
        fourth: The values of the fourth list.
        length: How many there are.
    """
    return lists.zipped(first, second, lengths, third, fourth)


class Collected(NamedTuple):
    """What came in."""

    values: Any


@node("lists.collect", role=Role.COLLECT)
def collect(value: Any) -> Collected:
    """End a list: give all that was computed for its values to an input that takes several.

    Args:
        value: What was computed once for each value of a list.

    Returns:
        values: All of it, in the order of the list.
    """
    return Collected(value)
