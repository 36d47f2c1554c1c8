from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from nodeforge.cli import measure, replay, run
from nodeforge.cli.main import nodeforge as group
from nodeforge.cli.sweeps import cells
from nodeforge.engine.queue import runner
from nodeforge.engine.remote import open_worker
from nodeforge.errors import NodeForgeError
from support.command_line import CommandHere, CommandLine, Done
from support.processes import ForkedWorker


@pytest.fixture
def nodeforge(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandHere:
    return CommandHere(tmp_path / "home", monkeypatch)


@dataclass
class InProcess:
    """Runs commands in this process, each with a worker of its own."""

    home: Path
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: object) -> Done:
        self.patch.setenv("NODEFORGE_HOME", str(self.home))
        done = CliRunner().invoke(group, [*map(str, arguments)], standalone_mode=False)
        if isinstance(done.exception, NodeForgeError):
            raise done.exception
        code = done.return_value if done.exception is None else done.exit_code
        return Done(code or 0, done.stdout, done.stderr)


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """For commands that end before a worker has started."""
    return InProcess(tmp_path / "home", monkeypatch)


@pytest.fixture
def in_process(refused: InProcess) -> InProcess:
    """For commands whose workers compute: they are forked from a process that is warm."""
    for module in (cells, measure, replay, run):
        refused.patch.setattr(module, "open_worker", partial(open_worker, spawn=ForkedWorker))
    refused.patch.setattr(runner, "QueueRunner", partial(runner.QueueRunner, spawn=ForkedWorker))
    return refused
