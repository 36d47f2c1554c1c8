import contextlib
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.errors import RequestError
from nodeforge.formats import (
    FORMAT,
    DuplicateKeyError,
    NewerFormatError,
    NotJsonError,
    TooLargeError,
    TruncatedError,
    WorkflowError,
    WrongShapeError,
    document_from_json,
    document_to_json,
    graph_from_json,
    graph_to_json,
    json_text,
    load,
    read,
    save,
    write,
)
from nodeforge.formats.migrations import STEPS, migrate
from nodeforge.graph.document import Document, View
from nodeforge.graph.edits import Move
from nodeforge.graph.model import Graph, Input, Mode, Node, Output, Subgraph
from support.graphs import documents, text_to_image
from support.timing import best

DATA = Path(__file__).parent / "data"
SAVED = DATA / "format_3.json"

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_a_saved_file_of_today_s_format_comes_back_byte_for_byte():
    assert write(load(SAVED)).decode() == SAVED.read_text("utf-8")


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_a_saved_file_of_every_past_format_says_the_same(number):
    document = load(DATA / f"format_{number}.json")
    group = document.node("group")
    assert isinstance(group, Subgraph)
    assert group.inputs["source"] == [Input("upside_down", "image"), Input("beside", "images", 0)]
    assert group.outputs == {"picture": Output("beside", "image")}
    assert group.extra == {"later": "kept"}
    assert document.node("group/upside_down").pin
    assert document.node("invert").mode is Mode.BYPASS
    assert document.node("load").title == "Fox 🦊"
    assert document.view.positions["group"] == [120, 80.5]
    assert document.view.extra == {"later": 3}
    assert document.extra == {"later": {"kept": True}}
    assert document.graph.links[Input("grid", "images", 1)] == Output("group", "picture")
    assert document.node("note").type == "graph.note"
    assert write(document) == SAVED.read_bytes()


def test_one_link_is_one_line():
    lines = write(Document(text_to_image())).decode().splitlines()
    assert '    "denoise.model": "model.model",' in lines


def test_a_moved_node_changes_one_line():
    document = Document(text_to_image(), view=View(positions={"save": [0, 0], "model": [1, 1]}))
    before = write(document).splitlines()
    document.perform(Move({"save": (5.5, 1)}))
    after = write(document).splitlines()
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


@settings(max_examples=50, deadline=None)
@given(documents(), st.dictionaries(st.text(min_size=1, max_size=4), VALUES, max_size=2))
def test_what_is_written_is_read_again(document, values):
    document.extra |= {f"x{key}": value for key, value in values.items()}
    for node in document.graph.nodes.values():
        node.values |= values
    content = write(document)
    again = read(content)
    assert again == document
    assert write(again) == content


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(documents(), st.dictionaries(st.text(min_size=1, max_size=4), VALUES, max_size=3))
def test_what_is_written_is_read_again_at_length(document, values):
    test_what_is_written_is_read_again.hypothesis.inner_test(document, values)


def test_a_graph_goes_through_json_values():
    whole = load(SAVED).graph
    assert graph_from_json(json.loads(json.dumps(graph_to_json(whole)))) == whole


def test_a_byte_order_mark_is_skipped():
    assert read(b"\xef\xbb\xbf" + SAVED.read_bytes()) == load(SAVED)


def test_what_is_not_json_is_named_with_line_and_column():
    with pytest.raises(NotJsonError) as caught:
        read(b'{"format": 1,\n  oops}', "w.json")
    assert (caught.value.line, caught.value.column) == (2, 3)
    assert str(caught.value).startswith("w.json, line 2, column 3: is not JSON: ")


@pytest.mark.parametrize("keep", [0, 1, 10, 30, 100, 500, 1500])
def test_a_truncated_file_is_called_so(keep):
    with pytest.raises(TruncatedError, match="ends too early"):
        read(SAVED.read_bytes()[:keep], "w.json")


