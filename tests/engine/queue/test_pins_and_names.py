"""Paused jobs keep what they go on from; names are reserved before a job runs, and it ends once."""

import itertools
import json
import threading
from pathlib import Path

import pytest

from nodeforge.engine.cache.disk import PINNED
from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.expected_files import ExpectedFiles, expected_files
from nodeforge.engine.queue.job import JobGroup, NewJob
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.output_files import OutputFiles
from nodeforge.engine.queue.states import State
from nodeforge.formats import read_any, write
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue, NodeSpec, PortSpec, Saves, TextWidget
from support.queue_worker import CALLS, HOOKS, STEPS, new_job, run_queue, runner_of, wait_until

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"


def pinned(home: Path) -> list[Path]:
    """The checkpoints that are pinned, in the order of the steps."""
    files = sorted(home.rglob("*-step.result"))
    return [each for each in files if each.stat().st_mtime > each.stat().st_ctime + 3600]


def paused(queue: JobQueue, *, size: int = 4) -> str:
    """A job that was paused after its third step; its id."""
    (job,) = queue.add([new_job(size=size)])
    asked = threading.Event()

    def pause() -> None:
        if not asked.is_set():
            asked.set()
            JobQueue(queue.home).pause(job.id)
            client = runner._workers[0].client
            assert client is not None
            wait_until(lambda: bool(client._stopping))

    HOOKS["step 3"] = pause
    runner = runner_of(queue)
    assert runner.run().states == {job.id: State.PAUSED}
    return job.id


@pytest.mark.parametrize("size", [4, 600], ids=["small", "over 4 MB"])
@pytest.mark.parametrize("let_go", ["resume", "cancel", "remove"])
def test_a_paused_jobs_checkpoint_is_pinned_until_it_is_let_go(
    queue: JobQueue, let_go: str, size: int
):
    job = paused(queue, size=size)
    (kept,) = pinned(queue.home)
    assert kept.stat().st_mtime > kept.stat().st_ctime + PINNED  # longer than an exploration's
    assert queue.job(job).checkpoints == (str(kept),)
    getattr(queue, let_go)(job)
    assert not pinned(queue.home)
    assert kept.exists()


def test_a_waiting_job_that_was_begun_is_pinned_when_it_is_paused(queue: JobQueue):
    job = paused(queue)
    queue.resume(job)
    queue.pause(job)
    assert len(pinned(queue.home)) == 1
    queue.resume(job)
    assert run_queue(queue).states == {job: State.DONE}
    assert CALLS["step"] == STEPS
    assert not pinned(queue.home)
    assert queue.job(job).checkpoints == ()


@pytest.mark.parametrize("count", [1, 4])
def test_a_job_killed_after_its_last_file_is_told_done(queue: JobQueue, count: int):
    (job,) = queue.add([new_job(count=count)])
    run_queue(queue)
    was_running(queue)
    calls = dict(CALLS)
    claims = JobClaims(queue, "test")
    assert [left.id for left in claims.acquire()] == [job.id]
    assert queue.job(job.id).state is State.DONE
    assert queue.job(job.id).ended is not None
    assert calls == dict(CALLS)


def test_a_job_that_lacks_a_file_makes_it_alone(queue: JobQueue):
    (job,) = queue.add([new_job(count=4)])
    run_queue(queue)
    made = queue.job(job.id).files
    made[3].unlink()
    was_running(queue)
    assert run_queue(queue).states == {job.id: State.DONE}
    assert queue.job(job.id).files == made
    assert all(path.exists() for path in made)
    assert len(list(made[0].parent.iterdir())) == 4
    assert CALLS["step"] == STEPS


def test_a_resumed_job_whose_files_are_there_runs_nothing(queue: JobQueue):
    (job,) = queue.add([new_job(count=2)])
    run_queue(queue)
    queue.base.do(lambda base: base.execute("UPDATE jobs SET state = 'cancelled'"))
    queue.resume(job.id)
    assert run_queue(queue).states == {job.id: State.DONE}
    assert CALLS["write"] == 2
    assert len(queue.job(job.id).files) == 2


def was_running(queue: JobQueue) -> None:
    """As a runner that was killed before it said what has become of its job."""
    queue.base.do(lambda base: base.execute("UPDATE jobs SET state = 'running'"))


