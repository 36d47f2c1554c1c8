"""What the rows of the queue say."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from nodeforge.engine.queue.job import Job as KeptJob
from nodeforge.engine.queue.states import State
from nodeforge.engine.running.context import RunRequest
from nodeforge.ui.panels.queue_list import QueueList
from nodeforge.ui.running.job_queue import Job

KEPT = KeptJob("12345678", "fox", State.WAITING, worker="worker 2, Box")


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (KEPT, "Waiting"),
        (replace(KEPT, state=State.RUNNING), "Running on worker 2, Box"),
        (replace(KEPT, state=State.RUNNING, worker=""), "Running"),
        (
            replace(KEPT, state=State.RUNNING, worker="far", priority=1),
            "Running on far, high priority",
        ),
        (replace(KEPT, state=State.DONE), "Done"),
    ],
)
def test_a_running_job_says_which_worker_runs_it(qtbot: QtBot, kept: KeptJob, expected: str):
    shown = QueueList()
    qtbot.addWidget(shown)
    job = Job("", "fox", {}, RunRequest("fox"), state=kept.state, kept=kept)
    shown.show_jobs([job], [], {}, set(), 0.0)
    item = shown.topLevelItem(0)
    assert item is not None
    assert item.data(1, Qt.ItemDataRole.DisplayRole) == expected
