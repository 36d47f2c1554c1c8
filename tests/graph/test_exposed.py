"""Exposed parameters of subgraphs: order, label, help and range; in edits and in the file."""

import json

import pytest

from nodeforge.errors import RequestError
from nodeforge.formats import workflow
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Collapse, Expose, Link, SetExposed, SetValue, Unexpose
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Input, Output, Subgraph
from nodeforge.graph.ports import input_names, input_spec, input_value, port_label
from nodeforge.graph.presentation import Presentation
from nodeforge.spec import Catalogue, NumberWidget
from support.graphs import text_to_image

CATALOGUE = Catalogue.shipped()


@pytest.fixture
def document() -> Document:
    """Noise, schedule, guidance and sampler as a subgraph, as in window 11."""
    made = Document(text_to_image())
    made.perform(Collapse(["noise", "schedule", "guidance", "sampler"], "Draw"))
    return made


def box(document: Document, path: str = "draw") -> Subgraph:
    node = document.node(path)
    assert isinstance(node, Subgraph)
    return node


def test_what_is_exposed_is_a_port_with_the_value_inside(document):
    """window 11: a group of noise, schedule, guidance and sampler had no seed and no steps."""
    for path, port in (("draw/noise", "seed"), ("draw/schedule", "steps")):
        document.perform(Expose(path, port))
    assert input_names(box(document), CATALOGUE) == ["seed", "steps"]
    assert input_value(box(document), "steps", CATALOGUE) == 20
    document.perform(SetValue("draw", "steps", 12))
    flat = flatten(document.graph, CATALOGUE)
    assert flat.nodes["draw/schedule"].values["steps"] == 12
    for _ in range(3):
        document.undo()
    assert box(document).inputs == {}
    assert box(document).exposed == {}


def test_order_label_help_and_range_are_the_port_s(document):
    for path, port in (("noise", "seed"), ("schedule", "steps"), ("guidance", "scale")):
        document.perform(Expose(f"draw/{path}", port))
    exposed = {
        "scale": {"order": 0, "label": "Closeness to the prompt", "minimum": 2, "maximum": 12},
        "steps": {"order": 1, "help": "More steps take longer.", "maximum": 10_000_000},
    }
    document.perform(SetExposed("draw", exposed))
    assert input_names(box(document), CATALOGUE) == ["scale", "steps", "seed"]
    assert port_label(box(document), "scale") == "Closeness to the prompt"
    assert port_label(box(document), "steps") == "steps"
    scale = input_spec(box(document), "scale", CATALOGUE)
    steps = input_spec(box(document), "steps", CATALOGUE)
    assert scale is not None
    assert steps is not None
    assert isinstance(scale.widget, NumberWidget)
    assert isinstance(steps.widget, NumberWidget)
    assert (scale.widget.minimum, scale.widget.maximum) == (2, 12)
    assert steps.doc == "More steps take longer."
    assert steps.widget == CATALOGUE["sampling.schedule"].input["steps"].widget
    assert document.undo().startswith("change the exposed parameters")
    assert port_label(box(document), "scale") == "scale"


def test_a_range_that_shares_no_number_with_the_port_s_is_not_used():
    port = CATALOGUE["sampling.schedule"].input["steps"]
    assert Presentation(minimum=1e9).on(port).widget == port.widget
    assert Presentation(minimum=5, maximum=2).on(port).widget == port.widget


def test_a_subgraph_in_a_subgraph_narrows_further(document):
    document.perform(Expose("draw/schedule", "steps"))
    document.perform(SetExposed("draw", {"steps": {"minimum": 4, "maximum": 60, "help": "inner"}}))
    document.perform(Collapse(["draw"], "Outer"))
    document.perform(Expose("outer/draw", "steps"))
    document.perform(SetExposed("outer", {"steps": {"maximum": 30, "label": "Quality"}}))
    outer = document.node("outer")
    spec = input_spec(outer, "steps", CATALOGUE)
    assert spec is not None
    assert isinstance(spec.widget, NumberWidget)
    assert (spec.widget.minimum, spec.widget.maximum, spec.doc) == (4, 30, "inner")
    assert port_label(outer, "steps") == "Quality"
    assert input_value(outer, "steps", CATALOGUE) == 20


def test_what_is_no_longer_exposed_keeps_its_value_inside(document):
    document.perform(Expose("draw/schedule", "steps"))
    document.perform(SetValue("draw", "steps", 9))
    document.perform(Unexpose("draw", "steps"))
    assert box(document).inputs == {}
    assert box(document).exposed == {}
    assert box(document).values == {}
    assert document.node("draw/schedule").values["steps"] == 9
    document.undo()
    assert box(document).values == {"steps": 9}
    assert document.node("draw/schedule").values["steps"] == 20


@pytest.mark.parametrize(
    ("path", "port", "fact"),
    [("denoise", "start", "is in no subgraph"), ("draw/noise", "seed", "is exposed already")],
)
def test_what_cannot_be_exposed_says_why(document, path, port, fact):
    document.perform(Expose("draw/noise", "seed"))
    with pytest.raises(RequestError, match=fact):
        document.perform(Expose(path, port))


def test_a_linked_input_is_not_exposed(document):
    document.perform(Link(Output("draw/guidance", "guidance"), Input("draw/schedule", "steps")))
    with pytest.raises(RequestError, match="is linked inside"):
        document.perform(Expose("draw/schedule", "steps"))


def test_two_ports_of_one_name_are_told_apart(document):
    document.perform(Expose("draw/sampler", "name"))
    edit = Expose("draw/schedule", "name")
    document.perform(edit)
    assert edit.exposed_as == "name_2"
    assert input_names(box(document), CATALOGUE) == ["name", "name_2"]


def test_it_comes_back_from_the_file_with_what_is_not_known(document):
    document.perform(Expose("draw/schedule", "steps"))
    document.perform(SetExposed("draw", {"steps": {"label": "Steps", "later": [1]}}))
    content = workflow.write(document)
    again = workflow.read(content)
    assert box(again).exposed == {"steps": {"label": "Steps", "later": [1]}}
    assert workflow.write(again) == content


def test_a_file_from_before_shows_ports_by_name_as_ever(document):
    """The rule for older files: without a record, ports are shown by name, as the input inside."""
    for path, port in (("schedule", "steps"), ("noise", "seed")):
        document.perform(Expose(f"draw/{path}", port))
    raw = json.loads(workflow.write(document))
    del raw["nodes"]["draw"]["exposed"]
    again = workflow.read(json.dumps(raw))
    assert input_names(box(again), CATALOGUE) == ["seed", "steps"]
    assert port_label(box(again), "steps") == "steps"


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        (3, "nodes.draw.exposed.steps"),
        ({"label": 3}, "nodes.draw.exposed.steps.label"),
        ({"minimum": "1"}, "nodes.draw.exposed.steps.minimum"),
        ({"order": True}, "nodes.draw.exposed.steps.order"),
    ],
)
def test_a_record_of_a_wrong_kind_is_refused_with_its_place(document, entry, place):
    document.perform(Expose("draw/schedule", "steps"))
    raw = json.loads(workflow.write(document))
    raw["nodes"]["draw"]["exposed"] = {"steps": entry}
    with pytest.raises(RequestError) as error:
        workflow.read(json.dumps(raw))
    assert place in str(error.value)
