"""One node of ComfyUI while ours are made of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from nodeforge.formats.comfyui.neutral import ComfyNode
from nodeforge.formats.comfyui.signals import Port, Signal
from nodeforge.formats.errors import WorkflowError
from nodeforge.graph.model import Input, Node, Output
from nodeforge.spec import fits

if TYPE_CHECKING:
    from nodeforge.formats.comfyui.converting import World

Plain = TypeVar("Plain", int, float, str, bool)

_THEN = {"increment": "count", "decrement": "count", "randomize": "random"}
"""What ComfyUI does with a seed after a run, to what the view's table of seeds says."""


class NoCounterpartError(WorkflowError):
    """A node of ComfyUI, or a use of it, that we have nothing for."""


@dataclass
class Making:
    """What the rows' functions are given: the node, what feeds it, and ways to make ours.

    Args:
        world: All that is being converted.
        node: The node of ComfyUI.
        signals: What feeds its inputs, by name; those that nothing feeds are not there.
        made: Our nodes so far, the one that stands for it first.
        links: Of these nodes.
        outputs: What its outputs give, in their order.
        control: What its seed does after a run; empty where the file does not say.
    """

    world: World
    node: ComfyNode
    signals: dict[str, Signal]
    made: dict[str, Node] = field(default_factory=dict)
    links: dict[Input, Output] = field(default_factory=dict)
    outputs: list[Signal] = field(default_factory=list)
    control: str = ""

    def signal(self, name: str, *, needed: str = "") -> Signal | None:
        """What feeds an input.

        Args:
            needed: Why nothing can be made without it; empty where something can.
        """
        found = self.signals.get(name)
        if needed and found is None:
            raise NoCounterpartError(f"nothing feeds its '{name}', {needed}.")
        return found

    def output(self, name: str) -> Output | None:
        """Our output that feeds an input."""
        return self.out(self.signals.get(name))

    def out(self, signal: Signal | None) -> Output | None:
        """Our output that gives what `signal` says; made now where it needed none so far."""
        if signal is None or signal.output is not None or signal.empty is None:
            return signal and signal.output
        return self.world.empty_latent(signal.empty)

    def port(self, name: str, default: Plain) -> Port:
        """A plain input of the type of `default`, linked or not."""
        signal = self.signals.get(name)
        value = signal.value if signal is not None else self.node.values.get(name)
        given = default if value is None else self._cast(name, value, default)
        return Port(given, signal.output if signal is not None else None)

    def value(self, name: str, default: Plain) -> Plain:
        """A plain value that must be known now."""
        signal = self.signals.get(name)
        if signal is not None and signal.value is None:
            raise NoCounterpartError(f"its '{name}' is linked, and known only while running.")
        return self.port(name, default).value

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
        """Make a node of ours; its id.

        Args:
            type_id: Its type.
            inputs: By port: an `Output` or `Signal` is linked, a `Port` linked or set, None left
                out; anything else is a value.
        """
        name = self.world.name(type_id)
        node = self.made[name] = Node(type_id)
        for port, given in inputs.items():
            self.put(name, node, port, given)
        return name

    def put(self, name: str, node: Node, port: str, given: Any) -> None:
        """Give one input of `node` a link or a value."""
        if isinstance(given, Signal):
            given = self.out(given)
        if isinstance(given, Port):
            given = given.output if self._links(node, port, given) else given.value
        if isinstance(given, Output):
            self.links[Input(name, port)] = given
        elif given is not None:
            node.values[port] = given

    def _links(self, node: Node, port: str, given: Port) -> bool:
        """Whether a plain port can take the link; what cannot be linked becomes a value."""
        if given.output is None:
            return False
        target = self.world.catalogue[node.type].input[port]
        source = self.world.type_of(given.output, self.made)
        if source and not fits(source, target.type):
            self.differ(f"'{port.replace('_', ' ')}' was linked; here it is a value of its own")
            return False
        return True

    def place(self, name: str, port: str) -> Output:
        return Output(name, port)

    def give(self, *signals: Signal) -> None:
        """Say what the node's outputs give, in their order."""
        self.outputs = list(signals)

    def pass_on(self, kind: str, output: Output, source: str) -> Signal:
        """`output`, with all that waits in what feeds the input `source`."""
        signal = self.signals.get(source)
        if signal is None or signal.type != kind:
            return Signal(kind, output)
        return replace(signal, output=output, empty=None, value=None)

    def differ(self, text: str) -> None:
        """Tell the person what is other than in ComfyUI, about this node."""
        self.world.report.differ(f"{text}.", self.node.id)

    def always_differs(self, text: str) -> None:
        """Tell it once for all nodes."""
        self.world.report.differ(f"{text}.")

    def seed(self, name: str = "seed") -> Port:
        """A seed that we can have: ours end at 2**63, theirs at 2**64."""
        given = self.port(name, 0)
        if 0 <= given.value < 2**63:
            return given
        self.differ(
            f"The seed {given.value} is beyond ours, which end at 2**63: "
            f"it is {given.value % 2**63} here, another picture"
        )
        return Port(given.value % 2**63)

    def follow_seed(self, path: str) -> None:
        """Let the seed at `path` do after a run what it does there."""
        if then := _THEN.get(self.control):
            self.world.document.view.seeds[path] = then
        if self.control == "decrement":
            self.differ("The seed counts down after each run there, and up here")


Make = Callable[[Making], None]
