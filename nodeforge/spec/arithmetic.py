"""Evaluates arithmetic: numbers typed into fields, and the expressions of nodes.

Bounded: no text makes it slow or large, ``9**9**9`` is refused.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Number = int | float
LONGEST = 1000
"""Characters of an expression."""
_LARGEST = 2**63
"""Of a whole number; seeds end below."""
_NO_NUMBER = "is not a number"
_UNREAD = "is not arithmetic that can be read"

_OPERATIONS: Mapping[type, Callable[[Any, Any], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_SIGNS: Mapping[type, Callable[[Any], Number]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
_COMPARISONS: Mapping[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _clamped(value: Number, least: Number, most: Number) -> Number:
    return min(max(value, least), most)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "clamp": _clamped,
    "cos": math.cos,
    "floor": math.floor,
    "log": math.log,
    "max": max,
    "min": min,
    "round": round,
    "sin": math.sin,
    "sqrt": math.sqrt,
}
CONSTANTS: Mapping[str, Number] = {"pi": math.pi, "true": 1, "false": 0}


class ExpressionError(ValueError):
    """A text that is no expression, or one that has no finite value."""


def evaluate(text: str, values: Mapping[str, Number] | None = None) -> Number:
    """The value of a number or an expression.

    Operators are those of Python: ``+ - * / // % **``, comparisons (1 where true, else 0),
    ``and``, ``or``, ``not`` and ``a if b else c``. ``^`` is ``**``, ``×`` is ``*``, ``÷`` is ``/``.

    Args:
        text: The expression. Without `values`, a comma may be the decimal point.
        values: Names that it may use, beside `FUNCTIONS` and `CONSTANTS`; None: numbers alone.

    Raises:
        ExpressionError: it is no expression, or its value is not finite or too large.
    """
    text = text.strip().replace("^", "**").replace("×", "*").replace("÷", "/")
    if values is None and "," in text and "." not in text:
        text = text.replace(",", ".")
    if not text:
        raise ExpressionError("is empty")
    if len(text) > LONGEST:
        raise ExpressionError(f"has more than {LONGEST} characters")
    known = None if values is None else {**CONSTANTS, **values}
    try:
        return _value(_parsed(text), known)
    except ExpressionError:
        raise
    except ZeroDivisionError:
        raise ExpressionError("divides by zero") from None
    except (SyntaxError, RecursionError, MemoryError):
        raise ExpressionError(_UNREAD if known else _NO_NUMBER) from None
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ExpressionError(f"has no value: {error}") from None


@lru_cache(256)
def _parsed(text: str) -> ast.expr:
    """Parsed once: behind a list one expression is evaluated thousands of times."""
    return ast.parse(text, mode="eval").body


def _value(node: ast.expr, known: Mapping[str, Number] | None) -> Number:
    value = _unchecked(node, known)
    if not isinstance(value, int | float):  # (-8) ** 0.5 is complex
        raise ExpressionError("has no value: it is no real number")
    if not math.isfinite(value) if isinstance(value, float) else abs(value) > _LARGEST:
        raise ExpressionError("comes to a number that is too large")
    return value


def _unchecked(node: ast.expr, known: Mapping[str, Number] | None) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            first, second = _value(left, known), _value(right, known)
            if isinstance(op, ast.Pow) and (abs(second) > 64 or abs(first) > 1e6):
                raise ExpressionError("comes to a number that is too large")
            return _OPERATIONS[type(op)](first, second)
        case ast.UnaryOp(op=op, operand=inner) if type(op) in _SIGNS:
            return _plain(_SIGNS[type(op)](_value(inner, known)))
    if known is not None:
        return _with_names(node, known)
    raise ExpressionError(_NO_NUMBER)


def _with_names(node: ast.expr, known: Mapping[str, Number]) -> Any:
    match node:
        case ast.Name(id=name):
            if name.lower() in known:
                return known[name.lower()]
            raise ExpressionError(f"does not know '{name}'; it may use {', '.join(known)}")
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            function = FUNCTIONS.get(name.lower())
            if function is None:
                told = ", ".join(FUNCTIONS)
                raise ExpressionError(f"does not know '{name}()'; there are {told}")
            return function(*(_value(each, known) for each in arguments))
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [_value(each, known) for each in (left, *others)]
            told = (type(op) in _COMPARISONS for op in ops)
            if all(told):
                steps = zip(ops, sides, sides[1:], strict=False)
                return int(all(_COMPARISONS[type(op)](a, b) for op, a, b in steps))
        case ast.BoolOp(op=op, values=parts):
            found = (_value(each, known) for each in parts)
            return int(all(found) if isinstance(op, ast.And) else any(found))
        case ast.IfExp(test=test, body=body, orelse=other):
            return _value(body if _value(test, known) else other, known)
    raise ExpressionError(_UNREAD)


def _plain(value: Number) -> Number:
    return int(value) if isinstance(value, bool) else value
