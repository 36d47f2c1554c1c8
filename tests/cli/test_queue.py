"""`nodeforge queue`: what people ask for, and how it ends."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nodeforge.cli.main import nodeforge as command
from nodeforge.engine.queue.attempt import JOB
from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.states import State
from nodeforge.errors import NodeForgeError
from nodeforge.formats import read_any
from nodeforge.imaging import read_text
from support.command_line import WORKFLOWS, CommandLine, workflow

TEXT_TO_IMAGE = WORKFLOWS / "text_to_image.json"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command in this process; an error of ours is raised."""
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path))

    def run(*arguments: object) -> Result:
        done = CliRunner().invoke(command, ["queue", *map(str, arguments)], standalone_mode=False)
        if isinstance(done.exception, NodeForgeError):
            raise done.exception
        return done

    return run


def ids(done: Result) -> list[str]:
    return done.stdout.split()


def listed(run) -> list[dict]:
    return [json.loads(line) for line in run("list", "--json").stdout.splitlines()]


def test_jobs_are_added_with_values_and_seeds_of_their_own(run, tmp_path: Path):
    added = ids(run("add", TEXT_TO_IMAGE, "--set", "prompt.text=a fox", "--seed", 7, "--count", 3))
    told = listed(run)
    assert [job["id"] for job in told] == added
    assert [job["seed"] for job in told] == [7, 8, 9]
    assert [job["position"] for job in told] == [1, 2, 3]
    queue = JobQueue(tmp_path)
    values = [queue.document(job).graph.nodes for job in added]
    assert [nodes["noise"].values["seed"] for nodes in values] == [7, 8, 9]
    assert {nodes["prompt"].values["text"] for nodes in values} == {"a fox"}
    assert "a fox" in run("list").stdout


def test_without_a_seed_the_first_job_has_that_of_the_workflow(run, tmp_path: Path):
    added = ids(run("add", TEXT_TO_IMAGE, "--count", 2))
    queue = JobQueue(tmp_path)
    first, second = (queue.document(job).graph.nodes["noise"].values["seed"] for job in added)
    assert first == read_any(TEXT_TO_IMAGE).graph.nodes["noise"].values["seed"]
    assert second == first + 1


def test_a_subgraphs_own_seed_is_set_and_counted(run, tmp_path: Path):
    raw = workflow()
    raw["nodes"] = {
        "part": {
            "type": "subgraph",
            "nodes": raw["nodes"],
            "links": raw["links"],
            "inputs": {"seed": ["noise.seed"]},
            "outputs": {},
            "values": {"seed": 3},
        }
    }
    raw["links"] = {}
    (tmp_path / "w.json").write_text(json.dumps(raw))
    queue = JobQueue(tmp_path)
    for option, seeds in ((("--seed", 7), [7, 8]), ((), [3, 4])):
        added = ids(run("add", tmp_path / "w.json", *option, "--count", 2))
        assert [queue.document(job).node("part").values["seed"] for job in added] == seeds


def test_the_order_is_changed(run):
    one, two, three = ids(run("add", TEXT_TO_IMAGE, "--count", 3))
    run("move", three, 1)
    run("priority", two, 5)
    assert [job["id"] for job in listed(run)] == [two, three, one]
    run("remove", two[:6], three)
    assert [job["id"] for job in listed(run)] == [one]


