"""The base classes of our errors. Every one names the place, the fact and the way out."""

from __future__ import annotations

from typing import Self


class NodeForgeError(Exception):
    """Something went wrong that a person can understand and mend.

    Args:
        fact: What is so, as a sentence without its full stop's successor: ``made for SDXL.``
        place: Where: a node's title, a port, a file. Outer layers add what they know (`at`).
        way_out: What the person can do about it, as a sentence.
    """

    def __init__(self, fact: str, *, place: str = "", way_out: str = "") -> None:
        super().__init__(fact)
        self.fact = fact
        self.place = place
        self.way_out = way_out

    def at(self, place: str) -> Self:
        """This error, with `place` put before the place it already names."""
        self.place = f"{place}, {self.place}" if self.place else place
        return self

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        way_out = f"\n    {self.way_out}" if self.way_out else ""
        return f"{place}{self.fact}{way_out}"


class RequestError(NodeForgeError):
    """What was asked for is wrong: a file, an option, a workflow. Nothing was started."""


class OutOfMemoryError(NodeForgeError):
    """The device has not enough memory for what was asked."""


class DiskFullError(NodeForgeError):
    """There is no room on the disk for what was to be written."""


class Cancelled(BaseException):
    """The person stopped the run. Not an `Exception`, so that no library swallows it."""
