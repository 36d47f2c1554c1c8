"""`kill -9` of worker and runner at random moments: each job ends once, and no step is lost."""

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.states import PENDING, State
from nodeforge.errors import NodeForgeError
from support import fork_server
from support.queue_worker import STEPS, new_job

FILES = 2
JOBS = 20


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory):
    place = tmp_path_factory.mktemp("fork") / "server"
    process = fork_server.start(place)
    yield place
    process.kill()
    process.wait()


class Killer:
    """Runs a queue in processes that it kills.

    Args:
        address: Of the fork server.
        home: Where the queue is.
        seed: Of the moments.
        kind: What runs the jobs.
        most: Seconds between two moments at most.
    """

    def __init__(
        self, address: Path, home: Path, seed: int, kind: str = "run", most: float = 0.4
    ) -> None:
        self.address, self.home, self.kind, self.most = address, home, kind, most
        self.queue = JobQueue(home)
        self.chance = random.Random(seed)
        self.runner = 0
        self.kills: Counter[str] = Counter()
        self.pauses = 0

    def start(self) -> None:
        if not self.runner or not fork_server.is_alive(self.runner):
            self.runner = fork_server.ask(self.address, f"{self.kind} counting", self.home)

    def kill_one(self) -> None:
        """Kill worker or runner, at a moment of a step, a write, a rename, a start."""
        time.sleep(self.chance.uniform(0.0, self.most))
        if self.chance.random() < 0.5:
            self.kills[self.kind] += fork_server.is_alive(self.runner)
            fork_server.kill(self.runner)
        elif (self.home / "worker.pid").exists():
            pid = int((self.home / "worker.pid").read_text() or 0)
            if pid:
                self.kills["worker"] += fork_server.is_alive(pid)
                fork_server.kill(pid)

    def pause_or_resume(self) -> None:
        jobs = self.queue.pending()
        if not jobs:
            return
        job = self.chance.choice(jobs[:3])
        try:
            if job.state is State.PAUSED:
                self.queue.resume(job.id)
            else:
                self.queue.pause(job.id)
                self.pauses += 1
        except NodeForgeError:
            return  # it has just ended

    def finish(self, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while pending := self.queue.pending():
            for job in pending:
                if job.state is State.PAUSED or job.wanted:
                    self.queue.resume(job.id)
            self.start()
            time.sleep(0.1)
            assert time.monotonic() < end


def killed_at(address: Path, home: Path, kills: int, seed: int, **how: Any) -> Killer:
    killer = Killer(address, home, seed, **how)
    jobs = killer.queue.add([new_job(number, count=FILES) for number in range(JOBS)])
    while killer.kills.total() < kills:
        if not any(job.state in PENDING for job in killer.queue.jobs()):
            more = [new_job(len(jobs) + number, count=FILES) for number in range(JOBS)]
            jobs += killer.queue.add(more)
        killer.start()
        if killer.chance.random() < 0.2:
            killer.pause_or_resume()
        killer.kill_one()
    killer.finish()
    fork_server.kill(killer.runner)  # a window does not end by itself
    assert not [job.error for job in killer.queue.jobs() if job.state is not State.DONE]
    files = sorted((home / "outputs").iterdir())
    owners = Counter(path.read_text().split()[-1] for path in files if path.is_file())
    assert owners == {job.id: FILES for job in jobs}  # and no folder or part is left
    assert [path.name for path in files] == [f"made_{n:05}.txt" for n in range(1, len(files) + 1)]
    for job in killer.queue.jobs():
        assert len(job.files) == FILES
        assert {path.read_text().split()[-1] for path in job.files} == {job.id}
        assert len({path.read_text().split()[0] for path in job.files}) == 1
    calls = (home / "calls").stat().st_size
    # A kill costs the step at work, and what was on its way to the disk.
    assert len(jobs) * STEPS <= calls <= len(jobs) * STEPS + 3 * killer.kills.total()
    print(f"\n{len(jobs)} jobs, {dict(killer.kills)}, {killer.pauses} pauses, {calls} model calls")
    killer.queue.close()
    return killer


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_job_ends_once_whoever_is_killed_at_a_hundred_moments(address: Path, tmp_path: Path):
    killed_at(address, tmp_path, 100, seed=1)


@pytest.mark.slow
def test_each_job_ends_once_whoever_is_killed(address: Path, tmp_path: Path):
    killed_at(address, tmp_path, 8, seed=2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_job_ends_once_also_where_the_window_is_killed(address: Path, tmp_path: Path):
    """At 20 moments: as it starts, as it works, and its worker."""
    killer = killed_at(address, tmp_path, 20, seed=3, kind="window", most=3.0)
    assert killer.kills["window"] >= 5