def test_jobs_and_the_queue_are_paused_and_resumed(run):
    one, two = ids(run("add", TEXT_TO_IMAGE, "--count", 2))
    run("pause", one)
    assert [job["state"] for job in listed(run)] == ["paused", "waiting"]
    run("resume", one)
    run("pause")
    with pytest.raises(NodeForgeError, match="is paused"):
        run("run")
    run("resume")
    run("cancel", two)
    run("cancel", "--all")
    assert [job["state"] for job in listed(run)] == ["cancelled", "cancelled"]
    run("resume", two)
    (copy,) = ids(run("again", one))
    assert [job["id"] for job in listed(run)] == [two, copy, one]
    run("remove", "--ended")
    assert len(listed(run)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        ["remove", "00"],
        ["pause", "00"],
        ["move", "00", "1"],
        ["add", "nowhere.json"],
        ["add", str(TEXT_TO_IMAGE), "--set", "nothing.text=a"],
        ["again", "00"],
        ["log", "00"],
    ],
    ids=lambda wrong: " ".join(wrong)[:20],
)
def test_what_is_not_there_is_named(run, wrong):
    with pytest.raises(NodeForgeError) as error:
        run(*wrong)
    assert error.value.place
    assert listed(run) == []


def test_nothing_is_done_where_one_of_several_jobs_is_unknown(run):
    one = ids(run("add", TEXT_TO_IMAGE))[0]
    with pytest.raises(NodeForgeError):
        run("remove", one, "unknown")
    assert len(listed(run)) == 1


def test_the_workflow_is_checked_before_it_is_queued(run, tmp_path: Path):
    broken = workflow()
    del broken["links"]["denoise.model"]
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken))
    assert run("add", file).return_value == 2
    assert listed(run) == []


def test_a_queue_that_another_process_runs_is_refused(run, tmp_path: Path):
    queue = JobQueue(tmp_path)
    claims = JobClaims(queue, "the window")
    claims.acquire()
    with pytest.raises(NodeForgeError, match="the window runs the queue"):
        run("run")
    assert "the window" in run("list").stderr


def test_jobs_whose_runner_is_gone_wait(run, tmp_path: Path):
    run("add", TEXT_TO_IMAGE)
    child = os.fork()
    if child == 0:
        claims = JobClaims(JobQueue(tmp_path), "one")
        claims.acquire()
        claims.next()
        os._exit(0)
    os.waitpid(child, 0)
    assert [job["state"] for job in listed(run)] == ["waiting"]


def test_an_empty_queue_is_done(nodeforge: CommandLine):
    done = nodeforge("queue", "run")
    assert (done.code, done.out) == (0, "")
    assert nodeforge("queue", "remove").code == 2
    assert nodeforge("queue", "run", "--device", "toaster").code == 2


def test_the_queue_is_worked_off(nodeforge: CommandLine, tmp_path: Path):
    small = ("--set", "noise.width=64", "--set", "noise.height=64", "--set", "schedule.steps=2")
    added = nodeforge("queue", "add", TEXT_TO_IMAGE, *small, "--count", 2, "--json")
    jobs = [json.loads(line)["id"] for line in added.out.splitlines()]
    (tmp_path / "file").touch()
    nodeforge("queue", "add", TEXT_TO_IMAGE, *small, "--seed", 3)
    queue = JobQueue(nodeforge.home)
    failing = queue.pending()[-1].id
    wrong = (str(tmp_path / "file" / "inside"), failing)
    change = "UPDATE jobs SET outputs = ? WHERE id = ?"
    queue.base.do(lambda base: base.execute(change, wrong))
    done = nodeforge("queue", "run", "--out", tmp_path / "out", "--json")
    assert done.code == 1
    ended = {line["job"]: line["state"] for line in done.lines if line["event"] == "job"}
    assert ended == {jobs[0]: "done", jobs[1]: "done", failing: "failed"}
    saved = {line["job"]: Path(line["path"]) for line in done.lines if line["event"] == "saved"}
    assert sorted(saved.values()) == sorted((tmp_path / "out").iterdir())
    for job, path in saved.items():
        assert read_text(path)[JOB] == job
        assert queue.job(job).files == (path,)
        assert queue.job(job).state is State.DONE
        assert queue.job(job).model_calls == 2
    assert "denoise" in nodeforge("queue", "log", jobs[0]).out
    assert nodeforge("queue", "run").code == 0  # what has failed is not tried again by itself
