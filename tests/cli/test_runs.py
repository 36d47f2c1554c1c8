"""Real runs on nano: in processes of their own where those matter, else with forked workers."""

import json
import os
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import tiny_upscalers
import torch
from PIL import Image

from support.command_line import WORKFLOWS, CommandLine, Done, workflow

TEXT_TO_IMAGE = WORKFLOWS / "text_to_image.json"
QUICK = ("--set", "schedule.steps=3")


def picture(done: Done) -> Path:
    assert done.code == 0, done.err
    (path,) = done.out.splitlines()
    return Path(path)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def write_pair(folder: Path, width: int, height: int) -> tuple[Path, Path]:
    """A noisy picture and a mask with a soft disc, a point at the border, and much outside."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    disc = np.hypot(rows - height / 2, columns - width / 3)
    mask = np.clip((height / 4 - disc) / 9, 0, 1) * 255
    mask[0, 0] = 255
    Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(folder / "p.png")
    Image.fromarray(mask.astype(np.uint8)).save(folder / "m.png")
    return folder / "p.png", folder / "m.png"


def test_a_picture_is_made_and_can_be_made_again_from_itself(nodeforge: CommandLine):
    first = picture(nodeforge("run", TEXT_TO_IMAGE, *QUICK, "--set", "prompt.text=a red apple"))
    assert pixels(first).shape == (256, 256, 3)
    assert Image.open(first).text["parameters"].startswith("a red apple")
    again = nodeforge("run", first, "--json")
    last = again.lines[-1]
    assert (last["event"], last["model_calls"]) == ("run_finished", 0)
    assert again.computed() == {"save"}
    assert last["outputs"] != [str(first)]
    assert np.array_equal(pixels(Path(last["outputs"][0])), pixels(first))


def test_a_prompt_that_comes_out_as_before_changes_nothing_after_it(in_process):
    in_process("run", TEXT_TO_IMAGE, *QUICK, "--set", "prompt.text=a red apple")
    again = in_process("run", TEXT_TO_IMAGE, *QUICK, "--set", "prompt.text=a red apple ", "--json")
    assert not again.computed() & {"denoise", "decode"}
    reasons = {line["node"]: line["reason"] for line in again.lines if line["event"] == "started"}
    assert (reasons["prompt"]["cause"], reasons["prompt"]["port"]) == ("value", "text")
    told = in_process("run", TEXT_TO_IMAGE, *QUICK, "--set", "noise.seed=9", "--explain")
    assert "denoise: seed changed in noise" in told.err


def test_the_events_of_a_run_are_json_lines(in_process):
    done = in_process("run", TEXT_TO_IMAGE, *QUICK, "--json", "--previews")
    assert done.code == 0
    kinds = {line["event"] for line in done.lines}
    assert kinds == {"started", "progress", "preview", "finished", "run_finished"}
    steps = [line for line in done.lines if line["event"] == "progress"]
    assert [(line["node"], line["step"], line["of"]) for line in steps[:3]] == [
        ("denoise", step, 3) for step in (1, 2, 3)
    ]
    finished = [line for line in done.lines if line["event"] == "finished"]
    assert all(line["source"] == "computed" and line["seconds"] >= 0 for line in finished)
    assert done.lines[-1]["model_calls"] == 3


def test_seed_sets_every_unlinked_seed_and_out_takes_the_picture(in_process, tmp_path: Path):
    out = tmp_path / "new" / "folder"
    paths = [
        picture(in_process("run", TEXT_TO_IMAGE, *QUICK, "--seed", seed, "--out", out))
        for seed in (5, 6)
    ]
    assert {path.parent for path in paths} == {out}
    assert not np.array_equal(*map(pixels, paths))
    saved = json.loads(Image.open(paths[0]).text["nodeforge"])
    assert saved["nodes"]["noise"]["values"]["seed"] == 5


@pytest.mark.parametrize("size", [(300, 211), (64, 40), (1030, 517)])
def test_inpainting_leaves_every_pixel_outside_the_mask(
    in_process, tmp_path: Path, size: tuple[int, int]
):
    image, mask = write_pair(tmp_path, *size)
    files = ("--set", f"image.file={image}", "--set", f"mask.file={mask}")
    made = pixels(picture(in_process("run", WORKFLOWS / "inpaint.json", *QUICK, *files)))
    original, outside = pixels(image), pixels(mask) == 0
    assert made.shape == original.shape
    assert np.array_equal(made[outside], original[outside])
    assert not np.array_equal(made[~outside], original[~outside])


def test_a_title_names_a_node_and_a_granted_file_stays_readable(in_process, tmp_path: Path):
    image, _ = write_pair(tmp_path, 256, 256)
    changes = ("--set", f"image.file={image}", "--set", "Prompt.text=a cat")
    made = picture(in_process("run", WORKFLOWS / "image_to_image.json", *QUICK, *changes))
    image.unlink()
    again = in_process("run", made, "--seed", 3)
    assert picture(again).exists()


def test_a_prompt_of_ten_thousand_words_ends_well_or_with_one_message(in_process, tmp_path: Path):
    raw = workflow()
    raw["nodes"]["prompt"]["values"]["text"] = "apple " * 10_000
    file = tmp_path / "long.json"
    file.write_text(json.dumps(raw))
    done = in_process("run", file, *QUICK)
    if done.code:
        assert "prompt" in done.err
    else:
        assert picture(done).exists()


def test_a_full_disk_while_saving_leaves_no_half_picture(nodeforge: CommandLine):
    def no_file_over_8_kib() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    done = nodeforge("run", TEXT_TO_IMAGE, *QUICK, preexec_fn=no_file_over_8_kib)
    assert done.code == 1
    assert "save" in done.err
    assert not [path for path in (nodeforge.home / "outputs").iterdir() if path.is_file()]


def test_a_cache_that_cannot_be_written_only_costs_time(in_process):
    in_process.home.mkdir()
    (in_process.home / "cache").write_text("a file, no folder")
    assert picture(in_process("run", TEXT_TO_IMAGE, *QUICK)).exists()


def hear_ctrl_c() -> None:
    """As in a terminal; a test run in the background is told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_stops_a_run_and_keeps_what_is_finished(nodeforge: CommandLine):
    steps = ("--set", "schedule.steps=60")
    process = nodeforge.start("run", TEXT_TO_IMAGE, *steps, "--json", preexec_fn=hear_ctrl_c)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "progress":
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    assert json.loads(out.splitlines()[-1])["event"] == "cancelled"
    assert not list(nodeforge.home.rglob("*.png"))
    again = nodeforge("run", TEXT_TO_IMAGE, *steps, "--json")
    assert 0 < again.lines[-1]["model_calls"] < 60


