"""Undo history, bounded in bytes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nodeforge.graph.document import Document

MIB = 2**20


class Edit(Protocol):
    """One step that can be undone. Strokes on the canvas are edits as much as links are."""

    @property
    def name(self) -> str:
        """What it does, for "Undo ...": ``move 3 nodes``."""
        ...

    @property
    def bytes(self) -> int:
        """Roughly the memory it holds once applied."""
        ...

    def apply(self, document: Document) -> None: ...

    def revert(self, document: Document) -> None: ...

    def merge(self, earlier: Edit) -> Edit | None:
        """One edit that does `earlier` and then this, or None if they are two steps."""
        ...


class History:
    """Edits that were made, oldest first, and those undone.

    Args:
        limit: Bytes to keep at most; the oldest edits go, the last one always stays.
    """

    def __init__(self, limit: int = 256 * MIB) -> None:
        self.limit = limit
        self._done: deque[Edit] = deque()
        self._undone: list[Edit] = []
        self._bytes = 0
        self._forgot = False
        self._saved: Edit | None = None
        self._saved_lost = False

    def __len__(self) -> int:
        return len(self._done)

    @property
    def bytes(self) -> int:
        return self._bytes

    @property
    def undo_name(self) -> str:
        """The name of what `undo` would take back; empty if there is nothing."""
        return self._done[-1].name if self._done else ""

    @property
    def redo_name(self) -> str:
        return self._undone[-1].name if self._undone else ""

    @property
    def done(self) -> list[str]:
        """The names of what `undo` would take back, the first made first."""
        return [edit.name for edit in self._done]

    @property
    def undone(self) -> list[str]:
        """The names of what `redo` would make again, the next first."""
        return [edit.name for edit in reversed(self._undone)]

    def push(self, edit: Edit) -> None:
        """Add an edit that was just applied; what was undone can no longer be redone."""
        self._forget_undone()
        last = self._done[-1] if self._done else None
        merged = edit.merge(last) if last is not None and last is not self._saved else None
        if merged is not None and last is not None:
            self._done.pop()
            self._bytes -= last.bytes
            edit = merged
        self._done.append(edit)
        self._bytes += edit.bytes
        while self._bytes > self.limit and len(self._done) > 1:
            self._forget_oldest()

    def step_back(self) -> Edit | None:
        """Move the last edit to those undone and return it."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def step_forward(self) -> Edit | None:
        """Move the last undone edit back to those done and return it."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._done[-1]

    def mark_saved(self) -> None:
        """The document as it is now is what the file holds."""
        self._saved = self._done[-1] if self._done else None
        self._saved_lost = self._forgot = False

    @property
    def modified(self) -> bool:
        """Whether the document differs from what `mark_saved` saw."""
        last = self._done[-1] if self._done else None
        return self._saved_lost or last is not self._saved or (last is None and self._forgot)

    def _forget_oldest(self) -> None:
        oldest = self._done.popleft()
        self._bytes -= oldest.bytes
        self._forgot = True

    def _forget_undone(self) -> None:
        for edit in self._undone:
            self._bytes -= edit.bytes
            if edit is self._saved:
                self._saved_lost = True
        self._undone.clear()
