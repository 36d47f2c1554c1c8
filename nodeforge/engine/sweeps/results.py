"""What the cells of a sweep came to, and the table of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nodeforge.engine.sweeps.cells import Cell

_PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class CellResult:
    """What one cell came to.

    Args:
        cell: The cell.
        files: What it saved.
        seconds: What its run took.
        model_calls: Evaluations of denoising networks.
        computed: The nodes whose results were there from no other cell or run.
        error: Why it failed; empty where it did not.
    """

    cell: Cell
    files: tuple[Path, ...] = ()
    seconds: float = 0.0
    model_calls: int = 0
    computed: tuple[str, ...] = ()
    error: str = ""

    @property
    def pictures(self) -> tuple[Path, ...]:
        """The files that can be shown."""
        return tuple(file for file in self.files if file.suffix.lower() in _PICTURES)


def table(results: Sequence[CellResult], folder: Path) -> bytes:
    """The settings and times of `results` as CSV in UTF-8, a cell a row.

    Args:
        results: One at least.
        folder: Files inside are named relative to it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    axes = list(results[0].cell.settings)
    writer.writerow(["cell", *axes, "seconds", "model_calls", "computed", "files", "error"])
    for each in results:
        files = "; ".join(name_in(folder, file) for file in each.files)
        writer.writerow(
            [
                each.cell.number,
                *each.cell.settings.values(),
                f"{each.seconds:.3f}",
                each.model_calls,
                " ".join(each.computed),
                files,
                each.error,
            ]
        )
    return text.getvalue().encode("utf-8", "replace")


def name_in(folder: Path, file: Path) -> str:
    """`file` relative to `folder` where it lies inside, with forward slashes."""
    return (file.relative_to(folder) if file.is_relative_to(folder) else file).as_posix()
