"""A picture on the screen: a saved file, a node's result, or both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nodeforge.ui.documents.open_document import OpenDocument


@dataclass(frozen=True)
class Picture:
    """What the picture menu acts on.

    Args:
        name: What it is called in titles and file dialogs, without a suffix.
        path: The saved file; None for a result that was not saved.
        opened: The document whose result it is; None for a file alone.
        node: The node whose result it is.
    """

    name: str
    path: Path | None = None
    opened: OpenDocument | None = None
    node: str = ""

    @staticmethod
    def of_file(path: Path) -> Picture:
        """A saved picture."""
        return Picture(path.stem, path)
