"""Requests that are refused before anything starts: exit 2, one message, nothing written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from support.command_line import WORKFLOWS, CommandHere, CommandLine, workflow

Change = Callable[[dict[str, Any]], None]
TEXT_TO_IMAGE = WORKFLOWS / "text_to_image.json"


def set_value(node: str, port: str, value: Any) -> Change:
    return lambda raw: raw["nodes"][node].setdefault("values", {}).update({port: value})


def link(target: str, source: str) -> Change:
    return lambda raw: raw["links"].update({target: source})


def set_type(node: str, kind: str) -> Change:
    return lambda raw: raw["nodes"][node].update(type=kind)


def set_format(number: int) -> Change:
    return lambda raw: raw.update(format=number)


def refused(here: CommandHere | CommandLine, *arguments: object) -> str:
    done = here("run", *arguments)
    assert done.code == 2, done.err
    assert done.out == ""
    assert done.err.strip()
    assert not list(here.home.rglob("*.png"))
    return done.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_format(7), "made with format 7; this version reads up to 3."),
        (set_type("decode", "latent.decoed"), "latent.decode"),
        (link("denoise.model", "model.vae"), "vae"),
        (link("denoise.latent", "denoise.latent"), "denoise"),
        (set_value("schedule", "steps", 0), "1 to 1000"),
        (set_value("schedule", "steps", "many"), "many"),
        (set_value("sampler", "name", "eulr"), "euler"),
        (set_value("model", "file", "no-such-model"), "no-such-model"),
        (set_value("model", "file", "../../secret"), "secret"),
        (set_value("noise", "width", 250), "250"),
        (lambda raw: raw["links"].pop("denoise.positive"), "positive"),
        (lambda raw: raw["nodes"].pop("decode"), "decode"),
        (lambda raw: raw.update(nodes=3), "nodes"),
    ],
)
def test_a_wrong_workflow_is_refused(
    here: CommandHere, tmp_path: Path, change: Change, message: str
):
    raw = workflow()
    change(raw)
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(raw))
    assert message in refused(here, file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "line 1, column 1"),
        (b"", "cut short"),
        (b"[1, 2]", "object"),
        (b"\xff\xfe\x00", "wrong.json"),
        (b"[" * 100_000, "wrong.json"),
        (b'{"format": 1, "format": 2}', "twice"),
        (b"\x89PNG\r\n\x1a\n cut short", "wrong.json"),
    ],
)
def test_a_file_that_is_no_workflow_is_refused(
    here: CommandHere, tmp_path: Path, content: bytes, message: str
):
    file = tmp_path / "wrong.json"
    file.write_bytes(content)
    assert message in refused(here, file)


def test_a_truncated_workflow_is_refused_wherever_it_was_cut(here: CommandHere, tmp_path: Path):
    whole = TEXT_TO_IMAGE.read_bytes()
    file = tmp_path / "cut.json"
    for length in (1, len(whole) // 2, len(whole) - 3):
        file.write_bytes(whole[:length])
        assert "cut" in refused(here, file)


def test_a_missing_file_is_refused(nodeforge: CommandLine):
    """As the process ends; others here are asked without one."""
    assert "nowhere.json" in refused(nodeforge, "nowhere.json")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("prompt.text", "NODE.PORT=VALUE"),
        ("promt.text=x", "Did you mean 'prompt'?"),
        ("prompt.words=x", "text"),
        ("noise.seed=many", "'many' is no integer"),
        ("denoise.model=x", "no value 'model'"),
        ("schedule.steps=5000", "1 to 1000"),
    ],
)
def test_a_wrong_assignment_is_refused(here: CommandHere, assignment: str, message: str):
    assert message in refused(here, TEXT_TO_IMAGE, "--set", assignment)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seed", "-1"),
        ("--seed", "x"),
        ("--device", "toaster"),
        ("--device", "cpu:1"),
        ("--frobnicate",),
        (),
    ],
)
def test_a_wrong_option_is_refused(here: CommandHere, arguments: tuple[str, ...]):
    refused(here, *([TEXT_TO_IMAGE, *arguments] if arguments else []))


def test_a_pickle_is_refused_with_a_way_out(here: CommandHere, tmp_path: Path):
    pickle = tmp_path / "model.ckpt"
    pickle.write_bytes(b"\x80\x02}q\x00.")
    message = refused(here, TEXT_TO_IMAGE, "--set", f"model.file={pickle}")
    assert "safetensors" in message


def test_a_model_file_cut_short_is_refused(here: CommandHere, tmp_path: Path):
    whole = next((WORKFLOWS.parent / "resources/models/nano/unet").glob("*.safetensors"))
    cut = tmp_path / "model.safetensors"
    cut.write_bytes(whole.read_bytes()[:100_000])
    refused(here, TEXT_TO_IMAGE, "--set", f"model.file={cut}")


def test_broken_settings_are_named(here: CommandHere):
    here.home.mkdir()
    (here.home / "settings.json").write_text("{")
    assert "settings.json" in refused(here, TEXT_TO_IMAGE)


def test_lint_says_what_run_would_refuse(here: CommandHere, tmp_path: Path):
    raw = workflow()
    set_value("schedule", "steps", 0)(raw)
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(raw))
    done = here("lint", file, "--format", "json")
    assert done.code == 2
    problem = json.loads(done.out)[0]
    assert (problem["rule"], problem["node"], problem["port"]) == ("ranges", "schedule", "steps")


def test_lint_takes_values_as_run_does_and_saves_none(here: CommandHere, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(workflow()))
    before = file.read_bytes()
    done = here("lint", file, "--set", "schedule.steps=0")
    assert done.code == 2
    assert "Schedule (schedule), port 'steps'" in done.out
    assert here("lint", file, "--set", "schedule.steps=8").code == 0
    done = here("lint", file, "--set", "schedule.steps=5000", "--fix")
    assert done.code == 2
    assert "choose one of them" in done.err
    assert file.read_bytes() == before


def test_lint_never_writes_over_a_picture(here: CommandHere, tmp_path: Path):

    wrong = workflow()
    set_value("schedule", "steps", 5000)(wrong)
    chunks = PngInfo()
    chunks.add_itxt("nodeforge", json.dumps(wrong))
    picture = tmp_path / "picture.png"
    Image.new("RGB", (8, 8)).save(picture, pnginfo=chunks)
    before = picture.read_bytes()
    done = here("lint", picture, "--fix")
    assert done.code == 2
    assert "picture.png: is no workflow file" in done.err
    assert picture.read_bytes() == before


def test_lint_fixes_what_needs_no_choice(here: CommandHere, tmp_path: Path):
    raw = workflow()
    set_value("schedule", "steps", 5000)(raw)
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(raw))
    assert here("lint", file, "--fix").code == 1  # so many change nothing: a choice
    assert json.loads(file.read_text())["nodes"]["schedule"]["values"]["steps"] == 1000


def test_lint_says_which_nodes_were_upgraded_and_leaves_the_file(here: CommandHere, tmp_path: Path):
    raw = workflow()
    raw["nodes"]["slg"] = {
        "type": "sampling.skip_layers",
        "version": 1,
        "values": {"places": "mid"},
    }
    raw["links"]["slg.guidance"] = "guidance.guidance"
    file = tmp_path / "old.json"
    file.write_text(json.dumps(raw))
    done = here("lint", file)
    assert done.code == 0
    assert done.err == "slg: upgraded from version 1 of sampling.skip_layers to version 2.\n"
    assert json.loads(file.read_text()) == raw


def test_lint_warns_of_a_node_of_a_later_version(here: CommandHere, tmp_path: Path):
    raw = workflow()
    raw["nodes"]["sampler"]["version"] = 99
    file = tmp_path / "later.json"
    file.write_text(json.dumps(raw))
    done = here("lint", file)
    assert done.code == 1
    assert "warning NF109 [node_versions]" in done.out
    assert "version 99" in done.out


def test_a_version_that_is_none_is_refused(here: CommandHere, tmp_path: Path):
    raw = workflow()
    raw["nodes"]["sampler"]["version"] = -1
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(raw))
    err = refused(here, file)
    assert "wrong.json, nodes.sampler.version: is not a whole number from 1 to 999999." in err


def test_a_setting_of_a_wrong_kind_is_named_once_and_the_command_goes_on(here: CommandHere):
    here.home.mkdir()
    (here.home / "settings.json").write_text('{"output_folder": 5}')
    done = here("lint", TEXT_TO_IMAGE)
    assert done.code == 0
    assert done.err.count("settings.json: 'output_folder' is wrong") == 1
