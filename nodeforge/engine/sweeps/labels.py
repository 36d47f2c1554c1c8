"""What stands beside the cells of a grid."""

from __future__ import annotations

from nodeforge.engine.sweeps.cells import Cell


def row_label(cell: Cell, together: bool) -> str:
    """What the row of a cell has in common."""
    return _told(cell, slice(None) if together else slice(1))


def column_label(cell: Cell, together: bool) -> str:
    """What the column of a cell has in common; empty where there is one axis."""
    return "" if together else _told(cell, slice(1, 2))


def page_label(cell: Cell, together: bool) -> str:
    """What the page of a cell has in common; empty where there are two axes or fewer."""
    return "" if together else _told(cell, slice(2, None))


def _told(cell: Cell, which: slice) -> str:
    return "\n".join(f"{each.axis.name} = {each.text}" for each in cell.values[which])
