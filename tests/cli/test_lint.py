"""`nodeforge lint`: reports, selection, explanations, exit codes, what a file silences."""

import json
from pathlib import Path

import pytest
from PIL import Image as Picture

from nodeforge.errors import RequestError
from nodeforge.lint import all_rules
from nodeforge.settings import shipped
from tests.cli.conftest import InProcess

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A workflow with a scale of 20, in which only a warning is to be found, and a hint."""
    made = json.loads(TEXT_TO_IMAGE.read_text("utf-8"))
    made["nodes"]["guidance"]["values"] = {"scale": 20.0}
    made["nodes"]["schedule"]["values"] = {"steps": 70}
    path = tmp_path / "burnt.json"
    path.write_text(json.dumps(made, indent=2), "utf-8")
    return path


def codes(refused: InProcess, *arguments: object) -> list[str]:
    done = refused("lint", *arguments, "--format", "json")
    return [each["code"] for each in json.loads(done.out)]


def silenced(file: Path, node: str, key: str) -> Path:
    made = json.loads(file.read_text("utf-8"))
    place = made["nodes"][node] if node else made
    place["lint"] = {key: "burnt colours are wanted"}
    file.write_text(json.dumps(made), "utf-8")
    return file


def test_warnings_end_with_1_hints_with_0_and_errors_with_2(refused, file):
    assert refused("lint", file).code == 1
    assert refused("lint", file, "--ignore", "NF203").code == 0
    assert refused("lint", file, "--set", "schedule.steps=0").code == 2


def test_the_text_names_severity_code_rule_place_fact_and_way_out(refused, file):
    done = refused("lint", file, "--select", "NF203")
    assert done.out == (
        "warning NF203 [guidance_too_high] Guidance (guidance), port 'scale': is 20; above 12 "
        "pictures of nano burn.\n    3 is usual; or rescale it, or put APG after it.\n"
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"NF203", "NF308"}),
        (("--select", "NF2"), {"NF203"}),
        (("--select", "nf3,guidance_too_high"), {"NF203", "NF308"}),
        (("--select", "NF2", "--select", "NF3", "--ignore", "many_steps"), {"NF203"}),
        (("--ignore", "NF"), set()),
    ],
)
def test_rules_are_selected_by_code_beginning_and_name(refused, file, options, expected):
    assert set(codes(refused, file, *options)) == expected


@pytest.mark.parametrize("key", ["NF999", "X", "guidance_to_high"])
def test_a_rule_that_does_not_exist_is_named(refused, file, key):
    with pytest.raises(RequestError, match="is no rule"):
        refused("lint", file, "--select", key)
    with pytest.raises(RequestError, match="is no rule"):
        refused("lint", "--explain", key)


@pytest.mark.parametrize("node", ["guidance", ""])
@pytest.mark.parametrize("key", ["NF203", "guidance_too_high"])
def test_a_rule_is_silenced_at_a_node_or_in_the_whole_file(refused, file, node, key):
    assert codes(refused, silenced(file, node, key)) == ["NF308"]


def test_a_rule_that_is_silenced_at_another_node_still_speaks(refused, file):
    assert set(codes(refused, silenced(file, "prompt", "NF203"))) == {"NF203", "NF308"}


def test_an_error_cannot_be_silenced_and_a_false_code_is_a_hint(refused, file):
    assert "NF104" in codes(refused, silenced(file, "schedule", "NF104"), "--set", _NO_STEPS)
    assert "NF115" in codes(refused, silenced(file, "guidance", "NF230"))


_NO_STEPS = "schedule.steps=0"


def test_what_silences_a_rule_is_text(refused, file):
    made = json.loads(file.read_text("utf-8"))
    made["nodes"]["guidance"]["lint"] = {"NF203": True}
    file.write_text(json.dumps(made), "utf-8")
    with pytest.raises(RequestError, match="not text, the reason"):
        refused("lint", file)


def test_every_rule_is_explained_with_its_example(refused):
    assert all(rule.code in refused("lint", "--explain", "all").out for rule in all_rules())
    told = refused("lint", "--explain", "NF203").out
    assert told.startswith("# NF203 guidance_too_high\n")
    assert "arXiv:2305.08891" in told
    assert "~ Guidance (guidance), scale: 20.0 → 6.0" in told
    assert refused("lint", "--explain", "guidance_too_high").out == told


def test_without_a_workflow_the_usage_is_told(nodeforge):
    done = nodeforge("lint")
    assert done.code == 2
    assert "Missing argument" in done.err


def test_json_has_line_and_grade(refused, file):
    (told,) = json.loads(refused("lint", file, "--format", "json", "--select", "NF203").out)
    lines = file.read_text("utf-8").splitlines()
    assert lines[told["line"] - 1].strip() == '"guidance": {'
    assert (told["fixable"], told["fix"]) == (True, "choice")


def test_sarif_is_valid_where_code_scanning_reads_it(refused, file):
    log = json.loads(refused("lint", file, "--format", "sarif").out)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (place,) = result["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == file.as_posix()
        assert place["physicalLocation"]["region"]["startLine"] > 1
    assert {result["level"] for result in run["results"]} == {"warning", "note"}


def test_github_gets_one_command_a_problem_with_escapes(refused, file):
    done = refused("lint", file, "--format", "github")
    first, *_ = done.out.splitlines()
    assert first.startswith("::warning file=")
    assert "title=NF203 guidance_too_high::" in first
    assert len(done.out.splitlines()) == 2


def test_fix_leaves_choices_and_fix_all_makes_them(refused, file):
    before = file.read_bytes()
    assert refused("lint", file, "--fix").code == 1
    assert file.read_bytes() == before
    assert refused("lint", file, "--fix-all").code == 0
    made = json.loads(file.read_text("utf-8"))
    assert made["nodes"]["guidance"]["values"]["scale"] == 3.0
    assert made["nodes"]["schedule"]["values"]["steps"] == 20


def test_a_safe_fix_is_made_and_saved(refused, file):
    made = json.loads(file.read_text("utf-8"))
    made["nodes"]["prompt"]["values"]["txet"] = "a fox"
    file.write_text(json.dumps(made), "utf-8")
    assert refused("lint", file, "--fix").code == 1
    assert "txet" not in json.loads(file.read_text("utf-8"))["nodes"]["prompt"]["values"]


@pytest.mark.parametrize(
    ("side", "told"), [(256, []), (250, ["NF501", "NF501"]), (None, ["NF117"])]
)
def test_what_stands_in_files_counts(refused, tmp_path, side, told):
    """The size of a picture file, which the workflow does not say."""
    made = json.loads(TEXT_TO_IMAGE.read_text("utf-8"))
    made["nodes"]["size"] = {
        "type": "values.picture_size",
        "values": {"file": "shape.png"},
        "version": 1,
    }
    made["links"] |= {"noise.width": "size.width", "noise.height": "size.height"}
    path = tmp_path / "shaped.json"
    path.write_text(json.dumps(made), "utf-8")
    if side:
        inputs = tmp_path / "home" / "inputs"
        inputs.mkdir(parents=True)
        Picture.new("RGB", (side, side)).save(inputs / "shape.png")
    assert codes(refused, path) == told
