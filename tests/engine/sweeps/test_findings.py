"""Findings of cells: once each, and with the values that tell their cells from the others."""

import pytest

from nodeforge.engine.sweeps.axes import Axis, AxisValue
from nodeforge.engine.sweeps.cells import fan_out
from nodeforge.engine.sweeps.findings import Findings, axes_first, values_in_common


def axis(name: str, *values: str) -> Axis:
    path, _, port = name.rpartition(".")
    return Axis(name, path, port, tuple(AxisValue(value, value) for value in values))


AXES = [axis("a.x", "1", "2", "3"), axis("b.y", "p", "q"), axis("c.z", "u", "v")]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"a.x": ["2"]}, {"a.x": ["2"]}),
        ({"a.x": ["2", "3"]}, {"a.x": ["2", "3"]}),
        ({"a.x": ["2"], "c.z": ["v"]}, {"a.x": ["2"], "c.z": ["v"]}),
        ({"a.x": ["1", "2", "3"], "b.y": ["q"]}, {"b.y": ["q"]}),
        ({}, {}),
    ],
)
def test_the_values_that_make_a_finding(wrong: dict, told: dict):
    cells = {cell.number: cell for cell in fan_out(AXES)}
    numbers = [
        number
        for number, cell in cells.items()
        if all(cell.settings[name] in values for name, values in wrong.items())
    ]
    assert values_in_common(numbers, cells) == told


def test_cells_that_no_values_tell_apart_are_told_by_the_first():
    cells = {cell.number: cell for cell in fan_out(AXES[:2])}
    assert values_in_common([1, 4], cells) == {"a.x": ["1"], "b.y": ["p"]}


def test_every_value_is_among_the_first_cells():
    cells = axes_first(fan_out(AXES))
    seen = {pair for cell in cells[:6] for pair in cell.settings.items()}
    assert len(seen) == 7
    assert sorted(cell.number for cell in cells) == list(range(1, 13))


def test_errors_come_first_and_each_once():
    findings = Findings()
    for number in (1, 2, 3):
        errors = [("bad", True)] if number == 2 else []
        findings.add(number, [("so so", False), *errors])
    assert [(each.text, each.cells) for each in findings] == [("bad", [2]), ("so so", [1, 2, 3])]
    assert findings.has_errors
    assert [findings.is_of_all(each) for each in findings] == [False, True]
