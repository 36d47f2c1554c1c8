"""Reroute, switch and note."""

from typing import Annotated, Any, NamedTuple

from nodeforge.api import Multiline, Range, Role, node


class Passed(NamedTuple):
    """What came in."""

    value: Any


@node("graph.reroute", role=Role.REROUTE)
def reroute(value: Any) -> Passed:
    """Route a link around other nodes.

    Args:
        value: The input.

    Returns:
        value: The input, unchanged.
    """
    return Passed(value)


@node("graph.switch", role=Role.SWITCH)
def switch(choices: list[Any], choice: Annotated[int, Range(0)] = 0) -> Passed:
    """Pass on one of several inputs; the others are not computed.

    Args:
        choices: The input.
        choice: Index of the input to pass on, counted from 0.

    Returns:
        value: The chosen input.
    """
    return Passed(choices[choice])


@node("graph.note", role=Role.NOTE)
def note(text: Annotated[str, Multiline()] = "") -> None:
    """Keep a text in the workflow.

    Args:
        text: The text.
    """
