"""`nodeforge merge`, alone and as git's driver."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.command_line import CommandHere, CommandLine, workflow


def write(path: Path, **values: Any) -> Path:
    raw = workflow()
    for port, value in values.items():
        raw["nodes"]["schedule"]["values"][port] = value
    path.write_text(json.dumps(raw), "utf-8")
    return path


def test_a_conflict_ends_with_1_and_is_an_error_until_resolved(here: CommandHere, tmp_path):
    base, ours = write(tmp_path / "base.json"), write(tmp_path / "ours.json", steps=30)
    theirs = write(tmp_path / "theirs.json", steps=40, strength=0.5)
    done = here("merge", base, ours, theirs)
    assert done.code == 1
    assert "schedule.values.steps: ours 30, theirs 40" in done.err
    made = json.loads(ours.read_text("utf-8"))
    assert made["nodes"]["schedule"]["values"] == {"name": "auto", "steps": 30, "strength": 0.5}
    assert made["conflicts"]["schedule.values.steps"]["theirs"] == 40
    refused = here("lint", ours)
    assert (refused.code, "NF118" in refused.out) == (2, True)
    del made["conflicts"]
    ours.write_text(json.dumps(made), "utf-8")
    assert "NF118" not in here("lint", ours).out


def test_git_merges_with_it(nodeforge: CommandLine, tmp_path):
    file = tmp_path / "w.json"
    driver = f"{shlex.quote(sys.executable)} -m nodeforge merge %O %A %B"

    def git(*arguments: str) -> None:
        told = ("-c", f"merge.nodeforge.driver={driver}", "-c", "user.name=a", "-c", "user.email=b")
        run = ("git", *told, *arguments)
        subprocess.run(
            run, cwd=tmp_path, check=True, env=nodeforge.environment, capture_output=True
        )

    git("init", "-q", "-b", "main")
    (tmp_path / ".gitattributes").write_text("*.json merge=nodeforge\n")
    write(file)
    git("add", "-A")
    git("commit", "-qm", "base")
    git("checkout", "-qb", "theirs")
    write(file, strength=0.5)
    git("commit", "-qam", "theirs")
    git("checkout", "-q", "main")
    write(file, steps=30)
    git("commit", "-qam", "ours")
    git("merge", "-q", "theirs", "-m", "both")
    made = json.loads(file.read_text("utf-8"))
    assert made["nodes"]["schedule"]["values"] == {"name": "auto", "steps": 30, "strength": 0.5}


def test_what_cannot_be_read_ends_with_2(here: CommandHere, tmp_path):
    ours = write(tmp_path / "ours.json")
    done = here("merge", tmp_path / "gone.json", ours, ours)
    assert (done.code, "gone.json" in done.err) == (2, True)
