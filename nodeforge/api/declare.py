"""`@node`: turns a typed function into a node type. Nothing is said twice.

Ports, widgets, tooltips and docs come from the signature and the docstring; a declaration
that is wrong fails on import.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from nodeforge.api import widgets
from nodeforge.api.context import RunContext
from nodeforge.api.docstring import Docstring, parse
from nodeforge.errors import NodeForgeError
from nodeforge.spec import NodeSpec, PortSpec, Role, Saves, Upgrade
from nodeforge.spec import types as names
from nodeforge.spec.widget import (
    ChoiceWidget,
    FileWidget,
    ModelFileWidget,
    NumberWidget,
    SeedWidget,
    TextWidget,
    ToggleWidget,
    Widget,
)
from nodeforge.values import (
    Audio,
    Conditioning,
    ControlNet,
    Guidance,
    Image,
    ImageEncoder,
    IpAdapter,
    Latent,
    Mask,
    Model,
    Noise,
    Region,
    Sampler,
    Schedule,
    TextEncoder,
    UpscaleModel,
    Vae,
    Video,
)

Function = TypeVar("Function", bound=Callable[..., Any])

TYPE_NAMES: Mapping[Any, str] = {
    bool: names.BOOLEAN,
    int: names.INTEGER,
    float: names.FLOAT,
    str: names.TEXT,
    Path: names.PATH,
    Any: names.ANY,
    Audio: "audio",
    Conditioning: "conditioning",
    ControlNet: "controlnet",
    Guidance: "guidance",
    Image: "image",
    ImageEncoder: "image_encoder",
    IpAdapter: "ip_adapter",
    Latent: "latent",
    Mask: "mask",
    Model: "model",
    Noise: "noise",
    Region: "region",
    Sampler: "sampler",
    Schedule: "schedule",
    TextEncoder: "text_encoder",
    UpscaleModel: "upscale_model",
    Vae: "vae",
    Video: "video",
}

_ATTRIBUTE = "__nodeforge_node__"
_MISSING = inspect.Parameter.empty


class DeclarationError(NodeForgeError):
    """A node's function is not declared as a node must be."""


@dataclass(frozen=True)
class NodeType:
    """A node type with its code.

    Args:
        spec: What it declares.
        function: What computes it; None for nodes that only the planner reads.
        wants_run: Whether the first parameter is the `RunContext`.
        enums: The enum of each port that has one: workflows hold the member's value.
        many_results: Whether the function returns a NamedTuple, one field an output.
    """

    spec: NodeSpec
    function: Callable[..., Any]
    wants_run: bool
    enums: Mapping[str, type[Enum]]
    many_results: bool


def node(
    type_id: str,
    *,
    version: int = 1,
    upgrade: Mapping[int, Upgrade] | None = None,
    title: str = "",
    effects: bool = False,
    saves: Saves | None = None,
    shows: bool = False,
    planned: bool = False,
    extent: tuple[str, ...] = (),
    steps: tuple[str, ...] = (),
    role: Role = Role.COMPUTE,
) -> Callable[[Function], Function]:
    """Declare the function below as the node type `type_id`.

    Args:
        type_id: ``category.name``; part of workflows, so it never changes.
        version: Raise it when the result changes for the same input, and with each step of
            `upgrade`.
        upgrade: By version, what brings a file saved with it to the next one. Only a change of
            ports, of defaults or of what values mean needs a step; steps are only ever added.
        title: What the window calls it; made from `type_id` where empty.
        effects: It does something besides returning a value (saves a file).
        saves: The files that it writes, where its inputs tell them: the queue reserves their
            names before it runs. It has effects then.
        shows: Its result is for a person to see; a run of the workflow asks for it.
        planned: It takes and gives numbers, texts, truth values and paths alone, and is computed
            while a run is planned, where its inputs are known then. It alone may give lists:
            everything behind one is computed once for each value.
        extent: Inputs whose numbers, multiplied, are how large what is made of it is (pixels,
            frames, seconds): forecasts of the time of all that work on it grow with them.
        steps: Inputs whose numbers, multiplied, are how often a loop that reads it steps.
        role: `Role.COMPUTE`, or what the planner does with the node.

    Raises:
        DeclarationError: on import, when the function does not make a node.
    """

    def declare(function: Function) -> Function:
        declared = _Declaration(type_id, function)
        inputs, outputs = declared.inputs(), declared.outputs()
        declared.check_planned(inputs, outputs, planned=planned)
        declared.check_saves(saves, inputs, effects=effects)
        declared.check_numbers({"extent": extent, "steps": steps}, inputs)
        spec = NodeSpec(
            type=type_id,
            version=version,
            title=title or _title(type_id),
            summary=declared.doc.summary,
            doc=declared.doc.body,
            inputs=inputs,
            outputs=outputs,
            effects=effects,
            shows=shows,
            role=role,
            planned=planned,
            extent=extent,
            steps=steps,
            saves=saves,
            upgrades=declared.upgrades(version, upgrade or {}, inputs, outputs),
        )
        made = NodeType(spec, function, declared.wants_run, declared.enums, declared.many_results)
        setattr(function, _ATTRIBUTE, made)
        return function

    return declare


