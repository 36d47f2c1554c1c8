"""Numbers from numbers."""

from __future__ import annotations

from typing import NamedTuple

from nodeforge.errors import RequestError
from nodeforge.spec.arithmetic import ExpressionError, evaluate


class NumberError(RequestError):
    """A number that cannot be had."""


class Calculated(NamedTuple):
    """A number in the three forms that inputs take."""

    number: float
    whole: int
    holds: bool


def expression(formula: str, a: float, b: float, c: float, d: float) -> Calculated:
    """The value of `formula`, rounded to the nearest whole number, and whether it is not 0.

    Raises:
        NumberError: it is no expression, or has no value.
    """
    try:
        value = evaluate(formula, {"a": a, "b": b, "c": c, "d": d})
    except ExpressionError as error:
        raise NumberError(
            f"'{formula}' {error}.",
            place="port 'formula'",
            way_out="Write arithmetic with a, b, c, d, for example 'round(a / 8) * 8'.",
        ) from None
    return Calculated(float(value), round(value), bool(value))