def test_a_file_cut_anywhere_is_refused_in_our_words():
    content = SAVED.read_bytes()
    for end in range(len(content.rstrip())):
        with pytest.raises(TruncatedError):
            read(content[:end])


def test_bytes_that_are_no_text_are_named():
    with pytest.raises(NotJsonError, match="not text in UTF-8"):
        read(b'{"format": 1,\n "app": "\xff\xfe"}')


def test_a_newer_format_is_named_with_the_way_out():
    with pytest.raises(NewerFormatError) as caught:
        read(b'{"format": 7, "nodes": "anything"}', "workflow.json")
    assert str(caught.value) == (
        "workflow.json: made with format 7; this version reads up to 3.\n    Update NodeForge."
    )
    assert caught.value.made_with == 7


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(DuplicateKeyError, match="'save' stands twice"):
        read(b'{"format": 1, "nodes": {"save": {"type": "a.b"}, "save": {"type": "a.c"}}}')


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(number):
    with pytest.raises(WrongShapeError, match="number"):
        read(f'{{"format": 1, "nodes": {{"a": {{"type": "a.b", "values": {{"x": {number}}}}}}}}}')


def test_half_a_character_is_refused():
    with pytest.raises(WrongShapeError, match="half of a character"):
        read(rb'{"format": 1, "app": "\ud83e"}')


def test_a_whole_character_written_in_two_halves_is_read():
    assert read(rb'{"format": 1, "app": "\ud83e\udd8a"}').app == "🦊"


def node(**fields) -> dict:
    return {"nodes": {"a": {"type": "a.b", **fields}}}


def group(**fields) -> dict:
    return {"nodes": {"g": {"type": "subgraph", "nodes": {"a": {"type": "a.b"}}, **fields}}}


