"""A value is of the right kind, within its range, one of the choices."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

from nodeforge.graph.edits import ABSENT
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.spec import (
    INTEGER,
    ChoiceWidget,
    NumberWidget,
    PortSpec,
    SeedWidget,
    TextWidget,
    ToggleWidget,
)

RULE = Rule(
    "NF104",
    Severity.ERROR,
    why=("A value that a node does not know would stop the run, or be taken for another one."),
    source="The node's declaration.",
    fix=FixGrade.SAFE,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.nodes.items():
        if node.spec is None:
            continue
        linked = scene.inputs.get(path, {})
        for name, value in node.values.items():
            port = node.spec.input.get(name)
            if port is not None and name not in linked:
                yield from _check(scene, path, port, value)
        for name in linked:
            port = node.spec.input.get(name)
            if port is not None and port.widget is not None and scene.given(path, name):
                yield from _check(scene, path, port, scene.written(path, name))


def _check(scene: LintContext, path: str, port: PortSpec, value: Any) -> Iterator[Problem]:
    if value is None and (port.optional or port.required):
        return  # what is missing is the rule `missing_inputs`
    if wrong := _wrong(port, value):
        fact, way_out, mended = wrong
        fix = None if mended is None else scene.set_value(path, port.name, mended)
        yield scene.problem(path, fact, way_out, port=port.name, fix=fix)


def _wrong(port: PortSpec, value: Any) -> tuple[str, str, Any] | None:
    """The fact, the way out, and the value to mend it with, None where that is a choice."""
    match port.widget:
        case None:
            return f"takes no value, only a link; it has {_short(value)}.", "Remove it.", ABSENT
        case ToggleWidget():
            if type(value) is not bool:
                return f"is {_short(value)}, not true or false.", "Choose one of the two.", None
        case NumberWidget() | SeedWidget():
            return _wrong_number(port, port.widget, value)
        case ChoiceWidget(options):
            if value not in options:
                return _no_choice(options, value)
        case TextWidget():
            if type(value) is not str:
                return f"is {_short(value)}, not text.", "Put it in quotes.", _as_text(value)
        case _:
            if type(value) is not str:
                return f"is {_short(value)}, not a file's name.", "Choose a file.", None
    return None


def _wrong_number(
    port: PortSpec, widget: NumberWidget | SeedWidget, value: Any
) -> tuple[str, str, Any] | None:
    kind = "a whole number" if port.type == INTEGER else "a number"
    if type(value) is not int and type(value) is not float:
        return f"is {_short(value)}, not {kind}.", f"Give {kind}.", None
    if port.type == INTEGER and type(value) is float:
        whole = int(value) if value.is_integer() else None
        return f"is {value}, not a whole number.", f"Give {kind}.", whole
    low, high = widget.minimum, widget.maximum
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    nearest = low if low is not None and value < low else high
    mended = int(nearest or 0) if port.type == INTEGER else nearest
    return (
        f"is {value}; {_range(low, high)}.",
        f"The nearest allowed is {_number(nearest)}.",
        mended,
    )


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {_number(high)} is allowed"
    if high is None:
        return f"at least {_number(low)} is allowed"
    return f"{_number(low)} to {_number(high)} is allowed"


def _number(value: float | None) -> str:
    return str(int(value)) if value is not None and float(value).is_integer() else str(value)


def _no_choice(options: tuple[str, ...], value: Any) -> tuple[str, str, Any]:
    near = difflib.get_close_matches(str(value), options, n=1)
    listed = ", ".join(options[:12]) + (", ..." if len(options) > 12 else "")
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return f"is {_short(value)}, which is no choice.", f"{hint}Choose one of: {listed}.", None


def _as_text(value: Any) -> str | None:
    return str(value) if type(value) in (int, float) else None


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."