def test_a_killed_worker_is_told_and_the_next_run_goes_on(nodeforge: CommandLine):
    steps = ("--set", "schedule.steps=60")
    process = nodeforge.start("run", TEXT_TO_IMAGE, *steps, "--json")
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("step") == 20:
            break
    (worker,) = _children(process.pid)
    os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "worker ended" in err
    again = nodeforge("run", TEXT_TO_IMAGE, *steps, "--json")
    assert 0 < again.lines[-1]["model_calls"] < 60  # the last few steps may not be on disk yet


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def test_the_worker_ends_when_its_client_dies(nodeforge: CommandLine):
    process = nodeforge.start("run", TEXT_TO_IMAGE, "--set", "schedule.steps=900", "--json")
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "progress":
            break
    (worker,) = _children(process.pid)
    process.kill()
    process.communicate()
    end = time.monotonic() + 30
    while Path(f"/proc/{worker}").exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not Path(f"/proc/{worker}").exists()


@pytest.mark.slow
def test_an_upscaler_in_a_pickle_runs_once_it_is_allowed(nodeforge: CommandLine, tmp_path: Path):
    folder = nodeforge.home / "models" / "upscalers"
    folder.mkdir(parents=True)
    state = tiny_upscalers.state(tiny_upscalers.compact())
    torch.save({"params_ema": state}, folder / "x2.pth")
    raw = workflow("enlarge")
    raw["nodes"]["upscaler"]["values"] = {"file": "x2.pth"}
    file = tmp_path / "enlarge.json"
    file.write_text(json.dumps(raw))
    refused = nodeforge("run", file)
    assert refused.code == 2
    assert "nodeforge models allow" in refused.err
    assert nodeforge("models", "allow", folder / "x2.pth").code == 0
    assert "Real-ESRGAN compact ×2" in nodeforge("models").out
    assert pixels(picture(nodeforge("run", file))).shape == (512, 512, 3)
