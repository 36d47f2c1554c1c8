"""`nodeforge measure` on nano: forecast, table, JSON, going on, and refusals."""

import json
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from nodeforge.cli import measure
from nodeforge.engine.measurements.conditions import Extent, NotMeasurableError
from nodeforge.errors import RequestError
from nodeforge.models import MissingModelError
from tests.lint.example_models import make_models

TINY = partial(Extent, steps=(1, 2), reference_steps=3, prompts=("a fox",))
CELLS = 3 * 2 + 2


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "Extent", TINY)


@pytest.mark.usefixtures("tiny")
def test_it_tells_the_time_keeps_every_cell_and_shows_a_table(in_process, tmp_path: Path):
    out = tmp_path / "nano.json"
    done = in_process("measure", "nano", "--size", 64, "--out", out)
    assert done.code == 0
    assert f"nano: {2 + CELLS} runs, about " in done.err
    assert "64 × 64, guidance 3, Normal" in done.out
    rows = [line.split() for line in done.out.splitlines()]
    assert [row[0] for row in rows if row and row[0].isdigit()] == ["1", "2"]
    assert "Euler a:" in done.out
    raw = json.loads(out.read_text())
    assert raw["format"] == 1
    assert raw["conditions"]["samplers"] == ["dpmpp_2m", "euler", "unipc"]
    assert len(raw["cells"]) == CELLS
    assert all(cell["seconds"] > 0 for cell in raw["cells"])
    distances = {(c["sampler"], c["steps"]): c["distance"] for c in raw["cells"]}
    assert distances["euler_a", 2] is None
    assert all(distances[name, 1] > 0 for name in raw["conditions"]["samplers"])
    kept = next((in_process.home / "measurements").iterdir())
    assert kept.read_bytes() == out.read_bytes()
    again = in_process("measure", "nano", "--size", 64, "--json")
    assert json.loads(again.out) == raw
    assert again.err == ""  # nothing was run


@pytest.mark.usefixtures("tiny")
def test_minutes_bound_it_and_the_next_call_goes_on(in_process):
    first = in_process("measure", "nano", "--size", 64, "--minutes", 0)
    assert first.code == 0
    assert f"The time is up: {2 + CELLS} runs are left" in first.err
    assert f"0 of {CELLS} cells are measured." in first.out
    file = in_process.home / "measurements"
    in_process("measure", "nano", "--size", 64)
    (kept,) = file.iterdir()
    raw = json.loads(kept.read_text())
    raw["cells"] = raw["cells"][:4]
    kept.write_text(json.dumps(raw))
    done = in_process("measure", "nano", "--size", 64)
    assert done.err.startswith(f"nano: {1 + CELLS - 4} runs")  # the converged picture, once more
    assert len(json.loads(kept.read_text())["cells"]) == CELLS
    assert json.loads(kept.read_text())["cells"][:4] == raw["cells"]


@pytest.mark.usefixtures("tiny")
def test_a_damaged_file_is_moved_aside_and_told(in_process):
    in_process("measure", "nano", "--size", 64)
    (kept,) = (in_process.home / "measurements").iterdir()
    kept.write_text("{")
    done = in_process("measure", "nano", "--size", 64)
    assert done.code == 0
    assert "damaged_1.json" in done.err
    assert kept.with_name(f"{kept.stem}.damaged_1.json").read_text() == "{"


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_there(nodeforge):
    started = nodeforge.start("measure", "nano", "--size", 64)
    folder = nodeforge.home / "measurements"
    until = time.monotonic() + 200
    while not (folder.is_dir() and any(folder.glob("*.json"))):
        assert time.monotonic() < until
        assert started.poll() is None, started.stderr
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    try:
        _, err = started.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        started.kill()
        raise
    assert started.returncode == 1
    assert "Stopped. What was measured is kept; the same command goes on." in err
    assert "Traceback" not in err
    (kept,) = folder.glob("*.json")
    assert json.loads(kept.read_text())["conditions"]["family"] == "nano"


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("models")
    make_models(home)
    return home


@pytest.mark.parametrize(
    ("name", "kind", "fact"),
    [
        ("lost", MissingModelError, "lost"),
        ("loras/ink", MissingModelError, "ink"),
        ("sdxl_turbo", NotMeasurableError, "was distilled to draw in"),
        ("sdxl_lightning_4step", NotMeasurableError, "was distilled to draw in"),
        ("flux1-schnell", NotMeasurableError, "was distilled"),
        ("sd15_inpainting", NotMeasurableError, "changes a picture"),
        ("just_vae", NotMeasurableError, "is a VAE"),
        ("../../etc/passwd", RequestError, "not the name of a model"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_a_worker_starts(
    refused, models, name, kind, fact
):
    refused.home = models
    with pytest.raises(kind, match=fact):
        refused("measure", name)


def test_a_lora_by_its_path_is_refused(refused, models):
    refused.home = models
    with pytest.raises(NotMeasurableError, match="is a LoRA"):
        refused("measure", models / "models" / "loras" / "ink.safetensors")


def test_a_missing_companion_is_named(refused, models):
    refused.home = models
    (models / "models" / "vaes" / "flux_vae.safetensors").rename(models / "away")
    try:
        with pytest.raises(NotMeasurableError, match="VAE"):
            refused("measure", "flux1-dev")
    finally:
        (models / "away").rename(models / "models" / "vaes" / "flux_vae.safetensors")


def test_a_size_that_does_not_fit_is_refused(refused):
    with pytest.raises(NotMeasurableError, match="cannot be divided by 16"):
        refused("measure", "nano", "--size", 100)
