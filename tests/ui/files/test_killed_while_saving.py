"""A window that is killed while it saves and autosaves leaves whole files, old or new ones."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nodeforge.formats import load
from nodeforge.formats.projects.bundle import Project, ProjectFiles
from nodeforge.ui.documents.recovery_files import AutosaveSession, read_about
from support import saving_process

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


def noted(home: Path) -> dict[str, int]:
    """The last number of each thing that was finished."""
    try:
        lines = (home / "noted").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {what: int(number) for what, _, number in (line.rpartition(" ") for line in lines)}


def number_in(project: Project) -> int:
    """The number in a project's workflow; its canvas holds the same, to the last pixel."""
    number = int(project.document.graph.nodes["count"].values["text"])
    assert project.canvas is not None
    pixels = project.canvas.layers[0].read(project.canvas.box)
    assert (pixels == saving_process.tiles(number).read(project.canvas.box)).all()
    return number


def check(home: Path) -> int:
    """All files in `home` are whole, and no older than what was finished; returns their count."""
    done, projects = noted(home), ProjectFiles(home / "assets")
    found = {}
    if (home / "workflow.json").exists():
        text = load(home / "workflow.json").graph.nodes["count"].values["text"]
        found["saved workflow"] = int(text)
    if (home / "project.nforge").exists():
        found["saved project"] = number_in(projects.load(home / "project.nforge"))
    session = AutosaveSession(home / "autosave")
    for file in session.left_over((".json", ".nforge")):
        assert read_about(file)[1] in ("workflow", "project")
        if file.suffix == ".json":
            found["autosaved workflow"] = int(load(file).graph.nodes["count"].values["text"])
        elif (file / "project.json").exists():  # else its first copy was never finished
            found["autosaved project"] = number_in(projects.load(file))
    assert found.keys() >= done.keys()
    for what, number in done.items():
        assert number <= found[what] <= number + 1, what
    return len(found)


def kill_at_random_moments(folder: Path, count: int) -> None:
    chance = random.Random(0)
    script = [sys.executable, saving_process.__file__]
    pipe = subprocess.PIPE
    with subprocess.Popen(script, text=True, bufsize=1, stdin=pipe, stdout=pipe) as forks:
        assert forks.stdin is not None
        assert forks.stdout is not None
        files = 0
        for number in range(count):
            home = folder / str(number)
            home.mkdir()
            print(home, file=forks.stdin, flush=True)
            child = int(forks.stdout.readline())
            time.sleep(chance.uniform(0.0, 0.6))
            os.kill(child, signal.SIGKILL)
            assert forks.stdout.readline() == "ended\n"
            files += check(home)
        forks.stdin.close()
    assert files >= count  # most were killed in the middle of their work


def test_a_window_killed_at_any_moment_leaves_whole_files(tmp_path: Path):
    kill_at_random_moments(tmp_path, 10)


@pytest.mark.slow
def test_a_window_killed_at_any_of_200_moments_leaves_whole_files(tmp_path: Path):
    kill_at_random_moments(tmp_path, 200)