_VERSION = "nodes.a.version"
BAD = {
    "a list": ([], ""),
    "text": ("workflow", ""),
    "no format": ({"nodes": {}}, "format"),
    "a format that is text": ({"format": "1"}, "format"),
    "format zero": ({"format": 0}, "format"),
    "an app that is a number": ({"app": 1}, "app"),
    "nodes in a list": ({"nodes": []}, "nodes"),
    "nodes that are null": ({"nodes": None}, "nodes"),
    "links in a list": ({"links": []}, "links"),
    "an id with a capital": ({"nodes": {"Save": {"type": "a.b"}}}, "nodes"),
    "an id with a slash": ({"nodes": {"a/b": {"type": "a.b"}}}, "nodes"),
    "an empty id": ({"nodes": {"": {"type": "a.b"}}}, "nodes"),
    "a node that is text": ({"nodes": {"a": "a.b"}}, "nodes.a"),
    "a node without a type": ({"nodes": {"a": {}}}, "nodes.a"),
    "a type that is a number": ({"nodes": {"a": {"type": 1}}}, "nodes.a"),
    "values in a list": (node(values=[]), "nodes.a.values"),
    "values that are null": (node(values=None), "nodes.a.values"),
    "a title that is a number": (node(title=1), "nodes.a.title"),
    "a mode we do not know": (node(mode="sleep"), "nodes.a.mode"),
    "a mode that is a list": (node(mode=[]), "nodes.a.mode"),
    "a pin that is a number": (node(pin=1), "nodes.a.pin"),
    "a link to no port": ({"links": {"a": "b.c"}}, "links"),
    "a link with a negative place": ({"links": {"a.b[-1]": "b.c"}}, "links"),
    "a link with a place with zeros": ({"links": {"a.b[01]": "b.c"}}, "links"),
    "a link with a huge place": ({"links": {"a.b[10000]": "b.c"}}, "links"),
    "a link from no port": ({"links": {"a.b": "c"}}, "links.a.b"),
    "a link from a place": ({"links": {"a.b": "c.d[0]"}}, "links.a.b"),
    "a link from a list": ({"links": {"a.b": ["c", "d"]}}, "links.a.b"),
    "a link into a subgraph": ({"links": {"g/a.b": "c.d"}}, "links"),
    "inputs in a list": (group(inputs=[]), "nodes.g.inputs"),
    "an input that is text": (group(inputs={"x": "a.b"}), "nodes.g.inputs.x"),
    "an input for a number": (group(inputs={"x": [1]}), "nodes.g.inputs.x"),
    "an input with a space": (group(inputs={"x y": []}), "nodes.g.inputs"),
    "outputs in a list": (group(outputs=[]), "nodes.g.outputs"),
    "an output that is a list": (group(outputs={"x": ["a.b"]}), "nodes.g.outputs.x"),
    "an output with a point": (group(outputs={"x.y": "a.b"}), "nodes.g.outputs"),
    "a bad node in a subgraph": (group(nodes={"a": 1}), "nodes.g.nodes.a"),
    "a bad link in a subgraph": (group(links={"a.b": 1}), "nodes.g.links.a.b"),
    "a form that is no list": ({"form": {}}, "form"),
    "a section that is a text": ({"form": ["Settings"]}, "form[0]"),
    "a section's title that is a number": (
        {"form": [{"title": 1, "entries": []}]},
        "form[0].title",
    ),
    "an entry without a port": (
        {"form": [{"entries": [{"label": "a"}]}]},
        "form[0].entries[0].port",
    ),
    "a label that is a number": (
        {"form": [{"entries": [{"port": "a.b", "label": 1}]}]},
        "form[0].entries[0].label",
    ),
    "a view in a list": ({"view": []}, "view"),
    "assets in a list": ({"assets": []}, "assets"),
    "a lock that is text": ({"lock": "x"}, "lock"),
    "a version that is true": ({"nodes": {"a": {"type": "a.b", "version": True}}}, _VERSION),
    "a version that is text": ({"nodes": {"a": {"type": "a.b", "version": "2"}}}, _VERSION),
    "a version of a half": ({"nodes": {"a": {"type": "a.b", "version": 1.5}}}, _VERSION),
    "version 0": ({"nodes": {"a": {"type": "a.b", "version": 0}}}, _VERSION),
    "a version below 0": ({"nodes": {"a": {"type": "a.b", "version": -3}}}, _VERSION),
    "a huge version": ({"nodes": {"a": {"type": "a.b", "version": 10**12}}}, _VERSION),
    "positions in a list": ({"view": {"positions": []}}, "view.positions"),
    "a position with one number": ({"view": {"positions": {"a": [1]}}}, "view.positions.a"),
    "a position with text": ({"view": {"positions": {"a": [1, "2"]}}}, "view.positions.a"),
    "a position that is true": ({"view": {"positions": {"a": [1, True]}}}, "view.positions.a"),
    "notes in a list": ({"view": {"notes": []}}, "view.notes"),
}


def bad_file(raw):
    is_bare = not isinstance(raw, dict) or raw == BAD["no format"][0]
    return raw if is_bare else {"format": FORMAT, **raw}


@pytest.mark.parametrize(("raw", "place"), BAD.values(), ids=BAD.keys())
def test_a_wrong_shape_names_its_place(raw, place):
    with pytest.raises(WrongShapeError) as caught:
        read(json.dumps(bad_file(raw)), "w.json")
    assert caught.value.place == (f"w.json, {place}" if place else "w.json")


@pytest.mark.parametrize(("raw", "place"), BAD.values(), ids=BAD.keys())
def test_the_published_schema_refuses_what_the_reader_refuses(raw, place, validator):
    assert not validator.is_valid(bad_file(raw))


