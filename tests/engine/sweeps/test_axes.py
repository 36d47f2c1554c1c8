"""Axes and cells: what is parsed, how it fans out, and what is refused before anything runs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeforge.engine.sweeps import AxisError, fan_out, parse_axis, parse_skip
from nodeforge.engine.sweeps.cells import MOST_CELLS, run_order
from nodeforge.formats import read_any
from nodeforge.graph.model import Input, Node, Output
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue

CATALOGUE = Catalogue.shipped()
DOCUMENT = read_any(shipped("workflows") / "text_to_image.json")


def axis(text: str):
    return parse_axis(text, DOCUMENT, CATALOGUE)


def cells(*axes: str, skip: tuple[str, ...] = (), together: bool = False):
    parsed = [axis(each) for each in axes]
    skips = [parse_skip(each, parsed, DOCUMENT, CATALOGUE) for each in skip]
    return fan_out(parsed, together=together, skips=skips)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("schedule.steps=10,20,30", [10, 20, 30]),
        ("schedule.steps=10, 20:40:10, auto", [10, 20, 30, 40, None]),
        ("guidance.scale=0.1:0.5:0.1", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("guidance.scale=5:1:-2", [5.0, 3.0, 1.0]),
        ("guidance.scale=0:0.35:0.1", [0.0, 0.1, 0.2, 0.3]),
        ("guidance.scale=1e-3:1e-2:3e-3", [0.001, 0.004, 0.007, 0.01]),
        ("guidance.scale=7:7:1", [7.0]),
        ("sampler.name=euler,dpmpp_2m", ["euler", "dpmpp_2m"]),
        ("decode.tiled=true,off", [True, False]),
        ("model.file=nano,other", ["nano", "other"]),
        ('prompt.text="a fox, red",a cat', ["a fox, red", "a cat"]),
        ('prompt.text="say ""hi""",b', ['say "hi"', "b"]),
        ('prompt.text="",a', ["", "a"]),
        ('prompt.text="@home"', ["@home"]),
        ("prompt.text=1:3:1", ["1:3:1"]),
        ("prompt.text=a=b", ["a=b"]),
        ("Prompt.text=a\nb", ["a", "b"]),
    ],
)
def test_values_are_read(text: str, values: list[object]):
    assert [each.value for each in axis(text).values] == values


def test_a_file_gives_a_value_a_line(tmp_path: Path):
    file = tmp_path / "prompts.txt"
    file.write_bytes("\ufeffa fox, red\r\n\r\n  ein Füchslein \n".encode())
    assert [each.value for each in axis(f"prompt.text=@{file}").values] == [
        "a fox, red",
        "ein Füchslein",
    ]


