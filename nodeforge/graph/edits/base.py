"""What all edits of the graph share: they are lists of changes, so undo needs nothing more."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from nodeforge.graph.changes import Change, EntryChanged, FieldChanged, ValueChanged, target, weigh
from nodeforge.graph.document import Document
from nodeforge.graph.history import Edit


@dataclass(eq=False, kw_only=True)
class GraphEdit(ABC):
    """An edit made of changes.

    Args:
        gesture: Anything that names one drag or one stretch of typing; consecutive edits of the
            same class with the same gesture are one step to undo.
    """

    gesture: object = None
    _done: tuple[Change, ...] | None = field(default=None, init=False, repr=False)
    _bytes: int = field(default=0, init=False, repr=False)

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def changes(self, document: Document) -> Iterator[Change]:
        """The changes to make; each is made before the next is asked for."""

    @property
    def bytes(self) -> int:
        return self._bytes

    def apply(self, document: Document) -> None:
        """Make the edit; again after `revert`, exactly the same changes.

        Raises:
            RequestError: it cannot be made; `document` is as before.
        """
        if self._done is not None:
            for change in self._done:
                document.change(change)
            return
        done: list[Change] = []
        try:
            for change in self.changes(document):
                document.change(change)
                done.append(change)
        except BaseException:
            _take_back(document, done)
            raise
        self._remember(done)

    def revert(self, document: Document) -> None:
        assert self._done is not None, "only what was applied is reverted"
        _take_back(document, self._done)

    def merge(self, earlier: Edit) -> Self | None:
        if type(earlier) is not type(self) or not isinstance(earlier, GraphEdit):
            return None
        if self.gesture is None or self.gesture != earlier.gesture:
            return None
        merged = copy.copy(self)
        merged._remember(_squash([*(earlier._done or ()), *(self._done or ())]))
        return merged

    def _remember(self, done: Sequence[Change]) -> None:
        self._done = tuple(done)
        self._bytes = sum(map(weigh, done))


def _take_back(document: Document, done: Sequence[Change]) -> None:
    for change in reversed(done):
        document.change(change.inverse())


def _squash(changes: list[Change]) -> list[Change]:
    """Only the first and the last value of everything that changed more than once."""
    squashed: dict[tuple[Any, ...], Change] = {}
    for change in changes:
        key = target(change)
        if key is None:
            return changes
        first = squashed.get(key)
        if isinstance(first, ValueChanged | FieldChanged | EntryChanged):
            squashed[key] = replace(first, after=change.after)  # pyright: ignore
        else:
            squashed[key] = change
    return list(squashed.values())


@dataclass(eq=False)
class Together(GraphEdit):
    """Several edits as one step to undo."""

    what: str
    edits: Iterable[GraphEdit]

    @property
    def name(self) -> str:
        return self.what

    def changes(self, document: Document) -> Iterator[Change]:
        for edit in self.edits:
            yield from edit.changes(document)


def count(paths: Iterable[str]) -> str:
    """``denoise`` for one path, ``3 nodes`` for three."""
    names = list(paths)
    return names[0].rpartition("/")[2] if len(names) == 1 else f"{len(names)} nodes"
