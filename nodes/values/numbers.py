"""Numbers from numbers."""

from nodeforge.api import node
from nodeforge.graph.planned.functions import numbers
from nodeforge.graph.planned.functions.numbers import Calculated


@node("values.expression", planned=True)
def expression(
    formula: str = "a + b", a: float = 0.0, b: float = 0.0, c: float = 0.0, d: float = 0.0
) -> Calculated:
    """Calculate a number from up to four others.

    It knows ``+ - * / // % **``, brackets, comparisons, ``and``, ``or``, ``not``,
    ``a if c > 0 else b``, pi, and the functions abs, ceil, clamp, cos, floor, log, max, min,
    round, sin, sqrt. A comparison is 1 where it holds, else 0.

    Args:
        formula: The arithmetic, for example ``round(a * 1.5 / 8) * 8``.
        a: A number that the formula calls a.
        b: A number that the formula calls b.
        c: A number that the formula calls c.
        d: A number that the formula calls d.

    Returns:
        number: The result.
        whole: The result, rounded to a whole number.
        holds: Whether the result is not 0; links to a switch.
    """
    return numbers.expression(formula, a, b, c, d)
