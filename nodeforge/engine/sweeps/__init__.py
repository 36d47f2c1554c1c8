"""One workflow run many times: axes of values, the cells they make, and pictures of all."""

from nodeforge.engine.sweeps.axes import MOST_VALUES, Axis, AxisError, AxisValue, parse_axis
from nodeforge.engine.sweeps.cells import MOST_CELLS, Cell, CellValue, fan_out, parse_skip

__all__ = [
    "MOST_CELLS",
    "MOST_VALUES",
    "Axis",
    "AxisError",
    "AxisValue",
    "Cell",
    "CellValue",
    "fan_out",
    "parse_axis",
    "parse_skip",
]
