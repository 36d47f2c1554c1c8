import json
from pathlib import Path

from support.command_line import WORKFLOWS, CommandHere, workflow

FIRST = WORKFLOWS / "text_to_image.json"


def changed(folder: Path) -> Path:
    raw = workflow()
    raw["nodes"]["schedule"]["values"]["steps"] = 30
    raw["view"]["positions"]["schedule"] = [0, 0]
    path = folder / "changed.json"
    path.write_text(json.dumps(raw), "utf-8")
    return path


def test_the_same_meaning_ends_with_0(here: CommandHere, tmp_path: Path):
    raw = workflow()
    raw["view"] = {}
    moved = tmp_path / "moved.json"
    moved.write_text(json.dumps(raw), "utf-8")
    done = here("diff", FIRST, moved)
    assert (done.code, done.out) == (0, "Nothing changed in meaning.\n")
    assert json.loads(here("diff", FIRST, moved, "--json").out) == []


def test_a_change_is_told_and_ends_with_1(here: CommandHere, tmp_path: Path):
    done = here("diff", FIRST, changed(tmp_path))
    assert (done.code, done.out) == (1, "~ Schedule (schedule), steps: auto → 30\n")
    told = json.loads(here("diff", FIRST, changed(tmp_path), "--json").out)
    assert told == [
        {"change": "value", "node": "schedule", "port": "steps", "before": None, "after": 30}
    ]


def test_what_cannot_be_read_ends_with_2(here: CommandHere, tmp_path: Path):
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"\x89PNG\r\n\x1a\n")
    for wrong in (tmp_path / "gone.json", damaged):
        done = here("diff", FIRST, wrong)
        assert (done.code, done.out, wrong.name in done.err) == (2, "", True)


def test_of_a_long_text_the_part_that_changed_is_shown(here: CommandHere, tmp_path: Path):
    paths = []
    for end in ("fox", "cat"):
        raw = workflow()
        raw["nodes"]["prompt"]["values"]["text"] = "very long, " * 40 + f"a {end}"
        paths.append(tmp_path / f"{end}.json")
        paths[-1].write_text(json.dumps(raw), "utf-8")
    (line,) = here("diff", *paths).out.splitlines()
    assert "fox" in line
    assert "cat" in line
    assert len(line) < 200
