"""Whatever JSON a file holds, it becomes a document or a clear error."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nodeforge.errors import RequestError
from nodeforge.formats import TooLargeError, document_to_json, json_text, read, write
from nodeforge.formats.comfyui import (
    Imported,
    NotComfyUIError,
    convert,
    from_json,
    read_file,
    read_text,
)
from nodeforge.formats.comfyui.table import ROWS
from nodeforge.graph.model import Input, Mode, Output
from nodeforge.lint import lint
from nodeforge.spec import Catalogue
from support.comfyui import text_to_image
from support.problems import serious

CATALOGUE = Catalogue.shipped()

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
anything = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)
kinds = st.sampled_from([*ROWS, "Note", "Unknown|Kind"])
link = st.tuples(st.sampled_from("12345"), st.integers(-1, 3)).map(list)


@st.composite
def api_files(draw: st.DrawFn) -> dict[str, Any]:
    """Nodes of classes of the table, with inputs of its names that hold anything."""
    made = {}
    for name in draw(st.lists(st.sampled_from("12345"), unique=True, min_size=1)):
        kind = draw(kinds)
        widgets = ROWS[kind].widgets if kind in ROWS else ()
        ports = st.sampled_from([*widgets, "model", "samples", "image", "mask", "sigmas"])
        inputs = draw(st.dictionaries(ports, link | anything, max_size=6))
        made[name] = {"class_type": kind, "inputs": inputs}
    return made


@st.composite
def ui_files(draw: st.DrawFn) -> dict[str, Any]:
    """Nodes and links of that form, with anything where something should stand."""
    node = st.fixed_dictionaries(
        {"id": st.integers(1, 4), "type": kinds},
        optional={
            "pos": anything,
            "size": anything,
            "mode": anything | st.sampled_from([2, 4]),
            "widgets_values": anything,
            "inputs": st.lists(
                st.fixed_dictionaries(
                    {"name": st.sampled_from(["model", "image", "", "samples"])},
                    optional={"link": st.integers(1, 4) | anything, "widget": anything},
                )
                | anything,
                max_size=3,
            ),
            "outputs": anything,
            "title": anything,
        },
    )
    number = st.integers(1, 4)
    links = st.lists(
        st.tuples(number, number, st.integers(-1, 2), number, number).map(list) | anything,
        max_size=5,
    )
    more = {"groups": anything, "definitions": anything, "links": links | anything}
    nodes = st.lists(node | anything, min_size=1, max_size=4)
    return draw(st.fixed_dictionaries({"nodes": nodes}, optional=more))


def check(raw: Any) -> None:
    text = json.dumps(raw)
    try:
        made = convert(read_text(text), CATALOGUE)
    except RequestError as error:
        refused = error
    else:
        check_document(text, made)
        return
    assert refused.fact


def check_document(text: str, made: Imported) -> None:
    again = read(write(made.document))
    assert document_to_json(again) == document_to_json(made.document)
    assert "\n".join(made.report.lines())
    json.dumps(made.report.to_json())
    assert write(convert(read_text(text), CATALOGUE).document) == write(made.document)


@settings(deadline=None)
@given(anything)
def test_any_json_is_refused_or_read(raw: Any):
    check(raw)


@settings(max_examples=100, deadline=None)
@given(api_files())
@example({"1": {"class_type": "Reroute", "inputs": {"": ["1", 0]}}})
def test_any_file_of_the_api_form_is_read(raw: Any):
    check(raw)


@settings(max_examples=100, deadline=None)
@given(ui_files())
def test_any_file_of_the_windows_form_is_read(raw: Any):
    check(raw)


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_any_bytes_are_refused_or_read(text: bytes | str):
    with contextlib.suppress(RequestError):
        read_text(text)


def test_numbers_that_are_none_are_read():
    text = (
        '{"1": {"class_type": "PreviewImage", "inputs": {"a": NaN, "b": 1e999, "c": [-Infinity]}}}'
    )
    assert read_text(text).nodes["1"].values == {"a": None, "b": None, "c": [None]}


def test_half_a_character_is_read():
    text = '{"1": {"class_type": "CLIPTextEncode", "inputs": {"text": "a \\ud83d"}}}'
    assert read_text(text).nodes["1"].values == {"text": "a ?"}


def test_what_is_sent_to_comfyuis_server_is_read_too():
    workflow = text_to_image()
    assert (
        from_json({"prompt": workflow.api(), "client_id": "x"}).nodes
        == from_json(workflow.api()).nodes
    )


def test_a_workflow_of_ours_is_told_apart():
    with pytest.raises(NotComfyUIError, match="workflow of NodeForge"):
        from_json({"format": 1, "nodes": {}})


def test_a_file_of_thousands_of_nodes_is_read_in_time():
    workflow = text_to_image()
    for _ in range(3000):
        workflow.add("PreviewImage", images=(6, 0), place=(0.0, 0.0))
    assert len(convert(from_json(workflow.ui()), CATALOGUE).document.graph.nodes) > 3000


def test_a_file_as_the_window_saves_it_is_read_whole():
    text = (Path(__file__).parent / "data" / "comfyui_window.json").read_bytes()
    made = convert(read_text(text), CATALOGUE)
    nodes, links = made.document.graph.nodes, made.document.graph.links
    assert nodes["encode"].title == "CLIP Text Encode (Positive Prompt)"
    assert nodes["noise"].values == {"width": 256, "height": 256, "batch": 1}
    assert links[Input("noise", "seed")] == Output("seed", "value")
    assert made.document.view.seeds == {"seed.value": "increment"}
    assert nodes["schedule"].values == {"name": "karras", "steps": 20}
    assert links[Input("save", "image")] == Output("reroute", "value")
    view = made.document.view
    assert (view.colours, view.collapsed) == ({"encode": "#223322"}, {"encode_2": True})
    other = nodes["sampler_another"]
    assert (other.type, other.mode) == ("comfyui.Sampler //Another", Mode.MUTE)
    assert other.values == {
        "seed": 11,
        "control_after_generate": "fixed",
        "strength": 0.5,
        "value_3": "left over",
    }
    assert made.report.missing == []  # it is muted
    assert serious(lint(made.document, CATALOGUE)) == []


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "large.json"
    file.write_text(json.dumps(text_to_image().ui()), "utf-8")
    monkeypatch.setattr(json_text, "MAX_FOREIGN_BYTES", 100)
    with pytest.raises(TooLargeError, match="is larger than"):
        read_file(file)
