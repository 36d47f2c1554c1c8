"""Switches: nodes that pass on one of their inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodeforge.formats.comfyui.link_value import LinkValue
from nodeforge.formats.comfyui.node_conversion import NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.graph.model import Input, Output

Choose = Callable[[NodeConversion], int]
"""The place of the input that a node passes on, among those that it can pass on."""


def _switch(
    class_type: str, name: str, widget: str, branches: tuple[str, ...], kind: str, choose: Choose
) -> Row:
    def make(node: NodeConversion) -> None:
        _pass_on(node, branches, choose(node))

    outputs = (kind,)
    return Row(class_type, name, (widget,), outputs, ("graph.switch",), make, _REMARK)


def _pass_on(node: NodeConversion, branches: tuple[str, ...], choice: int) -> None:
    """Give the chosen branch, by a switch where each branch that is fed is an output."""
    fed = [name for name in branches if name in node.linked]
    chosen = branches[choice] if 0 <= choice < len(branches) else ""
    picked = node.link_value(chosen)
    if picked is None:
        node.set_outputs(LinkValue("", muted=True))
        return
    feeds = [node.linked[name].output for name in fed]
    if None in feeds or len(fed) < 2:
        node.set_outputs(picked)  # what waits in the link needs no node to pass it on
        return
    made = node.add("graph.switch", choice=fed.index(chosen))
    for place, feed in enumerate(feeds):
        assert feed is not None
        node.links[Input(made, "choices", place)] = feed
    node.set_outputs(node.updated(picked.type, Output(made, "value"), chosen))


def _by_boolean(name: str) -> Choose:
    return lambda node: int(node.known_value(name, False))


def _by_boolean_if_fed(name: str, branches: tuple[str, str]) -> Choose:
    """As `_by_boolean`; where only one branch is fed, that one counts whatever the condition."""

    def choose(node: NodeConversion) -> int:
        fed = [place for place, branch in enumerate(branches) if branch in node.linked]
        return fed[0] if len(fed) == 1 else int(node.known_value(name, False))

    return choose


def _by_number(name: str) -> Choose:
    return lambda node: node.known_value(name, 1) - 1


def _first(node: NodeConversion, branches: tuple[str, ...]) -> int:
    return next((i for i, name in enumerate(branches) if node.link_value(name) is not None), -1)


def _any_switch(node: NodeConversion) -> None:
    branches = tuple(sorted(node.linked))
    _pass_on(node, branches, _first(node, branches))


_REMARK = "Chosen where the condition is known; both branches stay."
_COMFYROLL: dict[str, tuple[str, str]] = {
    "Image": ("image", "IMAGE"),
    "Latent": ("latent", "LATENT"),
    "Conditioning": ("conditioning", "CONDITIONING"),
    "Model": ("model", "MODEL"),
    "VAE": ("VAE", "VAE"),
    "Text": ("text", "STRING"),
}


def _rows() -> Any:
    sides = ("on_false", "on_true")
    choose = _by_boolean_if_fed("switch", sides)
    yield _switch("ComfySwitchNode", "Switch", "switch", sides, "*", choose)
    yield _switch(
        "Switch any [Crystools]", "Switch any", "boolean", sides, "*", _by_boolean("boolean")
    )
    yield _switch("easy ifElse", "If else", "boolean", sides, "*", _by_boolean("boolean"))
    values = ("ff_value", "tt_value")
    yield _switch(
        "ImpactConditionalBranch",
        "ImpactConditionalBranch",
        "cond",
        values,
        "*",
        _by_boolean("cond"),
    )
    numbered = tuple(f"input{number}" for number in range(1, 33))
    yield _switch("ImpactSwitch", "Switch (Any)", "select", numbered, "*", _by_number("select"))
    for word, (port, kind) in _COMFYROLL.items():
        class_type = f"CR {word} Input Switch"
        pair = (f"{port}1", f"{port}2")
        yield _switch(class_type, class_type, "Input", pair, kind, _by_number("Input"))
    title = "Any Switch (rgthree)"
    yield Row(title, title, (), ("*",), ("graph.switch",), _any_switch, "The first that is fed.")


ROWS = tuple(_rows())