def test_names_are_in_the_database_before_the_job_runs(queue: JobQueue, tmp_path: Path):
    first, second = queue.add([new_job(1), new_job(2)])
    (tmp_path / "fox_00001.png").touch()
    expected = {"save": ExpectedFiles(2, (Path("fox_00001.png"), Path("fox_00001.png")))}
    claims = JobClaims(queue, "test")
    claims.acquire()
    for job in (first, second, first):
        claims.keep_outputs(job, tmp_path)
        OutputFiles(claims, queue.job(job.id)).open(expected)
    told = queue.base.do(lambda base: base.execute("SELECT job, path FROM files").fetchall())
    assert [(job, Path(path).name) for job, path in told] == [
        (first.id, "fox_00002.png"),
        (first.id, "fox_00003.png"),
        (second.id, "fox_00004.png"),
        (second.id, "fox_00005.png"),
    ]
    assert queue.job(first.id).files == ()  # none is there yet


def workflow(**values: object) -> Graph:
    graph = read_any(TEXT_TO_IMAGE).graph
    for name, value in values.items():
        node, _, port = name.partition("_")
        graph.nodes[node].values[port] = value
    return graph


@pytest.mark.parametrize(
    ("values", "count", "names"),
    [
        ({}, 1, ["fox_00001.png"]),
        ({"noise_batch": 3}, 3, ["fox_00001.png"] * 3),
        ({"noise_batch": 3, "noise_item": 1}, 1, ["fox_00001.png"]),
        ({"save_prefix": "a/{width}"}, 1, []),
        ({"save_prefix": "a/b", "save_format": "jpeg"}, 1, ["a/b_00001.jpg"]),
        ({"save_prefix": "{nothing}"}, 1, []),
    ],
)
def test_what_is_known_of_files_before_a_run(values, count, names):
    graph = workflow(**{"save_prefix": "fox"} | values)
    (found,) = expected_files(graph, Catalogue.shipped(), [], {}).values()
    assert found.count == count
    assert [path.as_posix() for path in found.names] == names


def test_a_batch_that_a_latent_decides_is_known_only_after_the_run():
    graph = read_any(shipped("workflows") / "image_to_image.json").graph
    (encode,) = (name for name, node in graph.nodes.items() if node.type == "latent.encode")
    graph.nodes[encode].type = "some.pack"
    (found,) = expected_files(graph, Catalogue.shipped(), [], {}).values()
    assert found == ExpectedFiles(None)
    graph = workflow()
    graph.links[Input("noise", "batch")] = Output("schedule", "count")
    (found,) = expected_files(graph, Catalogue.shipped(), [], {}).values()
    assert found.count is None


def chain(**nodes: Node) -> Graph:
    """Nodes, each linked to the one before: by the port that is named as what comes in."""
    graph = Graph(dict(nodes))
    names = list(nodes)
    for before, after in itertools.pairwise(names):
        inputs = {port.name for port in Catalogue.shipped()[nodes[after].type].inputs}
        port = next(each for each in ("image", "images", "latent") if each in inputs)
        graph.links[Input(after, port)] = Output(before, port)
    return graph


@pytest.mark.parametrize(
    ("nodes", "count"),
    [
        ({"load": Node("image.load"), "resize": Node("image.resize")}, 1),
        ({"canvas": Node("canvas.image"), "blur": Node("image.blur")}, 1),
        ({"empty": Node("latent.empty", {"batch": 3}), "decode": Node("latent.decode")}, 3),
        (
            {
                "load": Node("image.load"),
                "encode": Node("latent.encode"),
                "repeat": Node("latent.repeat", {"times": 4}),
                "denoise": Node("sampling.denoise"),
                "decode": Node("latent.decode"),
                "enlarge": Node("image.enlarge"),
            },
            4,
        ),
        ({"load": Node("image.load"), "grid": Node("image.grid")}, None),
    ],
)
def test_pictures_are_counted_on_their_way(nodes: dict[str, Node], count: int | None):
    graph = chain(**nodes, save=Node("image.save"))
    assert expected_files(graph, Catalogue.shipped(), [], {})["save"].count == count