def node_type_of(thing: object) -> NodeType | None:
    """The node type that `thing` declares, if it is a function under `@node`."""
    return getattr(thing, _ATTRIBUTE, None)


class _Declaration:
    """Reads one function."""

    def __init__(self, type_id: str, function: Callable[..., Any]) -> None:
        self.type_id = type_id
        self.function = function
        self.doc: Docstring = parse(function.__doc__)
        if "." not in type_id:
            self.fail("the id must be 'category.name'")
        if not self.doc.summary:
            self.fail("has no docstring")
        try:
            self.hints = typing.get_type_hints(function, include_extras=True)
        except NameError as error:
            self.fail(f"has an annotation that cannot be read: {error}")
        parameters = list(inspect.signature(function).parameters.values())
        self.wants_run = bool(parameters) and self.hints.get(parameters[0].name) is RunContext
        self.parameters = parameters[1:] if self.wants_run else parameters
        self.enums: dict[str, type[Enum]] = {}
        self.many_results = _is_named_tuple(self.hints.get("return"))

    def fail(self, fact: str) -> typing.NoReturn:
        raise DeclarationError(fact, place=self.type_id)

    def inputs(self) -> tuple[PortSpec, ...]:
        return tuple(self._input(parameter) for parameter in self.parameters)

    def _input(self, parameter: inspect.Parameter) -> PortSpec:
        name = parameter.name
        if name not in self.hints:
            self.fail(f"parameter '{name}' has no type")
        if not self.doc.args.get(name):
            self.fail(f"parameter '{name}' is not described under 'Args:'")
        kind, extras, optional, many = _unwrap(self.hints[name])
        type_name = self._type_name(kind, f"parameter '{name}'")
        widget = None if many or type_name not in names.PLAIN else self._widget(kind, extras)
        if isinstance(kind, type) and issubclass(kind, Enum):
            self.enums[name] = kind
        default = parameter.default
        if default is not _MISSING and default is not None and widget is None and not many:
            self.fail(f"parameter '{name}' cannot have a default: {type_name} is a port only")
        return PortSpec(
            name=name,
            type=type_name,
            doc=self.doc.args[name],
            many=many,
            optional=optional or (default is not _MISSING and widget is None),
            default=None if widget is None else self._default(default),
            widget=widget,
        )

    def outputs(self) -> tuple[PortSpec, ...]:
        returned = self.hints.get("return")
        if "return" not in self.hints:
            self.fail("does not say what it returns")
        if returned is type(None):
            return ()
        if not self.many_results:
            kind, _, _, many = _unwrap(returned)
            name = self._type_name(kind, "the result")
            doc = " ".join(self.doc.returns.values())
            return (PortSpec(name=name, type=name, doc=doc, many=many),)
        fields = typing.get_type_hints(returned, include_extras=True)
        for name in fields:
            if not self.doc.returns.get(name):
                self.fail(f"result '{name}' is not described under 'Returns:'")
        return tuple(
            PortSpec(
                name, self._type_name(inner, f"result '{name}'"), self.doc.returns[name], many=many
            )
            for name, kind in fields.items()
            for inner, _, _, many in [_unwrap(kind)]
        )

    def check_planned(
        self, inputs: tuple[PortSpec, ...], outputs: tuple[PortSpec, ...], *, planned: bool
    ) -> None:
        """Refuse lists of what only a run knows, and planned nodes that need one."""
        if not planned:
            if listed := [port.name for port in outputs if port.many]:
                self.fail(f"result '{listed[0]}' is a list, which planned nodes alone may give")
            return
        if self.wants_run or not self.many_results:
            self.fail("a planned node takes no run, and returns a NamedTuple")
        for port in (*inputs, *outputs):
            if port.type not in names.PLAIN and port.type != names.ANY:
                self.fail(f"a planned node has no port for a {port.type}, as '{port.name}' is")

    def check_saves(
        self, saves: Saves | None, inputs: tuple[PortSpec, ...], *, effects: bool
    ) -> None:
        """Refuse a node that saves of ports that it does not have, or without effects."""
        if saves is None:
            return
        if not effects:
            self.fail("saves files, and has no effects")
        if missing := saves.inputs - {port.name for port in inputs}:
            self.fail(f"'saves' names '{min(missing)}', which is no port")

    def check_numbers(
        self, named: Mapping[str, tuple[str, ...]], inputs: tuple[PortSpec, ...]
    ) -> None:
        """Refuse ports that are none of numbers."""
        numbers = {port.name for port in inputs if port.type in (names.INTEGER, names.FLOAT)}
        for what, ports in named.items():
            if wrong := [port for port in ports if port not in numbers]:
                self.fail(f"'{what}' names '{wrong[0]}', which is no port of a number")

    def upgrades(
        self,
        version: int,
        steps: Mapping[int, Upgrade],
        inputs: tuple[PortSpec, ...],
        outputs: tuple[PortSpec, ...],
    ) -> dict[int, Upgrade]:
        """`steps` in order, checked against the ports as they are today."""
        if type(version) is not int or version < 1:
            self.fail(f"the version is {version!r}, not a whole number from 1")
        for number, step in steps.items():
            if type(number) is not int or not 1 <= number < version:
                self.fail(f"upgrade step {number!r} is not from a version before {version}")
            if not isinstance(step, Upgrade):
                self.fail(f"upgrade step {number} is no Upgrade: {step!r}")
        if latest := steps.get(version - 1):
            missing = latest.inputs - {port.name for port in inputs}
            missing |= {*latest.rename_outputs.values()} - {port.name for port in outputs}
            if missing:
                name = min(missing)
                self.fail(f"upgrade step {version - 1} leads to '{name}', which is no port")
        return dict(sorted(steps.items()))

    def _type_name(self, kind: Any, where: str) -> str:
        if isinstance(kind, type) and issubclass(kind, Enum):
            return names.TEXT
        try:
            return TYPE_NAMES[kind]
        except (KeyError, TypeError):
            self.fail(f"{where} has a type that cannot travel along a link: {kind!r}")

    def _widget(self, kind: Any, extras: tuple[Any, ...]) -> Widget:
        for extra in extras:
            match extra:
                case widgets.Range():
                    return NumberWidget(**asdict(extra))
                case widgets.Seed():
                    return SeedWidget()
                case widgets.Multiline():
                    return TextWidget(multiline=True, names=extra.names)
                case widgets.Choice():
                    return ChoiceWidget(extra.options, extra.labels)
                case widgets.File():
                    return FileWidget(extra.kind)
                case widgets.ModelFile():
                    return ModelFileWidget(extra.kind, extra.goes_with)
                case _:
                    self.fail(f"an annotation is not one of nodeforge.api's: {extra!r}")
        if issubclass(kind, Enum):
            return ChoiceWidget(tuple(str(member.value) for member in kind))
        plain: dict[Any, Widget] = {
            bool: ToggleWidget(),
            int: NumberWidget(step=1),
            float: NumberWidget(),
            str: TextWidget(),
        }
        if kind not in plain:
            self.fail("a Path needs Annotated[Path, File(...)] or Annotated[Path, ModelFile(...)]")
        return plain[kind]

    def _default(self, default: Any) -> Any:
        if default is _MISSING:
            return None
        if isinstance(default, Enum):
            return default.value
        return str(default) if isinstance(default, Path) else default


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...], bool, bool]:
    """The type inside Annotated, X | None and list[X], with the extras it was under."""
    extras: tuple[Any, ...] = ()
    optional = many = False
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            hint, *more = typing.get_args(hint)
            extras += tuple(more)
        elif origin in (typing.Union, types.UnionType):
            inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
            if len(inner) != 1:
                return hint, extras, optional, many
            hint, optional = inner[0], True
        elif origin is list:
            (hint,), many = typing.get_args(hint), True
        else:
            return hint, extras, optional, many


def _is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def _title(type_id: str) -> str:
    words = type_id.rsplit(".", 1)[1].replace("_", " ")
    return words[:1].upper() + words[1:]
