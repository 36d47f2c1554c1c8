"""The conversion of one ComfyUI node: what the rows' functions read and write."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from nodeforge.formats.comfyui.comfy_graph import ComfyNode
from nodeforge.formats.comfyui.link_value import EmptyLatent, InputValue, LinkValue
from nodeforge.formats.comfyui.report import Report
from nodeforge.formats.errors import WorkflowError
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.paths import Names
from nodeforge.spec import Catalogue, fits

Plain = TypeVar("Plain", int, float, str, bool)

_THEN = {"increment": "increment", "decrement": "decrement", "randomize": "random"}
"""ComfyUI's *control after generate* to NodeForge's seed control."""


class NoCounterpartError(WorkflowError):
    """A ComfyUI node, or a use of it, that NodeForge has no counterpart for."""


class Workflow(Protocol):
    """What one node's conversion needs of the conversion of the whole workflow.

    Args:
        catalogue: NodeForge's node types.
        document: The document being made.
        report: What to tell the user.
        name: Gives free node ids.
        shared: Loaders whose model several nodes use.
    """

    catalogue: Catalogue
    document: Document
    report: Report
    name: Names
    shared: set[str]

    @property
    def seeds(self) -> frozenset[str]: ...

    @property
    def picture_size(self) -> tuple[int, int] | None: ...

    def family(self, kind: str, name: str) -> str: ...

    def type_of(self, output: Output, made: Mapping[str, Node]) -> str: ...

    def empty_latent(self, empty: EmptyLatent) -> Output: ...

    def pictures_of(self, video: Output) -> Output: ...

    @property
    def model_names(self) -> tuple[str, ...]: ...

    def is_linked(self, node: ComfyNode, slot: int) -> bool: ...


@dataclass
class NodeConversion:
    """One ComfyUI node, what is linked to it, and the NodeForge nodes made for it.

    Args:
        workflow: The conversion of the whole workflow.
        source: The ComfyUI node.
        linked: The values of its linked inputs, by name.
        nodes: NodeForge nodes made so far, by id; the main one first.
        links: Links into these nodes.
        outputs: The values of its outputs, in order.
        control: Its seed's *control after generate*; empty where the file does not say.
    """

    workflow: Workflow
    source: ComfyNode
    linked: dict[str, LinkValue]
    nodes: dict[str, Node] = field(default_factory=dict)
    links: dict[Input, Output] = field(default_factory=dict)
    outputs: list[LinkValue] = field(default_factory=list)
    control: str = ""

    def link_value(self, name: str, *, needed: str = "") -> LinkValue | None:
        """The value linked to an input.

        Args:
            needed: Why the input is required; empty where it is optional.

        Raises:
            NoCounterpartError: a required input is not linked.
        """
        found = self.linked.get(name)
        if needed and found is None:
            raise NoCounterpartError(f"nothing feeds its '{name}', {needed}.")
        return found

    def output(self, name: str) -> Output | None:
        """The NodeForge output to link to an input."""
        return self.resolve(self.linked.get(name))

    def resolve(self, link: LinkValue | None) -> Output | None:
        """The NodeForge output of `link`; an empty latent, and pictures of a video, get their
        node now.

        Raises:
            NoCounterpartError: it is an empty latent of a video or a sound.
        """
        if link is None or link.output is not None:
            return link and link.output
        if link.clip is not None:
            return self.workflow.pictures_of(link.clip)
        if link.empty is None:
            return None
        if link.empty.frames is not None:
            raise NoCounterpartError("takes an empty latent of a video, which is noise here.")
        if link.empty.seconds is not None:
            raise NoCounterpartError("takes an empty latent of a sound, which is noise here.")
        return self.workflow.empty_latent(link.empty)

    def input_value(self, name: str, default: Plain) -> InputValue:
        """A plain input of the type of `default`, linked or set."""
        link = self.linked.get(name)
        value = link.value if link is not None else self.source.values.get(name)
        if link is None and value is None and name in self.source.values:
            self.report_problem(
                f"its '{name}' is NaN, Infinity or null; {default!r} is used, its default"
            )
        given = default if value is None else self._cast(name, value, default)
        return InputValue(given, link.output if link is not None else None)

    def known_value(self, name: str, default: Plain) -> Plain:
        """A plain value that must be known without running.

        Raises:
            NoCounterpartError: it is linked to a value that is computed.
        """
        link = self.linked.get(name)
        if link is not None and link.value is None:
            raise NoCounterpartError(f"its '{name}' is linked, and known only while running.")
        return self.input_value(name, default).value

    def _cast(self, name: str, value: Any, like: Plain) -> Plain:
        kind = type(like)
        if kind is str and type(value) in (str, int, float):
            return kind(value)
        if kind is bool and type(value) in (bool, int):
            return kind(value)
        if kind in (int, float) and type(value) in (int, float, str):
            try:
                number = float(value) if type(value) is str else value
                if math.isfinite(number):
                    return kind(number)
            except (ValueError, OverflowError):
                pass
        raise NoCounterpartError(f"its '{name}' is {repr(value)[:40]}, which is none.")

    def add(self, type_id: str, **inputs: Any) -> str:
        """Add a NodeForge node; its id.

        Args:
            type_id: Its type.
            inputs: By port: an `Output` or `LinkValue` is linked, an `InputValue` linked or set,
                None left out; anything else is a value.
        """
        name = self.workflow.name(type_id)
        node = self.nodes[name] = Node(type_id)
        for port, given in inputs.items():
            self.set_input(name, node, port, given)
        return name

    def set_input(self, name: str, node: Node, port: str, given: Any) -> None:
        """Link or set one input of `node`."""
        if isinstance(given, LinkValue):
            given = self.resolve(given)
        if isinstance(given, InputValue):
            given = given.output if self._can_link(node, port, given) else given.value
        if isinstance(given, Output):
            self.links[Input(name, port)] = given
        elif given is not None:
            node.values[port] = given

    def _can_link(self, node: Node, port: str, given: InputValue) -> bool:
        """Whether a plain port can take the link; where it cannot, the value is set."""
        if given.output is None:
            return False
        target = self.workflow.catalogue[node.type].input[port]
        source = self.workflow.type_of(given.output, self.nodes)
        if source and not fits(source, target.type):
            self.report_difference(
                f"'{port.replace('_', ' ')}' was linked; here it is a value of its own"
            )
            return False
        return True

    def place(self, name: str, port: str) -> Output:
        return Output(name, port)

    def set_outputs(self, *linked: LinkValue) -> None:
        """Set the values of the ComfyUI node's outputs, in order."""
        self.outputs = list(linked)

    def updated(self, kind: str, output: Output, source: str) -> LinkValue:
        """The value linked to the input `source`, with `output` in place of its own."""
        link = self.linked.get(source)
        if link is None or link.type != kind:
            return LinkValue(kind, output)
        return replace(link, output=output, empty=None, clip=None, value=None)

    def report_difference(self, text: str) -> None:
        """Report a difference from ComfyUI at this node, if it takes part in a run."""
        if self.source.is_active:
            self.workflow.report.add_difference(f"{text}.", self.source.id)

    def report_problem(self, text: str) -> None:
        """Report what in the file could not be read at this node."""
        if self.source.is_active:
            self.workflow.report.problems.append(f"{self.source.label}: {text}.")

    def report_general_difference(self, text: str) -> None:
        """Report a difference that holds for the whole workflow, once."""
        if self.source.is_active:
            self.workflow.report.add_difference(f"{text}.")

    def seed(self, name: str = "seed") -> InputValue:
        """A seed in NodeForge's range: below 2**63; ComfyUI's is 2**64."""
        given = self.input_value(name, 0)
        if 0 <= given.value < 2**63:
            return given
        self.report_difference(
            f"The seed {given.value} is beyond ours, which end at 2**63: "
            f"it is {given.value % 2**63} here, another picture"
        )
        return InputValue(given.value % 2**63)

    def set_seed_control(self, path: str) -> None:
        """Give the seed at `path` the control that the ComfyUI node has."""
        if then := _THEN.get(self.control):
            self.workflow.document.view.seeds[path] = then


Convert = Callable[[NodeConversion], None]