@pytest.mark.parametrize(
    ("first", "values", "count", "names"),
    [
        (Node("audio.load"), {}, 1, ["fox_00001.flac"]),
        (Node("audio.load"), {"format": "opus", "prefix": "a/b"}, 1, ["a/b_00001.opus"]),
        (Node("audio.mix"), {}, None, []),
        (Node("audio.load"), {"format": "mp3"}, 1, []),
    ],
)
def test_files_of_sounds_are_known(first: Node, values: dict, count: int | None, names: list):
    save = Node("audio.save", {"prefix": "fox"} | values)
    graph = Graph({"sound": first, "gain": Node("audio.gain"), "save": save})
    graph.links[Input("gain", "audio")] = Output("sound", "audio")
    graph.links[Input("save", "audio")] = Output("gain", "audio")
    found = expected_files(graph, Catalogue.shipped(), [], {})["save"]
    assert (found.count, [path.as_posix() for path in found.names]) == (count, names)


@pytest.mark.parametrize(
    ("saves", "count", "names"),
    [
        (Saves("image", {"": ".exr"}, per_item=True), 1, ["fox_00001.exr"]),
        (Saves("image", {"a": ".a"}, prefix="start", format="kind"), 1, ["fox_00001.a"]),
        (Saves("image", {"b": ".b"}, prefix="start", format="kind"), None, []),
        (None, None, []),
    ],
)
def test_a_pack_declares_what_its_node_saves(saves: Saves | None, count, names):
    prefix = saves.prefix if saves else "prefix"
    inputs = (
        PortSpec("image", "image"),
        PortSpec(prefix, "text", default="fox", widget=TextWidget()),
        PortSpec("kind", "text", default="a", widget=TextWidget()),
    )
    spec = NodeSpec("a.save", 1, "", "", "", inputs, (), effects=True, saves=saves)
    assert NodeSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    catalogue = Catalogue([*Catalogue.shipped().values(), spec])
    graph = Graph({"load": Node("image.load"), "save": Node("a.save")})
    graph.links[Input("save", "image")] = Output("load", "image")
    found = expected_files(graph, catalogue, [], {})["save"]
    assert (found.count, [path.as_posix() for path in found.names]) == (count, names)


@pytest.mark.parametrize(
    ("noise", "times", "count"),
    [
        ({"batch": 3}, 1, 3),
        ({"batch": 1}, 4, 4),
        ({"batch": 4, "item": 2}, 4, 1),
        ({}, 1, 1),
    ],
)
def test_a_latent_and_a_noise_are_counted_together(noise: dict, times: int, count: int):
    graph = chain(
        load=Node("image.load"),
        encode=Node("latent.encode"),
        repeat=Node("latent.repeat", {"times": times}),
        denoise=Node("sampling.denoise"),
        decode=Node("latent.decode"),
        save=Node("image.save", {"prefix": "fox"}),
    )
    graph.nodes["noise"] = Node("sampling.noise", noise)
    graph.links[Input("denoise", "noise")] = Output("noise", "noise")
    found = expected_files(graph, Catalogue.shipped(), [], {})["save"]
    assert found.count == len(found.names) == count
    graph.links[Input("noise", "item")] = Output("repeat", "count")
    assert expected_files(graph, Catalogue.shipped(), [], {})["save"].count is None


def test_more_than_files_wanted_is_never_done_by_files_alone():
    assert expected_files(workflow(), Catalogue.shipped(), ["save", "decode"], {}) == {}
    assert expected_files(workflow(), Catalogue.shipped(), ["decode"], {}) == {}


def test_an_exploration_lets_its_checkpoints_go_at_once(queue: JobQueue, tmp_path: Path):
    groups = [JobGroup("exploration", "a", {"number": n}) for n in (1, 2)]
    text = write(read_any(TEXT_TO_IMAGE)).decode()
    jobs = queue.add([NewJob("fox", text, group=group) for group in groups])
    claims = JobClaims(queue, "test")
    claims.acquire()
    for name in "ab":
        (tmp_path / f"{name}-step.result").touch()
        job = claims.next()
        assert job is not None
        claims.end(job, State.DONE, kept=[str(tmp_path / f"{name}-step.result")])
    assert len(pinned(tmp_path)) == 2
    queue.release("exploration", "other")
    assert len(pinned(tmp_path)) == 2
    queue.release("exploration", "a")
    assert not pinned(tmp_path)
    assert [queue.job(job.id).state for job in jobs] == [State.DONE] * 2
