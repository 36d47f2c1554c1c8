"""Values that stand in files and folders, in real runs: what may be read, and what counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nodeforge.engine import events
from nodeforge.engine.content.files import Files, MissingFileError
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph
from nodeforge.graph.planned import survey
from nodeforge.media import VideoFormat, write_video
from nodeforge.settings import Settings
from nodeforge.spec import FileWidget, PortSpec
from support.counting import Bench, graph, open_bench

Nodes = dict[str, tuple[str, dict[str, Any]]]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return open_bench(tmp_path, packs=("values", "lists", "graph", "text"))


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    made = tmp_path / "inputs"
    (made / "pictures" / "more").mkdir(parents=True)
    for number in (10, 2, 1):
        Image.new("RGB", (number, 3)).save(made / "pictures" / f"p{number}.png")
    Image.new("RGB", (5, 5)).save(made / "pictures" / "more" / "q.jpg")
    (made / "pictures" / "notes.txt").write_text("no picture")
    (made / "lines.txt").write_bytes("\ufeffone\r\n\r\n two \r\nthree\r\n".encode())
    return made


def joined(nodes: Nodes, links: dict[str, str], feed: str) -> Graph:
    nodes = {**nodes, "collect": ("lists.collect", {}), "join": ("test.join", {})}
    return graph(nodes, {**links, "collect.value": feed, "join.parts[0]": "collect.values"})


def failure(bench: Bench, made: Graph, **options: Any) -> str:
    assert bench.run(made, "join", **options) == {}
    (failed,) = bench.told(events.Failed)
    return str(failed.error)


def test_lines_of_a_file(bench: Bench, inputs: Path):
    """numbers and lists 2."""
    for values, expected in (
        ({}, "one-two-three"),
        ({"start": 1}, "two-three"),
        ({"start": 1, "most": 1}, "two"),
    ):
        made = joined({"f": ("lists.lines", {"file": "lines.txt", **values})}, {}, "f.text")
        assert bench.run(made, "join") == {"join": {"text": expected}}


PROMPTS = {
    "lines": ("a fox\n# none\n\na cat", ["a fox", "a cat"], ["", ""]),
    "blocks": (
        "a fox\nin the snow\n---\na cat\nNegative prompt: blurry,\ndark\n-----\n\n---\n",
        ["a fox\nin the snow", "a cat"],
        ["", "blurry,\ndark"],
    ),
    "lines of A1111": (
        '--prompt "a fox" --negative_prompt "a, b"\na cat\n--negative_prompt x --prompt a dog\n',
        ["a fox", "a cat", "a dog"],
        ["a, b", "", "x"],
    ),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_prompts_from_a_file(bench: Bench, inputs: Path, name: str):
    text, positive, negative = PROMPTS[name]
    (inputs / "prompts.txt").write_text(text)
    for port, expected in (("prompt", positive), ("negative", negative)):
        made = joined({"f": ("lists.prompts", {"file": "prompts.txt"})}, {}, f"f.{port}")
        assert bench.run(made, "join")["join"]["text"] == "-".join(expected)


def test_pictures_of_a_folder_come_in_natural_order(bench: Bench, inputs: Path):
    for values, expected in (
        ({}, "p1-p2-p10"),
        ({"most": 2}, "p1-p2"),
        ({"start": 1, "pattern": "p?.png; *.jpg"}, "p2"),
        ({"subfolders": True}, "more/q-p1-p2-p10"),
    ):
        nodes: Nodes = {"f": ("lists.pictures", {"folder": "pictures", **values})}
        assert bench.run(joined(nodes, {}, "f.name"), "join")["join"]["text"] == expected


def test_files_of_a_folder_are_read_one_by_one(bench: Bench, inputs: Path):
    nodes: Nodes = {
        "f": ("lists.pictures", {"folder": "pictures", "most": 2}),
        "size": ("values.picture_size", {}),
        "text": ("text.format", {"template": "{1}x{2}"}),
    }
    links = {"size.file": "f.file", "text.values[0]": "size.width", "text.values[1]": "size.height"}
    assert bench.run(joined(nodes, links, "text.value"), "join")["join"]["text"] == "1x3-2x3"


def test_the_size_of_a_picture_is_as_it_stands_upright(bench: Bench, inputs: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(inputs / "turned.jpg", exif=exif)
    made = graph({"size": ("values.picture_size", {"file": "turned.jpg"})}, {})
    assert bench.run(made, "size") == {"size": {"width": 20, "height": 40}}


def test_what_a_video_is_is_known_before_a_run(bench: Bench, inputs: Path):
    """A size, a number of frames and a switch hang on it."""
    frames = np.zeros((12, 24, 40, 3), np.uint8)
    write_video(inputs / "clip.mp4", frames, 8.0, VideoFormat.MP4)
    nodes: Nodes = {
        "facts": ("values.video_facts", {"file": "clip.mp4"}),
        "text": ("text.format", {"template": "{1}x{2} {3} {4:.2f} {5:.1f}"}),
    }
    outputs = ("width", "height", "frames", "rate", "seconds")
    links = {f"text.values[{at}]": f"facts.{port}" for at, port in enumerate(outputs)}
    told = bench.run(joined(nodes, links, "text.value"), "join")["join"]["text"]
    assert told == "40x24 12 8.00 1.5"
    bench.run(graph({"facts": ("values.video_facts", {"file": "clip.mp4"})}, {}), "facts")
    nodes = {
        "facts": ("values.video_facts", {"file": "clip.mp4"}),
        "switch": ("graph.switch", {}),
        "silent": ("test.text", {"text": "silent"}),
        "loud": ("test.text", {"text": "loud"}),
        "grow": ("test.grow", {}),
    }
    links = {
        "switch.choice": "facts.sound",
        "switch.choices[0]": "silent.text",
        "switch.choices[1]": "loud.text",
        "grow.text": "switch.value",
    }
    assert bench.run(graph(nodes, links), "grow") == {"grow": {"text": "silent0."}}


def test_a_broken_video_is_refused_before_the_run(bench: Bench, inputs: Path):
    path = inputs / "clip.mp4"
    write_video(path, np.zeros((12, 24, 40, 3), np.uint8), 8.0, VideoFormat.MP4)
    path.write_bytes(path.read_bytes()[:600])
    made = joined({"f": ("values.video_facts", {"file": "clip.mp4"})}, {}, "f.frames")
    told = failure(bench, made)
    assert "clip.mp4" in told
    assert "Error" not in told


def test_a_folder_that_the_person_chose_is_granted_with_what_is_in_it(bench: Bench, tmp_path: Path):
    """files and folders."""
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    Image.new("RGB", (4, 6)).save(outside / "a.png")
    nodes: Nodes = {
        "f": ("lists.pictures", {"folder": str(outside)}),
        "read": ("test.read", {}),
        "size": ("values.picture_size", {}),
        "text": ("text.format", {"template": "{1}"}),
    }
    links = {"size.file": "f.file", "text.values[0]": "size.height"}
    made = joined(nodes, links, "text.value")
    assert "lies outside the folder for pictures" in failure(bench, made)
    assert bench.run(made, "join", granted=[str(outside)])["join"]["text"] == "6"


@pytest.mark.parametrize("kind", ["image", "text", "folder", "wildcards"])
def test_no_workflow_reaches_outside(tmp_path: Path, kind: str):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.txt").write_text("x")
    given = tmp_path / "given"
    given.mkdir()
    (given / "link").symlink_to(tmp_path / "secret")
    (given / "link.txt").symlink_to(tmp_path / "secret" / "a.txt")
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "link").symlink_to(tmp_path / "secret")
    files = Files(Settings(home=tmp_path), granted=[str(given)])
    port = PortSpec("file", "path", widget=FileWidget(kind))
    for name in (
        *("../secret", "../secret/a.txt", str(tmp_path / "secret"), "/etc/passwd", "link"),
        *(f"{given}/../secret/a.txt", f"{given}/link", f"{given}/link/a.txt", f"{given}/link.txt"),
        *("C:\\Windows", "..\\secret", "~", "a\0b", "x" * 300),
    ):
        with pytest.raises(MissingFileError):
            files.resolve(port, name)


def test_wildcards_are_those_of_the_home_folder(bench: Bench, tmp_path: Path):
    (tmp_path / "wildcards").mkdir()
    (tmp_path / "wildcards" / "colour.txt").write_text("red\n")
    nodes: Nodes = {
        "words": ("text.wildcards", {"text": "a __colour__ {fox|fox}"}),
        "grow": ("test.grow", {}),
    }
    made = graph(nodes, {"grow.text": "words.value"})
    assert bench.run(made, "grow") == {"grow": {"text": "a red fox."}}
    (tmp_path / "wildcards" / "other.txt").write_text("red\n")
    bench.run(made, "grow")
    assert bench.calls == {}  # the text is the same
    (tmp_path / "wildcards" / "colour.txt").write_text("blue\n")
    assert bench.run(made, "grow") == {"grow": {"text": "a blue fox."}}


def test_wildcards_in_a_text_that_only_a_run_knows_count_with_their_files(
    bench: Bench, tmp_path: Path
):
    (tmp_path / "wildcards").mkdir()
    file = tmp_path / "wildcards" / "colour.txt"
    nodes: Nodes = {
        "text": ("test.strip", {"text": "__colour__ "}),
        "words": ("text.wildcards", {}),
        "grow": ("test.grow", {}),
    }
    made = graph(nodes, {"words.text": "text.text", "grow.text": "words.value"})
    for colour in ("red", "blue"):
        file.write_text(colour)
        assert bench.run(made, "grow") == {"grow": {"text": f"{colour}."}}


def test_all_combinations_fan_out(bench: Bench):
    nodes: Nodes = {"all": ("lists.combinations", {"text": "{a|b} {c|d}"})}
    made = joined(nodes, {}, "all.text")
    assert bench.run(made, "join")["join"]["text"] == "a c-a d-b c-b d"


def test_a_list_of_seeds_draws_for_each(bench: Bench):
    nodes: Nodes = {
        "seeds": ("lists.seeds", {"seed": 0, "count": 30}),
        "words": ("text.wildcards", {"text": "{a|b}"}),
    }
    texts = bench.run(joined(nodes, {"words.seed": "seeds.seed"}, "words.value"), "join")
    assert {*texts["join"]["text"].split("-")} == {"a", "b"}


def test_nodes_that_work_on_lists_take_whole_ones(bench: Bench):
    """numbers and lists 2: item, length, slice, repeat, shuffle."""
    texts: Nodes = {"texts": ("lists.texts", {"lines": "a\nb\nc"})}
    made = graph(
        {**texts, "n": ("lists.item", {"index": -1}), "grow": ("test.grow", {})},
        {"n.values[0]": "texts.text", "grow.text": "n.value"},
    )
    assert bench.run(made, "grow") == {"grow": {"text": "c."}}
    made = graph(
        {**texts, "n": ("lists.length", {}), "text": ("test.text", {"text": ""})},
        {"n.values[0]": "texts.text", "text.seed": "n.length"},
    )
    assert bench.run(made, "text") == {"text": {"text": "3"}}
    links = {"n.values[0]": "texts.text"}
    made = joined({**texts, "n": ("lists.slice", {"start": 1})}, links, "n.value")
    assert bench.run(made, "join")["join"]["text"] == "b-c"


def test_join_is_for_each_value_and_with_collect_for_all(bench: Bench):
    nodes: Nodes = {
        "texts": ("lists.texts", {"lines": "a\nb"}),
        "start": ("values.text", {"value": "x"}),
        "parts": ("text.join", {"separator": " "}),
    }
    links = {"parts.parts[0]": "start.value", "parts.parts[1]": "texts.text"}
    assert bench.run(joined(nodes, links, "parts.value"), "join")["join"]["text"] == "x a-x b"
    nodes |= {"all": ("lists.collect", {}), "grow": ("test.grow", {})}
    links = {
        "all.value": "texts.text",
        "parts.parts[0]": "all.values",
        "grow.text": "parts.value",
    }
    assert bench.run(graph(nodes, links), "grow") == {"grow": {"text": "a b."}}


def test_a_choice_by_the_size_of_a_picture(bench: Bench, inputs: Path):
    made = _by_size("pictures/p10.png")
    assert bench.run(made, "grow") == {"grow": {"text": "wide0."}}
    assert bench.run(_by_size("pictures/p1.png"), "grow") == {"grow": {"text": "high0."}}


def _by_size(file: str) -> Graph:
    nodes: Nodes = {
        "size": ("values.picture_size", {"file": file}),
        "wide": ("values.compare", {"operator": ">"}),
        "switch": ("graph.switch", {}),
        "high": ("test.text", {"text": "high"}),
        "broad": ("test.text", {"text": "wide"}),
        "grow": ("test.grow", {}),
    }
    links = {
        "wide.first": "size.width",
        "wide.second": "size.height",
        "switch.choice": "wide.holds",
        "switch.choices[0]": "high.text",
        "switch.choices[1]": "broad.text",
        "grow.text": "switch.value",
    }
    return graph(nodes, links)


def test_where_no_file_can_be_read_values_are_unknown_and_no_fault(bench: Bench, inputs: Path):
    """The linter sees no files: a switch, a list and what hangs on them are no errors there."""
    catalogue = bench.session.catalogue
    listed = joined({"f": ("lists.lines", {"file": "lines.txt"})}, {}, "f.text")
    behind = joined(
        {"f": ("lists.lines", {"file": "lines.txt"}), "s": ("lists.split", {})},
        {"s.text": "f.text"},
        "s.text",
    )
    for made in (_by_size("pictures/p10.png"), listed, behind):
        assert survey(flatten(made, catalogue), catalogue).failures == {}
    files = Files(bench.session.settings)
    found = survey(flatten(listed, catalogue), catalogue, files.resolve)
    assert next(iter(found.values.values())) == ["one", "two", "three"]


FAULTS: dict[str, tuple[tuple[str, dict[str, Any]], str, str]] = {
    "no file": (("lists.lines", {"file": "none.txt"}), "text", "there is no file 'none.txt'"),
    "no value": (("lists.lines", {}), "text", "port 'file': has neither a link nor a value"),
    "a folder for a file": (("lists.lines", {"file": "pictures"}), "text", "there is no file"),
    "a start beyond the end": (
        ("lists.lines", {"file": "lines.txt", "start": 9}),
        "text",
        "has 3 texts, and none from the 10. on",
    ),
    "a picture for a text": (
        ("lists.lines", {"file": "pictures/p1.png"}),
        "text",
        "p1.png is no text in UTF-8",
    ),
    "no folder": (("lists.pictures", {"folder": "none"}), "name", "there is no folder 'none'"),
    "no picture": (
        ("lists.pictures", {"folder": "pictures", "pattern": "*.gif"}),
        "name",
        "has no picture '*.gif'",
    ),
    "a text for a picture": (
        ("values.picture_size", {"file": "lines.txt"}),
        "width",
        "lines.txt",
    ),
    "a text for a video": (
        ("values.video_facts", {"file": "lines.txt"}),
        "frames",
        "lines.txt",
    ),
    "no wildcard": (("text.wildcards", {"text": "__no__"}), "value", "no wildcard '__no__'"),
    "no folder of wildcards": (
        ("text.wildcards", {"text": "x", "folder": "none"}),
        "value",
        "there is no folder 'none'",
    ),
    "too many combinations": (
        ("lists.combinations", {"text": "{a|b}{c|d}", "most": 3}),
        "text",
        "makes 4 combinations, and 3 are allowed",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_bad_files_are_refused_in_words(bench: Bench, inputs: Path, name: str):
    """bad input of each kind 6."""
    node, port, fact = FAULTS[name]
    told = failure(bench, joined({"f": node}, {}, f"f.{port}"))
    assert fact in told
    assert "(f)" in told


@pytest.mark.parametrize("line", ['--prompt "a', "--steps 20 --prompt a"])
def test_lines_of_options_that_are_not_read(bench: Bench, inputs: Path, line: str):
    (inputs / "prompts.txt").write_text(f"a fox\n{line}\n")
    made = joined({"f": ("lists.prompts", {"file": "prompts.txt"})}, {}, "f.prompt")
    assert "prompts.txt, line 2" in failure(bench, made)
