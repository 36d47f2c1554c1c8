"""The form: what it shows, what its entries are called, and the edits that change it."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.errors import RequestError
from nodeforge.formats import WrongShapeError, load
from nodeforge.formats.form_json import form_from_json, form_to_json
from nodeforge.graph.assignments import AssignmentError, find_input
from nodeforge.graph.document import Document
from nodeforge.graph.edits import (
    AddToForm,
    Collapse,
    Expose,
    MoveOnForm,
    Paste,
    RemoveFromForm,
    RemoveNodes,
    SetForm,
    extract,
)
from nodeforge.graph.form import (
    find_entry,
    form_entries,
    form_sections,
    free_inputs,
    new_label,
)
from nodeforge.lint import lint
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from nodeforge.spec.widget import NumberWidget
from support.graphs import text_to_image

CATALOGUE = Catalogue.shipped()
WORKFLOWS = sorted(shipped("workflows").rglob("*.json"))


@pytest.fixture
def document() -> Document:
    form = {
        "schedule.steps": {"label": "Steps", "section": "Speed", "order": 1, "maximum": 50},
        "prompt.text": {"order": 0},
        "negative.text": {"order": 2},
        "gone.away": {"order": 3},
    }
    made = Document(text_to_image(), form=form)
    made.node("prompt").title, made.node("negative").title = "Prompt", "Negative prompt"
    return made


def labels(document: Document) -> list[str]:
    return [entry.label for entry in form_entries(document, CATALOGUE)]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_every_shipped_workflow_has_a_form_of_inputs_with_labels_of_their_own(file):
    entries = form_entries(load(file), CATALOGUE)
    told = [entry.label for entry in entries]
    assert len(set(told)) == len(told) >= 3
    for entry in entries:
        assert entry.port is not None
        assert entry.port.widget is not None
        assert "=" not in entry.label


def test_entries_come_section_by_section_with_ranges_of_their_own(document):
    assert [*form_sections(document.form)] == ["", "Speed"]
    entries = {entry.key: entry for entry in form_entries(document, CATALOGUE)}
    assert [*entries] == ["prompt.text", "negative.text", "gone.away", "schedule.steps"]
    widget = entries["schedule.steps"].port.widget
    assert isinstance(widget, NumberWidget)
    assert (widget.minimum, widget.maximum) == (1, 50)
    assert entries["gone.away"].port is None


def test_inputs_of_one_name_are_told_apart_by_their_nodes(document):
    assert labels(document) == ["Prompt · text", "Negative prompt · text", "gone.away", "Steps"]


def test_an_input_is_found_by_its_label_after_its_port(document):
    assert find_input(document, CATALOGUE, "Steps").path == "schedule"
    assert find_input(document, CATALOGUE, "steps").port.widget.maximum == 50
    whole = find_input(document, CATALOGUE, "schedule.steps").port.widget
    assert whole.maximum > 50
    with pytest.raises(AssignmentError, match="Did you mean 'Steps'"):
        find_input(document, CATALOGUE, "Stepps")
    document.form["guidance.scale"] = {"label": "STEPS"}
    assert find_input(document, CATALOGUE, "Steps").path == "schedule"
    with pytest.raises(AssignmentError, match="2 entries of the form are called 'sTeps'"):
        find_input(document, CATALOGUE, "sTeps")


def test_what_comes_onto_the_form_has_a_label_and_a_place(document):
    before = dict(document.form)
    label = new_label(document, CATALOGUE, "guidance", "scale")
    document.perform(AddToForm("guidance", "scale", label, before="schedule.steps"))
    assert document.form["guidance.scale"] == {"label": "Scale", "section": "Speed", "order": 1}
    assert form_sections(document.form)["Speed"] == ["guidance.scale", "schedule.steps"]
    with pytest.raises(RequestError, match="on the form already"):
        document.perform(AddToForm("guidance", "scale", "Again"))
    document.undo()
    assert document.form == before


def test_labels_that_are_made_are_new(document):
    document.perform(SetForm({}))
    assert new_label(document, CATALOGUE, "prompt", "text") == "Prompt"
    for path in ("noise", "guidance", "schedule"):
        document.form[f"{path}.x"] = {"label": ["Seed", "Noise seed", "Noise seed 2"][0]}
    document.form["noise.x"] = {"label": "Seed"}
    document.form["guidance.x"] = {"label": "Noise seed"}
    assert new_label(document, CATALOGUE, "noise", "seed") == "Noise seed 2"


def test_what_a_link_or_a_subgraph_sets_is_not_added(document):
    with pytest.raises(RequestError, match="gets its value from elsewhere"):
        document.perform(AddToForm("denoise", "model", "Model"))
    document.perform(Collapse(["schedule", "guidance"], "Draw"))
    document.perform(Expose("draw/guidance", "scale"))
    with pytest.raises(RequestError, match="gets its value from elsewhere"):
        document.perform(AddToForm("draw/guidance", "scale", "Guidance"))
    document.perform(AddToForm("draw", "scale", "Guidance"))
    assert "Guidance" in labels(document)


def test_entries_follow_their_nodes_and_go_with_them(document):
    document.perform(Collapse(["schedule", "guidance"], "Draw"))
    assert "draw/schedule.steps" in document.form
    document.perform(RemoveNodes(["draw"]))
    assert all("steps" not in key for key in document.form)
    document.undo()
    document.undo()
    assert "schedule.steps" in document.form


def test_entries_move_into_the_section_of_what_they_come_before(document):
    document.perform(MoveOnForm("prompt.text", before="schedule.steps"))
    assert form_sections(document.form)["Speed"] == ["prompt.text", "schedule.steps"]
    document.perform(MoveOnForm("schedule.steps"))
    assert [*form_sections(document.form)][-1] == ""
    assert form_sections(document.form)[""][-1] == "schedule.steps"
    document.perform(RemoveFromForm("schedule", "steps"))
    assert "schedule.steps" not in document.form


def test_what_can_be_added_is_neither_linked_nor_there(document):
    free = {path: ports for path, _, ports in free_inputs(document, CATALOGUE, document.form)}
    assert "steps" not in free["schedule"]
    assert "strength" in free["schedule"]
    assert "model" not in free.get("denoise", ())


def test_a_copy_beside_its_original_is_not_on_the_form(document):
    fragment = extract(document, ["schedule"])
    document.perform(Paste(fragment))
    assert [key for key in document.form if key.startswith("schedule")] == ["schedule.steps"]
    other = Document()
    other.perform(Paste(fragment))
    assert other.form["schedule.steps"]["label"] == "Steps"


NAMES = st.sampled_from(["port", "label", "help", "minimum", "maximum", "title", "entries", "x"])
PORTS = st.sampled_from(["schedule.steps", "prompt.text", "gone.x", "denoise.model", "a", "..", 3])
ENTRIES = st.fixed_dictionaries(
    {"port": PORTS},
    optional={
        "label": st.sampled_from(["Steps", "", "a=b", "Prompt"]) | st.integers(),
        "minimum": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        "maximum": st.integers() | st.text(max_size=3),
    },
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
FORMS = st.lists(
    st.fixed_dictionaries({"entries": st.lists(ENTRIES, max_size=4)}, optional={"title": JSON})
    | JSON,
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(FORMS | JSON)
def test_any_form_is_read_or_refused_by_its_place(raw):
    try:
        form = form_from_json(raw)
    except WrongShapeError:
        return
    document = Document(text_to_image(), form=form)
    entries = form_entries(document, CATALOGUE)
    assert {entry.key for entry in entries} == set(form)
    assert form_from_json(form_to_json(form)).keys() == form.keys()
    assert [p for p in lint(document, CATALOGUE) if p.code == "NF119"] or all(
        entry.port is not None for entry in entries
    )
    for entry in entries:
        with contextlib.suppress(RequestError):
            find_entry(document, CATALOGUE, entry.label)
    for path, _, ports in free_inputs(document, CATALOGUE, document.form):
        document.perform(AddToForm(path, ports[0], new_label(document, CATALOGUE, path, ports[0])))
    assert form_from_json(form_to_json(document.form)).keys() == document.form.keys()
