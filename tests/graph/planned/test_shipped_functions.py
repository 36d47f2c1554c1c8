"""Each shipped planned node has one declaration: the function that computes it, and its ports."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.graph.planned import survey
from nodeforge.graph.planned.functions import FUNCTIONS
from nodeforge.settings import Settings
from nodeforge.spec import ANY, Catalogue, NodeSpec
from nodeforge.worker.packs import load_packs
from support.clip_files import write_moving_picture

NODE_TYPES = load_packs(Settings(home=Path("no-home"))).node_types
PLANNED = {key: made for key, made in NODE_TYPES.items() if made.spec.planned}


def test_every_planned_node_has_a_function_and_no_function_is_left_over():
    """numbers and lists 2."""
    assert set(FUNCTIONS) == set(PLANNED)


@pytest.mark.parametrize("type_id", PLANNED)
def test_node_and_function_take_the_same_inputs_with_the_same_defaults(type_id: str):
    spec = PLANNED[type_id].spec
    parameters = inspect.signature(FUNCTIONS[type_id]).parameters
    assert set(parameters) == set(spec.input)
    for name, parameter in parameters.items():
        if parameter.default is not inspect.Parameter.empty:
            assert parameter.default == spec.input[name].default


@pytest.mark.parametrize("type_id", PLANNED)
def test_node_and_function_give_the_same(type_id: str, tmp_path: Path):
    made = PLANNED[type_id]
    given = sample(made.spec, tmp_path)
    expected = FUNCTIONS[type_id](**given)
    assert made.function(**given) == expected
    assert set(expected._asdict()) == set(made.spec.output)


def sample(spec: NodeSpec, folder: Path) -> dict[str, Any]:
    from PIL import Image

    (folder / "lines.txt").write_text("one\ntwo\n", encoding="utf-8")
    Image.new("RGB", (3, 2)).save(folder / "picture.png")
    write_moving_picture(folder / "clip.gif")
    files = {"text": "lines.txt", "image": "picture.png", "video": "clip.gif"}
    made: dict[str, Any] = {}
    for port in spec.inputs:
        if port.many:
            made[port.name] = ["one", "two"]
        elif port.type == "path":
            made[port.name] = folder / files.get(port.widget.kind, "")  # type: ignore[union-attr]
        elif port.type == ANY:
            made[port.name] = "one"
        else:
            made[port.name] = port.default
    return made


def test_one_failure_is_told_once_however_many_nodes_are_behind_it():
    """Each would compute the list before it anew, and come to the bound of copies."""
    catalogue = Catalogue.shipped()
    nodes = {f"n{number}": Node("values.expression", {"formula": "a"}) for number in range(40)}
    graph = Graph(
        {
            "seeds": Node("lists.seeds", {"count": 1000}),
            "bad": Node("values.expression", {"formula": "1 / (a - a)"}),
            **nodes,
        },
        {Input("bad", "a"): Output("seeds", "seed")}
        | {Input(name, "a"): Output("bad", "number") for name in nodes},
    )
    failures = survey(flatten(graph, catalogue), catalogue).failures
    assert list(failures) == ["bad"]
    assert "divides by zero" in failures["bad"].fact


@pytest.mark.parametrize("resolve", [None, lambda _, value: Path("/nowhere") / str(value)])
def test_each_alone_is_known_or_says_why_it_is_not(resolve):
    """As it lies on the graph before anything is linked to it."""
    catalogue = Catalogue.shipped()
    for spec in catalogue.values():
        if spec.replaced_by_planner:
            flat = flatten(Graph({"alone": Node(spec.type)}), catalogue)
            failures = survey(flat, catalogue, resolve).failures
            assert all(failure.way_out for failure in failures.values()), spec.type
