"""The stages in order, each called again until it is done."""

import click
import pytest

from tools.nano import recipe
from tools.nano.recipe import arguments, go_on
from tools.nano.runs import preset_option, runs_option


@pytest.fixture
def calls(monkeypatch):
    """Two stages of which the first is done on its second call; the calls they get."""
    seen = []

    @click.command()
    @preset_option
    @runs_option
    @click.option("--minutes", type=float)
    def first(preset, runs, minutes):
        seen.append("first")
        return seen.count("first") == 2

    @click.command()
    @preset_option
    @runs_option
    @click.option("--out")
    def second(preset, runs, out):
        seen.append("second")
        return True

    monkeypatch.setattr(recipe, "STAGES", {"first": first, "second": second})
    return seen


def test_a_stage_that_is_not_done_ends_the_call_and_is_called_again(calls, tmp_path):
    assert not go_on("cpu", tmp_path, minutes=9)
    assert go_on("cpu", tmp_path, minutes=9)
    assert calls == ["first", "first", "second"]


def test_a_stage_that_is_done_is_not_called_again(calls, tmp_path):
    go_on("cpu", tmp_path, minutes=None)
    go_on("cpu", tmp_path, minutes=None)
    go_on("cpu", tmp_path, minutes=None)
    assert calls == ["first", "first", "second"]


def test_no_stage_starts_without_time(calls, tmp_path):
    assert not go_on("cpu", tmp_path, minutes=0)
    assert calls == []


def test_a_stage_gets_the_options_it_has(calls):
    line = arguments(recipe.STAGES["second"], {"preset": "cpu", "out": "x", "minutes": 3})
    assert line == ["--preset", "cpu", "--out", "x"]
