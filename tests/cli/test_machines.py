"""`nodeforge worker`, and other machines as devices."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nodeforge.settings import load_settings, shipped
from support.command_line import CommandHere
from support.other_machine import OtherMachine, program

WORKFLOW = shipped("workflows") / "text_to_image.json"
SMALL = ("--set", "noise.width=64", "--set", "noise.height=64", "--set", "schedule.steps=4")


@pytest.fixture
def far(
    tmp_path: Path, here: CommandHere, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OtherMachine]:
    """A machine called far: an ssh that runs on this one what it is to run there."""
    machine = OtherMachine(tmp_path / "far")
    machine.home.mkdir()
    ssh = tmp_path / "ssh"
    ssh.write_text(
        "#!/bin/sh\nfor last; do :; done\n"
        f"export NODEFORGE_HOME={machine.home} PYTHONPATH={os.pathsep.join(sys.path)}\n"
        f"echo $$ >> {tmp_path}/lines\n"
        'eval "exec $last"\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("NODEFORGE_SSH", str(ssh))
    done = here("worker", "add", f"ssh://far{program(tmp_path)}?device=cpu")
    assert done.code == 0, done.err
    yield machine
    machine.end()


def test_machines_are_added_listed_and_removed(here: CommandHere, tmp_path: Path):
    assert "No machine yet" in here("worker", "list").err
    assert here("worker", "add", "ssh://me@Box.lan:2222/opt/nodeforge").code == 0
    assert here("worker", "add", "ssh://gpu", "--name", "card", "--device", "cuda:1").code == 0
    listed = here("worker", "list").out
    assert "Box" in listed
    assert "ssh://me@Box.lan:2222/opt/nodeforge" in listed
    assert "ssh://gpu?device=cuda:1" in listed
    taken = here("worker", "add", "ssh://other", "--name", "card")
    assert taken.code == 2
    assert "there is a machine 'card' already" in taken.err
    assert here("worker", "add", "ssh://x", "--name", "cuda").code == 2
    assert here("worker", "add", "x").code == 2
    assert here("worker", "remove", "card").code == 0
    assert load_settings(tmp_path / "home").machines == {
        "Box": "ssh://me@Box.lan:2222/opt/nodeforge"
    }
    gone = here("worker", "remove", "card")
    assert gone.code == 2
    assert "there are: Box" in gone.err
    assert here("worker", "test", "card").code == 2


def test_a_device_that_is_none_is_refused(here: CommandHere):
    done = here("run", WORKFLOW, "--device", "nowhere")
    assert done.code == 2
    assert "no device, and no machine's name" in done.err


def test_a_picture_of_another_machine_is_the_same_to_the_byte(
    here: CommandHere, far: OtherMachine, tmp_path: Path
):
    """And a model that is neither here nor there is said with a way out."""
    other = here("run", WORKFLOW, *SMALL, "--device", "far", "--set", "model.file=theirs")
    assert other.code == 2
    assert "theirs" in other.err
    assert "on far" in other.err
    there = here("run", WORKFLOW, *SMALL, "--device", "far", "--out", tmp_path / "there")
    assert there.code == 0, there.err
    plain = here("run", WORKFLOW, *SMALL, "--device", "cpu", "--out", tmp_path / "here")
    assert plain.code == 0, plain.err
    name = "nodeforge_00001.png"
    assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_a_model_is_copied_and_used_under_its_name(
    here: CommandHere, far: OtherMachine, tmp_path: Path
):
    style = shipped("resources") / "models" / "nano" / "lora" / "flat.safetensors"
    mine = tmp_path / "home" / "models" / "loras" / "mine.safetensors"
    mine.parent.mkdir(parents=True)
    data = style.read_bytes()
    mine.write_bytes(data)
    done = here("worker", "copy", "far", "mine.safetensors")
    assert done.code == 0, done.err
    assert (far.home / "models" / "loras" / "mine.safetensors").read_bytes() == data
    again = here("worker", "copy", "far", "mine.safetensors")
    assert again.code == 2
    assert "another model has this name" in again.err
    assert here("worker", "copy", "far", "none").code == 2


@pytest.mark.slow
def test_a_line_that_is_away_for_20_seconds_loses_nothing(
    here: CommandHere, far: OtherMachine, tmp_path: Path
):
    here.patch.setenv("OMP_NUM_THREADS", "1")  # numbers hang on it
    settings = tmp_path / "home" / "settings.json"
    told = json.loads(settings.read_text())
    told["worker_devices"] = ["cpu", "far"]
    settings.write_text(json.dumps(told))
    seeds = ("--axis", "noise.seed=1:6:1")
    values = ("--set", "noise.width=64", "--set", "noise.height=64", "--set", "schedule.steps=20")

    def away() -> None:
        lines = tmp_path / "lines"
        while not lines.exists() or not list(far.home.glob("cache/results/**/*")):
            time.sleep(0.05)
        ssh = tmp_path / "ssh"
        working = ssh.read_text()
        ssh.write_text("#!/bin/sh\necho connect: Connection refused >&2\nexit 255\n")
        os.kill(int(lines.read_text().split()[-1]), signal.SIGKILL)
        time.sleep(20)
        ssh.write_text(working)

    thread = threading.Thread(target=away, daemon=True)
    thread.start()
    two = here("sweep", WORKFLOW, *values, *seeds, "--workers", 2, "--out", tmp_path / "two")
    assert two.code == 0, two.err
    thread.join(30)
    one = here("sweep", WORKFLOW, *values, *seeds, "--device", "cpu", "--out", tmp_path / "one")
    assert one.code == 0, one.err
    assert pixels(tmp_path / "one") == pixels(tmp_path / "two")


def pixels(folder: Path) -> list[bytes]:
    """Of all pictures; which of two workers is first, and so their names, is chance."""
    found = sorted(np.asarray(Image.open(path)).tobytes() for path in folder.rglob("*.png"))
    assert len(found) == 7  # six cells and their sheet
    return found
