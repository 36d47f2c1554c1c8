"""Evaluates typed numbers and expressions: ``512*2``, ``(1024-64)/8``, ``2 ** 10``, ``1,5``."""

from __future__ import annotations

import ast
import operator

_OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
LONGEST = 100


def calculate(text: str) -> float | int | None:
    """The value of a number or expression, or None if it is not valid."""
    text = text.strip().replace("^", "**").replace("×", "*").replace("÷", "/")
    if "," in text and "." not in text:
        text = text.replace(",", ".")
    if not text or len(text) > LONGEST:
        return None
    try:
        value = _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError):
        return None
    return value if value == value and abs(value) != float("inf") else None


def _value(node: ast.expr) -> float | int:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return _OPERATIONS[type(op)](_value(left), _value(right))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATIONS:
            return _OPERATIONS[type(op)](_value(operand))
    raise ValueError("no number")


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > 64 or abs(base) > 1e6:
        raise ValueError("too large")
    return base**exponent
