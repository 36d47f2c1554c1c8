"""Evaluates arithmetic expressions in number fields: ``512*1.5``, ``(20 + 4) / 3``."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_LONGEST = 100


def evaluate(text: str) -> float:
    """The value of a number or expression; a comma may be the decimal point.

    Raises:
        ValueError: it is not a valid expression, or the result is not finite.
    """
    text = text.strip().replace(",", ".").replace("×", "*").replace("^", "**")
    try:
        if len(text) > _LONGEST:
            raise ValueError(text)
        result = _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ArithmeticError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(text) from error
    if not isinstance(result, int | float) or result != result or abs(result) == float("inf"):
        raise ValueError(text)
    return result


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _value(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            first, second = _value(left), _value(right)
            if isinstance(op, ast.Pow) and (abs(second) > 64 or abs(first) > 1e6):
                raise ValueError("too large")
            return _OPERATORS[type(op)](first, second)
    raise ValueError(ast.dump(node))
