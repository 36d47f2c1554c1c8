"""Sweeps as jobs: each cell's workflow, the cells that jobs are, and what they will take."""

import json

import pytest

from nodeforge.engine.queue.job import Job, JobGroup, NewJob
from nodeforge.engine.queue.states import State
from nodeforge.engine.sweeps import fan_out
from nodeforge.engine.sweeps.axes import axis_of_lines
from nodeforge.engine.sweeps.jobs import (
    candidate_jobs,
    cell_jobs,
    cell_of,
    forecast,
    is_estimate,
    result_of,
)
from nodeforge.formats import read, read_any
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue

CATALOGUE = Catalogue.shipped()


@pytest.fixture
def document():
    return read_any(shipped("workflows") / "text_to_image.json")


def axes_of(document, **lines: str):
    named = {name.replace("__", "."): text for name, text in lines.items()}
    return [axis_of_lines(name, text, document, CATALOGUE) for name, text in named.items()]


def test_each_cell_is_a_job_with_its_workflow(document):
    axes = axes_of(document, schedule__steps="2:4:2", prompt__text="a fox, red\na cat")
    cells = fan_out(axes)
    before = json.dumps(document.node("prompt").values)
    jobs = cell_jobs(NewJob("w", ""), document, CATALOGUE, cells, "g")
    assert json.dumps(document.node("prompt").values) == before
    made = [read(job.document, "job") for job in jobs]
    assert [d.node("schedule").values["steps"] for d in made] == [2, 2, 4, 4]
    assert [d.node("prompt").values["text"] for d in made] == ["a fox, red", "a cat"] * 2
    assert jobs[0].overrides == ("schedule.steps=2", "prompt.text=a fox, red")
    assert jobs[0].plan == jobs[1].plan != jobs[2].plan  # as long with another prompt
    for job, cell in zip(jobs, cells, strict=True):
        assert job.group is not None
        place = json.loads(json.dumps(job.group.place))
        again = cell_of(place)
        assert again is not None
        assert (again.number, again.page, again.row, again.column, again.settings) == (
            *(cell.number, cell.page, cell.row, cell.column),
            cell.settings,
        )


@pytest.mark.parametrize("place", [None, [], {}, {"number": "x"}, {"number": 1, "values": 3}])
def test_a_damaged_place_is_no_cell(place):
    assert cell_of(place) is None
    job = Job("1", "w", State.DONE, group=JobGroup("sweep", "g", place))
    assert result_of(job) is None
    assert not is_estimate(job)


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        ("10, 20\n30", ["10", "20", "30"]),
        ("10:30:10,\n40,", ["10", "20", "30", "40"]),
        ("auto", ["auto"]),
    ],
)
def test_numbers_are_listed_by_commas_and_lines(document, lines, texts):
    (axis,) = axes_of(document, schedule__steps=lines)
    assert [value.text for value in axis.values] == texts


def test_candidates_have_whole_workflows_and_tell_their_share(document):
    jobs = candidate_jobs(NewJob("w", ""), document, CATALOGUE, 3, 0.3, "g")
    assert [job.seed for job in jobs] == [1, 2, 3]
    assert [read(job.document, "j").node("noise").values["seed"] for job in jobs] == [1, 2, 3]
    assert {job.plan for job in jobs} == {jobs[0].plan}
    assert all(job.group and job.group.place["until"] == 0.3 for job in jobs)


COSTS = {"model": 5.0, "prompt": 1.0, "negative": 1.0, "denoise": 4.0, "decode": 1.0}


@pytest.mark.parametrize(
    ("lines", "cells", "seconds"),
    [
        ({}, 1, 12),
        ({"guidance__scale": "3:7:2"}, 3, 7 + 3 * 5),
        ({"prompt__text": "a\nb"}, 2, 6 + 2 * 6),
        ({"guidance__scale": "3, 5", "prompt__text": "a\nb"}, 4, 6 + 2 + 4 * 5),
        ({"save__prefix": "a\nb"}, 2, 12),
    ],
)
def test_what_cells_share_is_forecast_once(document, lines, cells, seconds):
    made = forecast(document, CATALOGUE, axes_of(document, **lines), COSTS)
    assert (made.cells, made.seconds) == (cells, seconds)


def test_nothing_is_forecast_before_networks_were_measured(document):
    costs = {name: cost for name, cost in COSTS.items() if name != "denoise"}
    assert forecast(document, CATALOGUE, [], costs).seconds is None