@given(st.integers(-999, 999), st.integers(1, 40), st.integers(1, 30), st.integers(0, 4))
def test_ranges_have_no_rounding_noise(first: int, step: int, count: int, places: int):
    """Each number is the one that its decimal text names, and the last is the end."""
    unit = 10**places
    numbers = [abs(first) + step * index for index in range(count)]
    numbers = [each for each in numbers if each <= 100 * unit]
    if not numbers:
        return
    told = [f"{each // unit}.{each % unit:0{places}}" if places else str(each) for each in numbers]
    width = f"0.{step:0{places}}" if places and step < unit else str(step / unit)
    found = axis(f"guidance.scale={told[0]}:{told[-1]}:{width}")
    assert [each.value for each in found.values] == [float(each) for each in told]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("schedule.steps", "is not NODE.PORT=VALUES"),
        ("stepz=3", "'stepz' is neither NODE.PORT nor a label"),
        ("promt.text=a", "there is no node 'promt'"),
        ("prompt.txt=a", "has no value 'txt'"),
        ("denoise.model=a", "has no value 'model'"),
        ("schedule.steps=", "has no values"),
        ("prompt.text=", "has no values"),
        ("schedule.steps=1,,2", "has an empty value"),
        ("schedule.steps=1.5", "'1.5' is no integer"),
        ("schedule.steps=0", "'0' is not from 1 to 1000"),
        ("schedule.steps=990:1010:10", "'1010' is not from 1 to 1000"),
        ("guidance.scale=nan", "'nan' is not"),
        ("sampler.name=eulr", "'eulr' is not one of"),
        ("decode.tiled=perhaps", "'perhaps' is no boolean"),
        ("noise.seed=0:1000000000000:1", "more than 10,000 values"),
        ("guidance.scale=1:2:0", "a step of 0"),
        ("guidance.scale=1:2:-1", "leads away from its end"),
        ("guidance.scale=1e30:2e30:1e29", "too large or too small"),
        ('prompt.text="a', "no list in CSV quoting"),
        ("prompt.text=@nowhere.txt", "'nowhere.txt' cannot be read: No such file"),
        ("prompt.text=@", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_by_place_and_fact(text: str, fact: str):
    with pytest.raises(AxisError) as error:
        axis(text)
    assert error.value.place.startswith("--axis ")
    assert fact in error.value.fact
    assert error.value.way_out or "too large" in fact


def test_files_that_hold_no_values_are_refused(tmp_path: Path):
    for content, fact in ((b"\n \n", "has no values"), (b"\xff\xfe\x00", "no text in UTF-8")):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(AxisError, match=fact):
            axis(f"prompt.text=@{tmp_path / 'f'}")


def test_a_linked_input_is_no_axis():
    document = read_any(shipped("workflows") / "text_to_image.json")
    document.graph.nodes["number"] = Node("values.integer", {"value": 3})
    document.graph.links[Input("schedule", "steps")] = Output("number", "value")
    with pytest.raises(AxisError, match="fed by a link"):
        parse_axis("schedule.steps=1,2", document, CATALOGUE)


def test_the_first_axis_gives_rows_the_second_columns_further_ones_pages():
    further = ("prompt.text=a,b", "noise.seed=1,2")
    made = cells("schedule.steps=1,2", "sampler.name=euler,heun,lms", *further)
    assert len(made) == 24
    assert [each.number for each in made] == list(range(1, 25))
    first = [(each.page, each.row, each.column) for each in made[:7]]
    assert first == [(0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 0), (0, 1, 1), (0, 1, 2), (1, 0, 0)]
    assert made[6].settings == {
        "schedule.steps": "1",
        "sampler.name": "euler",
        "prompt.text": "a",
        "noise.seed": "2",
    }


def test_axes_that_change_together_are_one():
    made = cells("schedule.steps=1,2,3", "sampler.name=euler,heun,lms", together=True)
    assert [list(each.settings.values()) for each in made] == [
        ["1", "euler"],
        ["2", "heun"],
        ["3", "lms"],
    ]
    assert [(each.row, each.column) for each in made] == [(0, 0), (1, 0), (2, 0)]


def test_a_skip_leaves_out_the_cells_that_have_all_of_its_values():
    made = cells(
        "schedule.steps=10,30", "guidance.scale=1,2", skip=("schedule.steps=30,guidance.scale=2.0",)
    )
    assert [list(each.settings.values()) for each in made] == [
        ["10", "1"],
        ["10", "2"],
        ["30", "1"],
    ]
    assert [(each.row, each.column) for each in made] == [(0, 0), (0, 1), (1, 0)]


@pytest.mark.parametrize(
    ("axes", "options", "place", "fact"),
    [
        (("schedule.steps=1,2", "noise.seed=1"), {"together": True}, "--zip", "differ in length"),
        (("schedule.steps=1,2",), {"skip": ("schedule.steps=3",)}, "--skip", "fits no cell"),
        (("schedule.steps=1,2",), {"skip": ("noise.seed=3",)}, "--skip", "is no axis"),
        (("schedule.steps=1,2",), {"skip": ("schedule.steps",)}, "--skip", "is not NODE.PORT"),
        (("schedule.steps=1,2",), {"skip": ("schedule.steps=x",)}, "--skip", "'x' is no integer"),
        (("schedule.steps=1,2",), {"skip": ("",)}, "--skip", "has no condition"),
        (("schedule.steps=1",), {"skip": ("schedule.steps=1",)}, "--skip", "every cell is skipped"),
        (("prompt.text=a", "Prompt.text=b"), {}, "--axis", "the same input"),
        (("noise.seed=1:100:1", "schedule.steps=1:100:1"), {}, "--axis", "10,000 cells"),
    ],
)  # fmt: skip
def test_a_fan_out_that_makes_no_sense_is_refused(axes, options, place: str, fact: str):
    with pytest.raises(AxisError) as error:
        cells(*axes, **options)
    assert error.value.place.startswith(place)
    assert fact in error.value.fact


def test_as_many_cells_as_the_bound_are_made_and_one_more_is_not():
    assert len(cells(f"noise.seed=1:{MOST_CELLS}:1")) == MOST_CELLS
    with pytest.raises(AxisError):
        cells(f"noise.seed=1:{MOST_CELLS + 1}:1")


def test_a_model_is_loaded_once_whatever_its_axis():
    made = cells("schedule.steps=1,2", "model.file=one,two")
    order = [each.settings["model.file"] for each in run_order(made)]
    assert order == ["one", "one", "two", "two"]
    assert [each.settings["model.file"] for each in made] == ["one", "two", "one", "two"]
