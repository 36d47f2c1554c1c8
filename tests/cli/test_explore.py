"""`nodeforge explore` on nano: what is kept goes on from its estimate, as a plain run would."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nodeforge.engine.queue.job import NewJob
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.sweeps.jobs import candidate_jobs, finishing_job
from nodeforge.errors import RequestError
from nodeforge.formats import read_any
from nodeforge.spec import Catalogue
from support.command_line import WORKFLOWS, Done, workflow

TEXT_TO_IMAGE = WORKFLOWS / "text_to_image.json"
SMALL = ("--set", "noise.width=64", "--set", "noise.height=64")


def told(done: Done, event: str) -> list[dict[str, Any]]:
    assert done.code == 0, done.err
    return [line for line in done.lines if line["event"] == event]


def pixels(path: Path | str) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_kept_candidates_go_on_from_their_checkpoints(in_process, tmp_path: Path):
    """Of 64 candidates to 30 % of 20 steps with 6 kept: 64 * 6 + 6 * 14; here of 10 steps."""
    out = tmp_path / "out"
    quick = (*SMALL, "--set", "schedule.steps=10")
    ask = ("explore", TEXT_TO_IMAGE, *quick, "--seed", 40, "--seeds", 6, "--out", out, "--json")
    first = in_process(*ask)
    estimates = told(first, "estimate")
    assert [each["seeds"] for each in estimates] == [{"noise.seed": 40 + i} for i in range(6)]
    assert first.lines[-1]["model_calls"] == 6 * 3
    names = [f"estimate_00{i}.png" for i in range(1, 7)]
    assert sorted(path.name for path in out.iterdir()) == [*names, "estimates.html", "explore.json"]
    pinned = [path for path in (tmp_path / "home").rglob("*-step.result") if is_pinned(path)]
    assert len(pinned) == 6
    second = in_process(*ask, "--keep", "2,5")  # in another process
    finished = told(second, "finished")
    assert [each["candidate"] for each in finished] == [2, 5]
    assert second.lines[-1]["model_calls"] == 2 * 7
    assert not any(map(is_pinned, pinned))
    home, in_process.home = in_process.home, tmp_path / "fresh"
    plain = in_process("run", TEXT_TO_IMAGE, *quick, "--seed", 44)
    assert np.array_equal(pixels(plain.out.strip()), pixels(finished[1]["outputs"][0]))
    for made in (names[4], Path(finished[1]["outputs"][0]).name):
        saved = json.loads(Image.open(out / made).text["nodeforge"])
        assert saved["nodes"]["noise"]["values"]["seed"] == 44
        assert saved["nodes"]["denoise"]["type"] == "sampling.denoise"
    in_process.home = home
    third = in_process(*ask, "--keep", "5,3")
    assert third.lines[-1]["model_calls"] == 7  # 5 is there already


def is_pinned(path: Path) -> bool:
    return path.stat().st_mtime > path.stat().st_ctime + 3600


def test_choosing_at_once_and_more_seeds_later_run_nothing_twice(in_process, tmp_path: Path):
    quick = (*SMALL, "--set", "schedule.steps=5", "--until", 0.4, "--out", tmp_path / "out")
    ask = ("explore", TEXT_TO_IMAGE, *quick, "--json")
    assert in_process(*ask, "--seeds", 2, "--keep", "1-2").lines[-1]["model_calls"] == 2 * 5
    assert in_process(*ask, "--seeds", 3).lines[-1]["model_calls"] == 2


def test_of_two_passes_the_first_is_looked_at_and_both_are_finished(in_process, tmp_path: Path):
    ask = ("explore", WORKFLOWS / "two_pass_upscale.json", "--set", "schedule.steps=5")
    ask = (*ask, "--seeds", 2, "--until", 0.4, "--out", tmp_path / "out", "--json")
    first = in_process(*ask)
    assert first.lines[-1]["model_calls"] == 2 * 2
    counted = Counter(node for each in told(first, "estimate") for node in each["seeds"])
    assert counted == {"noise.seed": 2, "second_noise.seed": 2}


def test_each_first_loop_has_an_estimate(in_process, tmp_path: Path):
    ask = ("explore", WORKFLOWS / "compare_samplers.json", "--set", "schedule.steps=2")
    done = in_process(*ask, "--seeds", 1, "--until", 0.5, "--out", tmp_path / "out", "--json")
    (only,) = told(done, "estimate")
    assert [Path(path).name for path in only["outputs"]] == [
        "estimate_001.png",
        "estimate_001_2.png",
        "estimate_001_3.png",
        "estimate_001_4.png",
    ]


@pytest.mark.parametrize("keep", ["0", "5", "1,x", "3-2", "1-9", ""])
def test_a_choice_that_is_not_there_is_refused(refused, tmp_path: Path, keep: str):
    with pytest.raises(RequestError) as error:
        refused("explore", TEXT_TO_IMAGE, "--seeds", 4, "--keep", keep, "--out", tmp_path / "out")
    assert error.value.place == f"--keep {keep}"
    assert not (tmp_path / "out").exists()


def test_a_folder_of_another_exploration_is_left_alone(in_process, monkeypatch, tmp_path: Path):
    out = tmp_path / "out"
    quick = (*SMALL, "--set", "schedule.steps=2")
    ask = ("explore", TEXT_TO_IMAGE, *quick, "--seeds", 1, "--out", out)
    assert in_process(*ask).code == 0
    monkeypatch.undo()  # of what is refused, no worker need start
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for other in (("--until", 0.9), ("--set", "prompt.text=a cat")):
        with pytest.raises(RequestError, match="explores"):
            in_process(*ask, *other)
    (out / "explore.json").write_text("{")
    with pytest.raises(RequestError, match="damaged"):
        in_process(*ask)
    (out / "explore.json").unlink()
    with pytest.raises(RequestError, match="holds estimates"):
        in_process(*ask)
    (out / "explore.json").write_bytes(before["explore.json"])
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (("save",), "saves no picture"),
        (("noise",), "no seed"),
        (("denoise",), "has no Denoise"),
    ],
)
def test_a_workflow_with_nothing_to_choose_is_refused(
    refused, tmp_path: Path, missing: tuple[str, ...], words: str
):
    raw = workflow()
    for name in missing:
        del raw["nodes"][name]
    raw["links"] = {
        end: start
        for end, start in raw["links"].items()
        if end.partition(".")[0] in raw["nodes"] and start.partition(".")[0] in raw["nodes"]
    }
    (tmp_path / "w.json").write_text(json.dumps(raw))
    with pytest.raises(RequestError, match=words):
        refused("explore", tmp_path / "w.json", "--out", tmp_path / "out")


def test_candidates_in_a_batch_look_as_alone_and_end_as_plain_runs(in_process, tmp_path: Path):
    quick = (*SMALL, "--set", "schedule.steps=4", "--seeds", 5, "--until", 0.5)
    ask = ("explore", TEXT_TO_IMAGE, *quick, "--json")
    alone = told(in_process(*ask, "--out", tmp_path / "alone"), "estimate")
    done = in_process(*ask, "--out", tmp_path / "batch", "--batch", 2, "--keep", 4)
    together = told(done, "estimate")
    assert "equal to 1e-3" in done.err
    assert done.lines[-1]["model_calls"] == 2 * 2 + 2  # 5 is one by itself, and known
    for one, other in zip(alone, together, strict=True):
        assert one["seeds"] == other["seeds"]
        first, second = (pixels(each["outputs"][0]).astype(int) for each in (one, other))
        assert abs(first - second).max() <= 1
        saved = json.loads(Image.open(other["outputs"][0]).text["nodeforge"])
        assert saved["nodes"]["noise"]["values"]["batch"] == 1
        assert saved["nodes"]["noise"]["values"]["seed"] == other["seeds"]["noise.seed"]
    assert not any(map(is_pinned, (tmp_path / "home").rglob("*-step.result")))


def test_a_batch_that_cannot_be_split_into_seeds_is_refused(refused, tmp_path: Path):
    ask = ("explore", TEXT_TO_IMAGE, "--out", tmp_path / "out", "--batch", 4)
    with pytest.raises(RequestError, match="as ComfyUI does"):
        refused(*ask, "--set", "sampler.convention=comfyui")
    raw = workflow()
    raw["nodes"]["seed"] = {"type": "values.seed"}
    raw["links"]["noise.seed"] = "seed.value"
    (tmp_path / "w.json").write_text(json.dumps(raw))
    with pytest.raises(RequestError, match="has a seed or a batch"):
        refused("explore", tmp_path / "w.json", *ask[2:])


def test_every_cell_of_axes_has_candidates_of_every_seed(in_process, tmp_path: Path):
    axes = ("--axis", "schedule.steps=4,8", "--axis", "sampler.name=euler,heun")
    skip = ("--skip", "schedule.steps=8,sampler.name=heun")
    ask = ("explore", TEXT_TO_IMAGE, *SMALL, *axes, *skip, "--seeds", 2, "--until", 0.5)
    ask = (*ask, "--out", tmp_path / "out", "--json", "--batch", 1)
    done = in_process(*ask, "--keep", 5)
    told_of = [(each["settings"], each["seeds"]["noise.seed"]) for each in told(done, "estimate")]
    assert told_of == [
        ([f"schedule.steps={steps}", f"sampler.name={name}"], seed)
        for steps, name in ((4, "euler"), (4, "heun"), (8, "euler"))
        for seed in (1, 2)
    ]
    (kept,) = told(done, "finished")
    assert (kept["candidate"], kept["model_calls"]) == (5, 4)
    assert "5, schedule.steps=8, sampler.name=euler" in Path(done.lines[-1]["html"]).read_text()
    with pytest.raises(RequestError, match="explores another"):
        in_process(*ask, "--seeds", 3)


def test_fewer_seeds_than_before_keep_the_sheet_of_all(in_process, tmp_path: Path):
    ask = ("explore", TEXT_TO_IMAGE, *SMALL, "--set", "schedule.steps=2", "--out", tmp_path / "out")
    in_process(*ask, "--seeds", 3)
    done = in_process(*ask, "--seeds", 1)
    assert Path(done.out.strip()).read_text("utf-8").count("<figure>") == 3


def test_the_queue_runs_estimates_and_what_is_chosen_as_the_command_does(
    in_process, tmp_path: Path
):
    """Jobs as the window queues them: 2 estimates at 2 of 4 steps, one finished by 2 more."""
    document, catalogue = read_any(TEXT_TO_IMAGE), Catalogue.shipped()
    document.node("noise").values |= {"width": 64, "height": 64, "seed": 40}
    document.node("schedule").values["steps"] = 4
    home, queue = tmp_path / "home", JobQueue(tmp_path / "home")
    base = NewJob("fox", "", outputs=tmp_path / "out" / "explore_a")
    jobs = queue.add(candidate_jobs(base, document, catalogue, 2, 0.5, "a"))
    assert in_process("queue", "run").code == 0
    made = [queue.job(job.id) for job in jobs]
    assert [job.model_calls for job in made] == [2, 2]
    assert [file.name for job in made for file in job.files] == [
        "estimate_001_00001.png",
        "estimate_002_00001.png",
    ]
    saved = json.loads(Image.open(made[1].files[0]).text["nodeforge"])
    assert saved["nodes"]["noise"]["values"]["seed"] == 41
    assert saved["nodes"]["denoise"]["type"] == "sampling.denoise"
    pinned = [path for path in home.rglob("*-step.result") if is_pinned(path)]
    assert sorted(map(str, pinned)) == sorted(file for job in made for file in job.checkpoints)
    (chosen,) = queue.add(
        [finishing_job(made[1], queue.text(made[1].id), tmp_path / "out", catalogue)]
    )
    assert in_process("queue", "run").code == 0
    finished = queue.job(chosen.id)
    assert finished.model_calls == 2
    in_process.home = tmp_path / "fresh"
    options = (*SMALL, "--set", "schedule.steps=4", "--seed", 41)
    plain = in_process("run", TEXT_TO_IMAGE, *options)
    assert np.array_equal(pixels(plain.out.strip()), pixels(finished.files[0]))


def test_two_workers_explore_and_finish_as_one_does(in_process, tmp_path: Path):
    in_process.patch.setenv("OMP_NUM_THREADS", "1")  # numbers hang on it
    quick = (*SMALL, "--set", "schedule.steps=6", "--seeds", 4, "--keep", "2,3", "--json")
    ask = ("explore", TEXT_TO_IMAGE, *quick, "--device", "cpu")
    both = in_process(*ask, "--workers", 2, "--out", tmp_path / "both")
    assert both.lines[-1]["model_calls"] == 4 * 2 + 2 * 4
    in_process.home = tmp_path / "fresh"
    alone = in_process(*ask, "--workers", 1, "--out", tmp_path / "alone")

    def made(done: Done) -> dict[tuple[str, int], bytes]:
        lines = [line for line in done.lines if "candidate" in line]
        return {
            (line["event"], line["candidate"]): pixels(line["outputs"][0]).tobytes()
            for line in lines
        }

    assert len(made(both)) == 6
    assert made(both) == made(alone)
    assert sorted(path.name for path in (tmp_path / "both").iterdir() if path.is_dir()) == []
