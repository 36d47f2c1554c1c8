"""The form of a workflow on the command line."""

import json

from nodeforge.settings import shipped
from support.command_line import CommandHere, workflow

FILE = shipped("workflows") / "text_to_image.json"


def test_labels_set_what_they_name(in_process, tmp_path):
    out = tmp_path / "out"
    done = in_process("run", FILE, "--set", "Prompt=a dog", "--set", "steps=2",
                     "--set", "Width=64", "--set", "Height=64", "--out", out)  # fmt: skip
    assert done.code == 0
    shown = in_process("import", next(out.glob("*.png")), "-o", tmp_path / "again.json")
    assert shown.code == 0
    nodes = json.loads((tmp_path / "again.json").read_text("utf-8"))["nodes"]
    assert nodes["prompt"]["values"]["text"] == "a dog"
    assert nodes["schedule"]["values"]["steps"] == 2


def test_what_the_form_does_not_allow_is_refused(here: CommandHere, tmp_path):
    file = tmp_path / "w.json"
    for assignment, told in (
        ("Steps=151", "'151' is not from 1 to 150"),
        ("Stebs=3", "Did you mean 'Steps'?"),
        ("=3", "is neither NODE.PORT=VALUE nor LABEL=VALUE"),
        ("Steps=many", "'many' is no integer"),
    ):
        file.write_text(json.dumps(workflow()), "utf-8")
        done = here("run", file, "--set", assignment)
        assert (done.code, told in done.err) == (2, True), done.err


def test_the_form_is_shown(here: CommandHere, tmp_path):
    told = here("run", FILE, "--help-form").out
    assert '--set "Negative prompt=' in told
    assert "integer (from 1 to 150), now auto" in told
    assert told.index("Prompt") < told.index("Settings") < told.index("Model")
    entries = json.loads(here("run", FILE, "--help-form", "--json").out)
    steps = next(entry for entry in entries if entry["label"] == "Steps")
    assert (steps["port"], steps["section"], steps["value"]) == ("schedule.steps", "Settings", None)
    file = tmp_path / "w.json"
    file.write_text(json.dumps(workflow() | {"form": []}), "utf-8")
    assert "has no form" in here("run", file, "--help-form").out
