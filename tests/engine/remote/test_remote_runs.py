"""Workflows run on another machine as on this one, also over a line that breaks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nodeforge.engine import events
from nodeforge.engine.remote.address import MachineError
from nodeforge.settings import Settings
from support.other_machine import OtherMachine, RemoteWatched
from support.processes import chain, home_with_pack


def saving(text: str = "hello") -> dict[str, Any]:
    graph = chain(3, text=text)
    graph["nodes"]["save"] = {"type": "chain.save", "values": {}}
    graph["links"]["save.text"] = "end.text"
    return graph


def steps(text: str, count: int = 30, seconds: float = 0.05) -> dict[str, Any]:
    values = {"count": count, "seconds": seconds}
    return {
        "nodes": {
            "start": {"type": "chain.start", "values": {"text": text}},
            "steps": {"type": "chain.steps", "values": values},
        },
        "links": {"steps.text": "start.text"},
    }


def picture_graph(file: str) -> dict[str, Any]:
    return {
        "nodes": {
            "load": {"type": "image.load", "values": {"file": file}},
            "save": {"type": "image.save", "values": {"prefix": "out"}},
        },
        "links": {"save.image": "load.image"},
    }


def picture(path: Path, size: int = 8, colour: tuple[int, int, int] = (200, 10, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size, size), colour).save(path)
    return path


def test_what_is_saved_there_comes_home(far: RemoteWatched, here: Settings):
    end = far.run(saving())
    assert isinstance(end, events.RunFinished)
    file = here.home / "outputs" / "5.txt"
    assert file.read_text() == "hello"
    assert end.outputs == [str(file)]
    assert [event.path for event in far.told(events.Saved)] == [str(file)]
    again = far.run(saving(), "again")
    assert isinstance(again, events.RunFinished)
    assert again.outputs == [str(file.with_name("5_00001.txt"))]


def test_a_picture_is_sent_once_by_its_content(far: RemoteWatched, here: Settings, tmp_path: Path):
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.png"
    Image.fromarray(rng.integers(0, 255, (256, 256, 3), np.uint8)).save(path)
    size = path.stat().st_size
    end = far.run(picture_graph(str(path)), granted=[str(path)])
    assert isinstance(end, events.RunFinished), far.events
    saved = Image.open(end.outputs[0])
    assert np.array_equal(np.asarray(saved), np.asarray(Image.open(path)))
    sent, received = far.remote.traffic
    assert sent > size
    copy = tmp_path / "elsewhere" / path.name
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    far.run(picture_graph(str(copy)), "second", granted=[str(copy)])
    again = far.remote.traffic
    assert again[0] - sent < 8_000
    assert again[1] - received < 8_000  # its content is here already


def test_a_picture_of_the_inputs_and_an_asset_are_sent(far: RemoteWatched, here: Settings):
    picture(here.inputs / "red.png")
    assert isinstance(far.run(picture_graph("red.png")), events.RunFinished)
    lost = far.run(picture_graph("lost.png"), "lost")
    assert isinstance(lost, events.Failed)
    assert "there is no picture 'lost.png'" in lost.error.fact
    assert "on far" in lost.error.place


def test_a_folder_of_pictures_is_sent_in_its_order(
    far: RemoteWatched, here: Settings, tmp_path: Path
):
    folder = tmp_path / "pictures"
    for number, red in ((2, 20), (10, 100)):
        picture(folder / f"{number}.png", colour=(red, 0, 0))
    graph = picture_graph("")
    graph["nodes"]["folder"] = {"type": "lists.pictures", "values": {"folder": str(folder)}}
    graph["links"]["load.file"] = "folder.file"
    end = far.run(graph, granted=[str(folder)])
    assert isinstance(end, events.RunFinished), end
    reds = [np.asarray(Image.open(path))[0, 0, 0] for path in end.outputs]
    assert reds == [20, 100]


def test_a_line_that_breaks_is_a_pause(far: RemoteWatched, there: OtherMachine):
    far.start(steps("pause"))
    far.wait_for(events.Progress)
    there.is_away = True
    there.cut()
    far.wait_for(events.Notice)
    there.is_away = False
    end = far.wait()
    assert isinstance(end, events.RunFinished)
    assert end.model_calls == 30
    facts = [event.fact for event in far.told(events.Notice)]
    assert "is lost" in facts[0]
    assert "is back" in facts[-1]
    assert [event.step for event in far.told(events.Progress)] == list(range(1, 31))


def test_a_machine_that_is_switched_off_gives_its_run_back(here: Settings, there: OtherMachine):
    far = RemoteWatched(here, there, keep=2.0)
    far.start(steps("off", 200))
    far.wait_for(events.Progress)
    there.is_away = True
    there.end()
    end = far.wait()
    assert isinstance(end, events.WorkerDied)
    assert "cannot be reached" in end.last_words
    there.is_away = False
    far.close()


def test_a_host_that_ended_gives_its_run_back(far: RemoteWatched, there: OtherMachine):
    far.start(steps("ended", 200))
    far.wait_for(events.Progress)
    there.end()
    end = far.wait()
    assert isinstance(end, events.WorkerDied)
    assert "its host has ended" in end.last_words
    assert isinstance(far.run(saving(), "after"), events.RunFinished)


def test_a_run_is_stopped_and_goes_on_from_its_steps(far: RemoteWatched):
    far.start(steps("stop", 200))
    far.wait_for(events.Progress)
    far.client.cancel("run")
    assert isinstance(far.wait(), events.RunCancelled)
    far.start(steps("stop", 40), "again")
    end = far.wait("again")
    assert isinstance(end, events.RunFinished)
    assert end.model_calls < 40


def test_a_worker_that_is_killed_there_is_told(far: RemoteWatched):
    far.start(steps("kill", 200))
    far.wait_for(events.Progress)
    far.client.kill()
    assert isinstance(far.wait(), events.WorkerDied)
    assert isinstance(far.run(saving(), "after"), events.RunFinished)


def test_only_one_client_at_a_time(far: RemoteWatched, here: Settings, there: OtherMachine):
    far.run(saving())
    other = RemoteWatched(here, there)
    with pytest.raises(MachineError, match="is in use by"):
        other.remote.open()
    far.close()
    there.lines[0].wait(5)
    other.remote.open()
    assert isinstance(other.run(saving()), events.RunFinished)
    other.close()


def test_another_version_there_is_refused(
    here: Settings, there: OtherMachine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("nodeforge.engine.remote.connection.__version__", "0.0.7")
    far = RemoteWatched(here, there)
    end = far.run(saving())
    assert isinstance(end, events.Failed)
    assert "and this machine 0.0.7" in end.error.fact
    assert "same version" in end.error.way_out
    far.close()


def test_results_that_cannot_be_written_here_end_the_run(far: RemoteWatched, here: Settings):
    (here.home / "outputs").write_text("a file")
    end = far.run(saving())
    assert isinstance(end, events.Failed)
    assert end.node == "save"
    assert "cannot be written" in end.error.fact
    assert isinstance(far.run(chain(3), "after", targets=["end"]), events.RunFinished)


def test_questions_are_answered_there(far: RemoteWatched, there: OtherMachine):
    assert "chain.link" in str(far.client.ask("catalogue").result(60))
    plan = far.client.ask("plan", graph=chain(3, text="asked"), targets=["end"]).result(60)
    assert set(plan["nodes"]) == {"start", "n0", "end"}
    with pytest.raises(MachineError, match="files of this machine"):
        far.client.ask("convert_pickle", path="x", target="y").result(60)


def test_a_run_whose_machine_is_gone_goes_on_from_its_last_step_on_another(
    here: Settings, there: OtherMachine, tmp_path: Path
):
    far = RemoteWatched(here, there, keep=2.0, tells_steps=0.1)
    far.start(steps("gone", 200))
    while not any(here.result_cache.rglob("*-step.result")):
        far.wait_for(events.Progress)
    there.is_away = True
    there.end()
    died = far.wait()
    there.is_away = False
    far.close()
    assert isinstance(died, events.WorkerDied)
    assert [Path(file).is_relative_to(here.result_cache) for file in died.checkpoints] == [True]
    home_with_pack(tmp_path / "third")
    third = OtherMachine(tmp_path / "third")
    far = RemoteWatched(here, third)
    end = far.run(steps("gone", 6), "again", checkpoints=died.checkpoints)
    assert isinstance(end, events.RunFinished), end
    assert end.model_calls < 6
    far.close()
    third.end()


def test_the_last_steps_of_a_loop_come_home(here: Settings, there: OtherMachine):
    far = RemoteWatched(here, there, tells_steps=60.0)
    end = far.run(steps("kept", 3), "kept", kept_loops=["steps"])
    assert isinstance(end, events.RunFinished)
    assert [Path(file).is_file() for file in end.checkpoints] == [True]
    far.close()


def test_a_run_whose_worker_is_killed_there_has_its_last_step_here(
    here: Settings, there: OtherMachine
):
    far = RemoteWatched(here, there, tells_steps=0.1)
    far.start(steps("killed there", 200))
    while not any(here.result_cache.rglob("*-step.result")):
        far.wait_for(events.Progress)
    far.client.kill()
    died = far.wait()
    far.close()
    assert isinstance(died, events.WorkerDied)
    assert [Path(file).is_file() for file in died.checkpoints] == [True]
