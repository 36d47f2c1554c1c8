"""With a real worker: what was starred is finished after a restart, from the steps that it has."""

import pytest

from nodeforge.engine.queue.states import State
from nodeforge.engine.worker_client.client import spawn_worker
from nodeforge.graph.edits import SetValue
from nodeforge.settings import shipped

STEPS, UNTIL = 10, 0.3


def done(window) -> list:
    return [job for job in window.runner.kept.jobs if job.state is State.DONE]


@pytest.mark.slow
def test_starred_candidates_go_on_from_their_steps_after_a_restart(qtbot, open_window):
    first = open_window(spawn_worker)
    first.files.open(shipped("workflows") / "text_to_image.json")
    opened = first.workspace.current
    for node, port, value in (
        ("noise", "width", 64),
        ("noise", "height", 64),
        ("schedule", "steps", STEPS),
    ):
        opened.perform(SetValue(node, port, value))
    group = first.sweeps.groups.start_exploration(opened, 3, UNTIL)
    first.sweeps.explore.show_group(group)
    qtbot.waitUntil(lambda: len(done(first)) == 3, timeout=120_000)
    assert [job.model_calls for job in done(first)] == [3, 3, 3]
    first.sweeps.explore.switch_star(2)
    opened.mark_saved()
    first.files.confirm_close_all = lambda: True
    first.close()
    second = open_window(spawn_worker)
    second.sweeps.explore.finish.click()
    qtbot.waitUntil(lambda: len(done(second)) == 4, timeout=120_000)
    (finished,) = [job for job in done(second) if job.group.place.get("finish")]
    assert finished.model_calls == STEPS - 3
    assert finished.group.place["number"] == 2
