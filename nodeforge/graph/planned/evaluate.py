"""Computes one planned node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.spec import ANY, BOOLEAN, FLOAT, INTEGER, PATH, TEXT, NodeSpec, PortSpec
from nodeforge.spec.widget import LimitedWidget

Function = Callable[..., Any]
"""Takes a node's inputs by name; gives a NamedTuple with its outputs."""
Resolve = Callable[[PortSpec, Any], Path]
"""The file that a value means."""


class ValueTypeError(RequestError):
    """A value is not of the type that its input has."""


class Evaluator:
    """Computes planned nodes.

    Args:
        functions: What computes each node type.
        resolve: Finds files; without it, nodes that read files are not computed.
    """

    def __init__(self, functions: Mapping[str, Function], resolve: Resolve | None = None) -> None:
        self._functions = functions
        self._resolve = resolve

    def __call__(self, spec: NodeSpec, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """The outputs of a node by port; None where they cannot be known here.

        Args:
            spec: Its type.
            given: The values of its inputs; of list ports, lists.

        Raises:
            RequestError: a value is none that the input allows, or the node refuses it.
        """
        function = self._functions.get(spec.type)
        if function is None:
            return None
        arguments: dict[str, Any] = {}
        for port in spec.inputs:
            value = given.get(port.name)
            if value is None and (value := port.default) is None:
                if not port.required:
                    continue
                if self._resolve is None:
                    return None  # the linter tells
                raise ValueTypeError(
                    "has neither a link nor a value.",
                    place=f"port '{port.name}'",
                    way_out="Connect it, or give a value.",
                )
            if port.type == PATH and self._resolve is None:
                return None
            try:
                arguments[port.name] = self._argument(port, value)
            except RequestError as error:
                raise error.at(f"port '{port.name}'") from error
        return dict(function(**arguments)._asdict())

    def _argument(self, port: PortSpec, value: Any) -> Any:
        if port.many:
            return [coerce(port, each) for each in value]
        value = coerce(port, value)
        if port.type == PATH and self._resolve:
            return self._resolve(port, value)
        if isinstance(port.widget, LimitedWidget) and not port.widget.allows(value):
            raise ValueTypeError(
                f"is {value!r}, which is not {port.widget.allowed}.",
                way_out="Change the value, or what is linked to it.",
            )
        return value


def coerce(port: PortSpec, value: Any) -> Any:
    """`value` as the port's plain type: 1 and 1.0 are one value, and have one key.

    Raises:
        ValueTypeError: it is of another type.
    """
    kind, wanted = type(value), port.type
    if wanted == FLOAT and kind in (int, float):
        return float(value)
    if wanted == INTEGER and (kind is int or (kind is float and value.is_integer())):
        return int(value)
    if wanted == ANY or (wanted == BOOLEAN and kind is bool):
        return value
    if wanted in (TEXT, PATH) and isinstance(value, str | Path):
        return str(value)
    raise ValueTypeError(
        f"needs {port.type}, not {value!r}.", way_out=f"Give a value of type {port.type}."
    )
