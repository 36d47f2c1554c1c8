"""Texts before they are encoded."""

from pathlib import Path
from typing import Annotated, Any

from nodeforge.api import Choice, File, Multiline, Seed, node
from nodeforge.graph.planned.functions import dynamic, texts
from nodeforge.graph.planned.functions.plain import Text
from nodeforge.graph.planned.functions.texts import Holds, Length

_Long = Annotated[str, Multiline()]


@node("text.wildcards", title="Wildcards", planned=True)
def wildcards(
    text: _Long = "",
    seed: Annotated[int, Seed()] = 0,
    folder: Annotated[Path, File("wildcards")] = Path(),
) -> Text:
    """Resolve a dynamic prompt: ``{a|b}`` is one of its options, ``__name__`` a line of a file.

    ``{3::a|b}`` weighs options, ``{2$$a|b|c}`` takes two, ``{1-3$$ and $$a|b|c}`` one to three
    with a separator. ``__folder/name__`` and ``__name*__`` find text and YAML files in the
    folder; their lines may hold choices and wildcards again. A backslash before a bracket makes
    it a plain one. The same seed gives the same text on every machine.

    Args:
        text: The dynamic prompt.
        seed: Says which options are taken.
        folder: The folder of wildcard files.

    Returns:
        value: The text with all choices made.
    """
    return dynamic.wildcards(text, seed, folder)


@node("text.join", title="Join texts", planned=True)
def join(parts: list[Any], separator: str = ", ", skip_empty: bool = True) -> Text:
    r"""Put texts and numbers into one text. For all values of a list, link *Collect*.

    Args:
        parts: The texts.
        separator: What goes between two; ``\n`` is a new line, ``\t`` a tab.
        skip_empty: Whether empty texts are left out, with their separator.

    Returns:
        value: The text.
    """
    return texts.join(parts, separator, skip_empty)


@node("text.replace", title="Replace in text", planned=True)
def replace(
    text: _Long = "",
    find: str = "",
    replacement: str = "",
    regular: bool = False,
    ignore_case: bool = False,
) -> Text:
    r"""Replace each occurrence of something in a text.

    Args:
        text: The text.
        find: What is looked for.
        replacement: What takes its place; of a regular expression, ``\1`` is its first group.
        regular: Whether it is a regular expression; one that takes over a second is refused.
        ignore_case: Whether small and capital letters are equal.

    Returns:
        value: The text.
    """
    return texts.replace(text, find, replacement, regular, ignore_case)


@node("text.format", title="Format text", planned=True)
def format_fields(
    template: _Long = "{subject} in {place}",
    names: str = "subject, place",
    values: list[Any] | None = None,
) -> Text:
    """Put values into a text, by the names of its fields.

    Args:
        template: The text with fields: ``{subject}``, ``{number:03}``, ``{number:.2f}``; a
            bracket that is meant as one is doubled, ``{{``.
        names: The names of the values, in their order; those without a name are ``{3}`` by place.
        values: The values: texts and numbers.

    Returns:
        value: The text.
    """
    return texts.format_fields(template, names, values)


@node("text.compare", title="Compare texts", planned=True)
def compare(
    first: str = "",
    second: str = "",
    operator: Annotated[
        str, Choice("=", "≠", "<", "≤", ">", "≥", "contains", "starts with", "ends with")
    ] = "=",
    ignore_case: bool = False,
) -> Holds:
    """Compare two texts.

    Args:
        first: A text.
        second: The text that it is compared with.
        operator: How they are compared; order is that of their characters' code points.
        ignore_case: Whether small and capital letters are equal.

    Returns:
        holds: Whether the comparison holds; links to a switch, as a number 1 or 0.
    """
    return texts.compare(first, second, operator, ignore_case)


@node("text.length", title="Length of text", planned=True)
def length(text: _Long = "") -> Length:
    """Count the characters of a text.

    Args:
        text: The text.

    Returns:
        length: How many characters it has.
    """
    return texts.length(text)