def test_too_much_of_anything_is_refused(monkeypatch):
    deep = b'{"format": 1, "x": ' + b"[" * 300 + b"]" * 300 + b"}"
    with pytest.raises(TooLargeError, match="nested deeper"):
        read(deep)
    with pytest.raises(TooLargeError, match="nested deeper"):
        read(b'{"format": 1, "x": ' + b"[" * 100_000)
    with pytest.raises(TooLargeError, match="too many digits"):
        read(b'{"format": 1, "x": ' + b"9" * 5000 + b"}")
    with pytest.raises(TooLargeError, match="larger than 8 MiB"):
        read(b" " * (json_text.MAX_BYTES + 1))
    nodes = {f"n{i}": {"type": "a.b"} for i in range(20_001)}
    with pytest.raises(TooLargeError, match="more than 20,000 nodes"):
        graph_from_json({"nodes": nodes})
    box: dict = {"type": "subgraph"}
    for _ in range(150):
        box = {"type": "subgraph", "nodes": {"b": box}}
    with pytest.raises(TooLargeError, match="subgraphs nested"):
        graph_from_json({"nodes": {"b": box}})


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_any_json_is_read_or_refused_in_our_words(value):
    for raw in (value, {"format": 1, "nodes": value}, {"format": 1, "view": value}):
        with contextlib.suppress(WorkflowError):
            document_from_json(raw)


def test_saving_writes_whole_files(tmp_path):
    file = tmp_path / "w.json"
    save(Document(text_to_image()), file)
    assert load(file).graph == text_to_image()
    save(Document(), file)
    assert load(file) == Document()
    assert [file.name for file in tmp_path.iterdir()] == ["w.json"]


def test_saving_keeps_the_files_permissions(tmp_path):
    file = tmp_path / "w.json"
    save(Document(), file)
    file.chmod(0o600)
    save(Document(), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_saved_leaves_the_old_one(tmp_path):
    with pytest.raises(RequestError, match="cannot be saved"):
        save(Document(), tmp_path / "no" / "w.json")
    folder = tmp_path / "w.json"
    folder.mkdir()
    (folder / "inside").touch()
    with pytest.raises(RequestError, match="cannot be saved"):
        save(Document(), folder)
    assert [file.name for file in tmp_path.iterdir()] == ["w.json"]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RequestError, match="cannot be read: No such file"):
        load(tmp_path / "none.json")


def test_half_a_character_typed_by_someone_is_saved_as_a_question_mark():
    document = Document(Graph({"a": Node("a.b", title="\ud83e")}))
    assert read(write(document)).node("a").title == "?"


def test_there_is_a_step_for_every_format_but_the_first():
    assert list(STEPS) == list(range(2, FORMAT + 1))


def test_older_files_are_brought_up_to_date_step_by_step():
    steps = {
        2: lambda raw: {**raw, "boxes": raw["nodes"]},
        3: lambda raw: {key: value for key, value in raw.items() if key != "nodes"},
    }
    old = {"format": 1, "nodes": {"a": 1}}
    assert migrate(old, 1, steps, newest=3) == {"format": 3, "boxes": {"a": 1}}
    assert migrate({"format": 2, "nodes": 0}, 2, steps, newest=3) == {"format": 3}
    assert old == {"format": 1, "nodes": {"a": 1}}


def test_10_000_nodes_are_read_in_a_few_times_what_the_json_takes():
    whole = Graph({f"n_{i}": Node("values.sum", {"b": i}) for i in range(10_000)})
    for i in range(1, 10_000):
        whole.links[Input(f"n_{i}", "a")] = Output(f"n_{i - 1}", "value")
    content = write(Document(whole))
    assert best(lambda: read(content)) < 15 * best(lambda: json.loads(content))  # 5 when idle


def test_document_to_json_and_back():
    document = load(SAVED)
    assert document_from_json(document_to_json(document)) == document


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o027, 0o640)])
def test_a_new_file_has_the_rights_that_the_person_gives(tmp_path, mask, mode):
    """reliability F20."""
    before = os.umask(mask)
    try:
        save(Document(), tmp_path / "new.json")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.json").stat().st_mode) == mode
    (tmp_path / "new.json").chmod(0o664)
    save(Document(), tmp_path / "new.json")
    assert stat.S_IMODE((tmp_path / "new.json").stat().st_mode) == 0o664
