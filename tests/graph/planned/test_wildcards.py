"""Dynamic prompts: choices, weights, wildcard files, all combinations."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nodeforge.graph.planned.wildcards import (
    MOST_BYTES,
    WildcardError,
    WildcardFolder,
    combinations,
    draw,
    is_dynamic,
)

FILES = {
    "colour.txt": b"\xef\xbb\xbfred\r\n# a comment\r\n\r\nblue\r\n",
    "animals/wild.txt": b"a __colour__ bird\n{young|old} fox\n",
    "animals/tame.txt": b"cat\n3::dog\n",
    "clothes.yaml": b"clothes:\n  hats:\n  - cap\n  - '{top|straw} hat'\n  shoes: [boots]\n",
    "names.yml": b"- Ann\n- Bob\n- 7\n",
    "artists/swarm.yaml": b"europe:\n  old:\n  - Klee\n",
    "circle/a.txt": b"x\n__circle/b__\n",
    "circle/b.txt": b"__circle/a__\n",
    "bad/latin.txt": b"fine\nf\xfcchse\n",
    "bad/empty.txt": b"# nothing\n",
    "bad/zero.txt": b"0::a\n",
    "bad/bracket.txt": b"{a|b\n",
    "readme.md": b"not one",
}


@pytest.fixture
def folder(tmp_path: Path) -> WildcardFolder:
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return WildcardFolder(tmp_path)


def every(text: str, folder: WildcardFolder, seeds: int = 200) -> set[str]:
    return {draw(text, seed, folder) for seed in range(seeds)}


CASES = {
    "a choice": ("{a|b}", {"a", "b"}),
    "an empty option": ("{|very }big", {"big", "very big"}),
    "no choice at all": ("{a}", {"a"}),
    "two of three": ("{2$$a|b|c}", {f"{x}, {y}" for x in "abc" for y in "abc" if x != y}),
    "its own separator": ("{2$$ and $$a|b}", {"a and b", "b and a"}),
    "a range": ("{0-1$$a|b}", {"", "a", "b"}),
    "an open range": ("{1-$$a|b}", {"a", "b", "a, b", "b, a"}),
    "a range up to": ("{-1$$a|b}", {"", "a", "b"}),
    "more than there are": ("{5$$a|b}", {"a, b", "b, a"}),
    "weights": ("{0::a|1::b|0.0::c}", {"b"}),
    "nested": ("{a|{b|{c|d}}}", set("abcd")),
    "a choice at the start of a choice": ("{{a|b} c|d}", {"a c", "b c", "d"}),
    "escapes": (r"\{a\|b\} \__colour__ 5\$", {"{a|b} __colour__ 5$"}),
    "prompt weights stay": (r"(a:1.2) \(b\) [c:d:0.5] <x:y>", {r"(a:1.2) \(b\) [c:d:0.5] <x:y>"}),
    "a file": ("__colour__", {"red", "blue"}),
    "two in a row": (
        "__names____clothes/shoes__",
        {"Annboots", "Bobboots", "7boots"},
    ),
    "a file in a folder, with more inside": (
        "__animals/wild__",
        {"a red bird", "a blue bird", "young fox", "old fox"},
    ),
    "a glob": ("__clothes/*__", {"cap", "top hat", "straw hat", "boots"}),
    "a glob through folders": ("__**tame__", {"cat", "dog"}),
    "a question mark": ("__anima?s/tame__", {"cat", "dog"}),
    "nested keys": ("__clothes/hats__", {"cap", "top hat", "straw hat"}),
    "a file and its keys": ("__artists/swarm/europe/old__", {"Klee"}),
    "keys alone": ("__europe/old__", {"Klee"}),
    "whatever the case": ("__Colour__", {"red", "blue"}),
    "several lines of a file": ("{2$$__colour__}", {"red, blue", "blue, red"}),
    "a wildcard within a choice": ("{__colour__|green}", {"red", "blue", "green"}),
    "words with underscores": ("a_b __ c_d _e_", {"a_b __ c_d _e_"}),
    "no syntax at all": ("a fox, (red)", {"a fox, (red)"}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_text_becomes(folder: WildcardFolder, name: str):
    """wildcards 3."""
    text, expected = CASES[name]
    assert every(text, folder) == expected


def test_the_same_seed_gives_the_same_text_on_every_machine(folder: WildcardFolder):
    """The texts of a first run, written down."""
    text = "a {red|blue|green} __animals/*__, {2$$ and $$a|b|c|d}"
    drawn = [draw(text, seed, folder) for seed in (0, 1, 2**63 - 1)]
    assert drawn == [
        "a blue dog, b and a",
        "a blue dog, d and c",
        "a green dog, b and d",
    ]


def test_draws_follow_the_weights(folder: WildcardFolder):
    """10,000 draws; chi-squared with 3 degrees of freedom, 0.1 %."""
    weights = {"a": 1.0, "b": 3.0, "c": 0.5, "d": 5.5}
    text = "{a|3::b|0.5::c|5.5::d}"
    counts = Counter(draw(text, seed, folder) for seed in range(10_000))
    expected = {name: 1_000 * weight for name, weight in weights.items()}
    assert sum((counts[n] - e) ** 2 / e for n, e in expected.items()) < 16.27


def test_lines_of_a_file_follow_their_weights(folder: WildcardFolder):
    counts = Counter(draw("__animals/tame__", seed, folder) for seed in range(4_000))
    assert (counts["dog"] - 3_000) ** 2 / 3_000 + (counts["cat"] - 1_000) ** 2 / 1_000 < 10.83


def test_equal_weights_of_several_that_are_taken(folder: WildcardFolder):
    counts = Counter(draw("{2$$a|b|c}", seed, folder) for seed in range(6_000))
    assert len(counts) == 6
    assert sum((count - 1_000) ** 2 / 1_000 for count in counts.values()) < 20.5


FAULTS = {
    "a bracket that is open": ("a {b|c", "'{' is not closed at '{b|c'"),
    "a bracket that closes nothing": ("b} c", "'}' closes nothing"),
    "a count that is none": ("{x$$a|b}", "'x' is no count"),
    "a range turned round": ("{3-1$$a|b}", "is turned round"),
    "no weight at all": ("{0::a|0::b}", "all options weigh 0"),
    "a variable": ("${x={a|b}}", "sets or reads a variable"),
    "a template": ("{{ x }}", "is a Jinja template"),
    "a statement": ("{% if x %}", "is a Jinja template"),
    "turns": ("{@a|b}", "in turns"),
    "no such file": ("__color__", "there is no wildcard '__color__'"),
    "no such glob": ("__nothing/*__", "there is no wildcard '__nothing/*__'"),
    "a path that leads out": ("__../colour__", "there is no wildcard"),
    "a circle": ("__circle/a__", "lead back to themselves: __circle/a__ → __circle/b__"),
    "not UTF-8": ("__bad/latin__", "is no text in UTF-8, in line 2"),
    "an empty file": ("__bad/empty__", "has no options"),
    "a file of weight 0": ("__bad/zero__", "weigh 0"),
    "a bracket in a file": ("__bad/bracket__", "wildcard '__bad/bracket__': '{' is not closed"),
    "too deep": ("{a|" * 40 + "}" * 40, "more than 32 choices"),
    "the line": ("fine\n{a|b", "line 2: "),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_resolved_is_said(folder: WildcardFolder, name: str):
    """bad input of each kind 6."""
    text, fact = FAULTS[name]
    for seed in range(3):  # whatever is drawn
        with pytest.raises(WildcardError) as caught:
            draw(text, seed, folder)
        assert fact in str(caught.value)
        assert caught.value.way_out


def test_a_wildcard_that_is_not_there_names_near_ones_and_the_folder(folder: WildcardFolder):
    with pytest.raises(WildcardError) as caught:
        draw("__color__", 0, folder)
    assert "Near it: colour" in str(caught.value)
    assert str(folder.path) in str(caught.value)


ALIASES = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c {%s}\n" % (n, n, b", ".join(b"k%d: *%c" % (i, n - 1) for i in range(10)))
    for n in range(98, 108)
)
BAD_FILES = {
    "broken YAML": ("x.yaml", b"a: [b\nc", "cannot be read"),
    "tabs in YAML": ("x.yaml", b"a:\n\t- b\n", "line 2"),
    "an option that is a mapping": ("x.yaml", b"a:\n- {b|c} hat\n", "cannot be read"),
    "a list in a list": ("x.yaml", b"a:\n- [b, c]\n", "quotation marks"),
    "Python in YAML": ("x.yaml", b"a: !!python/object/apply:os.system ['true']\n", "line 1"),
    "YAML that holds itself": ("x.yaml", b"a: &x {b: *x}\n", "32 deep"),
    "aliases of aliases": ("x.yaml", ALIASES, "more than 1,000,000 options"),
    "deep YAML": ("x.yaml", b"a: " + b"[" * 5_000 + b"]" * 5_000, "cannot be read"),
    "no text": ("a.txt", b"a\0b\n", "is no text"),
    "UTF-16": ("a.txt", "red".encode("utf-16"), "is no text in UTF-8"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_refused_by_name(tmp_path: Path, name: str):
    """bad input of each kind 6."""
    file, data, fact = BAD_FILES[name]
    (tmp_path / file).write_bytes(data)
    with pytest.raises(WildcardError) as caught:
        draw("__a__", 0, WildcardFolder(tmp_path))
    assert file in str(caught.value)
    assert fact in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path):
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(WildcardError, match="16 are read at most"):
        draw("__large__", 0, WildcardFolder(tmp_path))


def test_a_text_that_grows_is_bounded(tmp_path: Path):
    (tmp_path / "a.txt").write_text(" ".join(["word"] * 1_000))
    for name, before in zip("bcd", "abc", strict=True):
        (tmp_path / f"{name}.txt").write_text(f"__{before}__" * 20)
    with pytest.raises(WildcardError, match="more than 100,000 characters"):
        draw("__d__", 0, WildcardFolder(tmp_path))


def test_a_file_that_changes_is_read_anew(tmp_path: Path):
    (tmp_path / "a.txt").write_text("one")
    assert draw("__a__", 0, WildcardFolder(tmp_path)) == "one"
    (tmp_path / "a.txt").write_text("other")
    assert draw("__a__", 0, WildcardFolder(tmp_path)) == "other"


def test_a_folder_that_is_not_there_matters_only_to_wildcards(tmp_path: Path):
    folder = WildcardFolder(tmp_path / "none")
    assert draw("{a|a}", 0, folder) == "a"
    with pytest.raises(WildcardError, match="none"):
        draw("__a__", 0, folder)


COMBINED = {
    "{a|b} {c|d}": ["a c", "a d", "b c", "b d"],
    "{2$$a|b|c}": ["a, b", "a, c", "b, c"],
    "{0-1$$a|b}": ["", "a", "b"],
    "{a|a|b}": ["a", "b"],
    "{0::a|b}": ["b"],
    "__animals/wild__": ["a red bird", "a blue bird", "young fox", "old fox"],
    "{2$$__colour__|green}": ["red, green", "blue, green"],
    "plain": ["plain"],
}


@pytest.mark.parametrize("text", COMBINED)
def test_all_combinations(folder: WildcardFolder, text: str):
    """wildcards 3."""
    assert combinations(text, 100, folder) == COMBINED[text]


def test_too_many_combinations_are_counted_and_refused(folder: WildcardFolder):
    with pytest.raises(WildcardError, match="makes 1,024 combinations, and 100 are allowed"):
        combinations("{a|b}" * 10, 100, folder)
    with pytest.raises(WildcardError, match="more than 1,000,000,000,000,000"):
        combinations("{a|b}" * 200, 10_000, folder)


def test_which_texts_are_dynamic():
    assert all(map(is_dynamic, ("{a|b}", "x __a__", "{2$$a}")))
    assert not any(map(is_dynamic, ("a_b", "{a}", r"\{a|b\}", "[a|b]")))
