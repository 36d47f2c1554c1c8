"""Older formats, brought up to date one step at a time.

A step is a module here named ``to_<format>``, with a function ``step(raw) -> raw`` that gets a
file of the format before. Steps are only ever added; with each, a file saved by the format
before joins the tests. What changes in a node type is no step here: its declaration says it
(`@node(..., upgrade=...)`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nodeforge.formats.errors import FORMAT
from nodeforge.formats.migrations import to_2, to_3

Step = Callable[[dict[str, Any]], dict[str, Any]]

STEPS: Mapping[int, Step] = {2: to_2.step, 3: to_3.step}
"""The format a step leads to, and the step."""


def migrate(
    raw: dict[str, Any],
    made_with: int,
    steps: Mapping[int, Step] = STEPS,
    newest: int = FORMAT,
) -> dict[str, Any]:
    """`raw`, a file of format `made_with`, in the format `newest`; `raw` stays as it is."""
    for number in range(made_with + 1, newest + 1):
        raw = {**steps[number](raw), "format": number}
    return raw
