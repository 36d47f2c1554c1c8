"""Order and states of jobs, whatever is done with them; a damaged or full database."""

import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nodeforge.engine.events import ErrorReport
from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.database import (
    Limits,
    NoSuchJobError,
    QueueError,
    QueueFullError,
    database_file,
)
from nodeforge.engine.queue.estimates import expected_times, plan_of
from nodeforge.engine.queue.job import Job, JobGroup, NewJob
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.states import (
    ENDED,
    PENDING,
    TRANSITIONS,
    State,
    TransitionError,
    check_transition,
)
from nodeforge.formats import write
from nodeforge.graph.document import Document
from nodeforge.graph.model import Node
from nodeforge.settings.sqlite_file import DatabaseError, NewerDatabaseError
from nodeforge.spec import Catalogue
from support.queue_worker import new_job, run_queue

EMPTY = write(Document()).decode()
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where writing is quick: every change is flushed to the disk."""
PLACES = st.integers(0, 9)


class QueueMachine(RuleBasedStateMachine):
    """The queue beside a list that does the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(dir=IN_MEMORY)
        self.queue = JobQueue(Path(self.folder.name))
        self.claims = JobClaims(self.queue, "test")
        self.claims.acquire()
        self.movable: list[tuple[str, int]] = []
        """Jobs that wait or are paused with their priorities, in their order."""
        self.states: dict[str, State] = {}
        self.running: Job | None = None

    def teardown(self) -> None:
        self.queue.close()
        self.folder.cleanup()

    def chosen(self, place: int) -> str:
        return list(self.states)[place % len(self.states)]

    def insert(self, job: str, priority: int) -> None:
        """After all of its priority or a higher one."""
        place = sum(other >= priority for _, other in self.movable)
        self.movable.insert(place, (job, priority))

    def take_out(self, job: str) -> int:
        found = next(each for each in self.movable if each[0] == job)
        self.movable.remove(found)
        return found[1]

    @rule(priority=st.integers(-1, 1))
    def add(self, priority: int) -> None:
        (job,) = self.queue.add([NewJob("job", EMPTY, priority=priority)])
        self.states[job.id] = State.WAITING
        self.insert(job.id, priority)

    @precondition(lambda self: self.movable)
    @rule(place=PLACES, position=st.integers(1, 9))
    def move(self, place: int, position: int) -> None:
        job = self.movable[place % len(self.movable)][0]
        priority = self.take_out(job)
        at = min(position - 1, len(self.movable))
        if at:
            priority = min(priority, self.movable[at - 1][1])
        if at < len(self.movable):
            priority = max(priority, self.movable[at][1])
        self.movable.insert(at, (job, priority))
        self.queue.move(job, position)

    @precondition(lambda self: self.movable)
    @rule(place=PLACES, priority=st.integers(-1, 1))
    def set_priority(self, place: int, priority: int) -> None:
        job, before = self.movable[place % len(self.movable)]
        self.queue.set_priority(job, priority)
        if before != priority:
            self.take_out(job)
            self.insert(job, priority)

    @precondition(lambda self: self.states)
    @rule(place=PLACES, then=st.sampled_from([State.PAUSED, State.CANCELLED]))
    def leave(self, place: int, then: State) -> None:
        job = self.chosen(place)
        now = self.states[job]
        do = self.queue.pause if then is State.PAUSED else self.queue.cancel
        if now is not then and then not in TRANSITIONS[now]:
            with pytest.raises(TransitionError):
                do(job)
        elif now is State.RUNNING:
            assert do(job).wanted == then
        else:
            assert do(job).state is then
            self.states[job] = then
            if then is State.CANCELLED and now in PENDING:
                self.take_out(job)

    @precondition(lambda self: self.states)
    @rule(place=PLACES)
    def resume(self, place: int) -> None:
        job = self.chosen(place)
        now = self.states[job]
        if (now is State.RUNNING and not self.queue.job(job).wanted) or now is State.DONE:
            with pytest.raises(TransitionError):
                self.queue.resume(job)
        else:
            made = self.queue.resume(job)
            if now in ENDED:
                self.insert(job, made.priority)
            self.states[job] = State.RUNNING if now is State.RUNNING else State.WAITING

    @precondition(lambda self: self.running is None)
    @rule()
    def begin(self) -> None:
        waiting = [job for job, _ in self.movable if self.states[job] is State.WAITING]
        self.running = self.claims.next()
        assert (self.running.id if self.running else None) == next(iter(waiting), None)
        if self.running is not None:
            self.states[self.running.id] = State.RUNNING
            self.priority = self.take_out(self.running.id)

    @precondition(lambda self: self.running is not None)
    @rule(state=st.sampled_from(sorted(TRANSITIONS[State.RUNNING])))
    def end(self, state: State) -> None:
        assert self.running is not None
        error = ErrorReport("Error", "no way") if state is State.FAILED else None
        self.claims.end(self.running, state, error=error)
        self.put_back(state)

    @precondition(lambda self: self.running is not None)
    @rule()
    def crash(self) -> None:
        """Its runner is gone; another takes over, as people wanted it."""
        assert self.running is not None
        wanted = self.queue.job(self.running.id).wanted
        self.claims.lease.release()
        self.claims = JobClaims(self.queue, "test")
        self.claims.acquire()
        self.put_back(State(wanted) if wanted else State.WAITING)

    def put_back(self, state: State) -> None:
        """A job that was interrupted is the first of its priority again."""
        assert self.running is not None
        self.states[self.running.id] = state
        if state in PENDING:
            place = sum(other > self.priority for _, other in self.movable)
            self.movable.insert(place, (self.running.id, self.priority))
        self.running = None

    @precondition(lambda self: self.states)
    @rule(place=PLACES)
    def remove(self, place: int) -> None:
        job = self.chosen(place)
        if self.states[job] is State.RUNNING:
            with pytest.raises(QueueError):
                self.queue.remove(job)
            return
        self.queue.remove(job)
        if self.states.pop(job) in PENDING:
            self.take_out(job)

    @rule()
    def open_again(self) -> None:
        self.queue.close()

    @invariant()
    def order_and_states_are_those_of_the_list(self) -> None:
        pending = self.queue.pending()
        shown = [job.id for job in pending if job.state is not State.RUNNING]
        assert shown == [job for job, _ in self.movable]
        assert [job.priority for job in pending if job.state is not State.RUNNING] == [
            priority for _, priority in self.movable
        ]
        assert {job.id: job.state for job in self.queue.jobs()} == self.states
        assert [job for job in pending if job.state is State.RUNNING] == pending[
            : self.running is not None
        ]


TestOrderAndStates = QueueMachine.TestCase
TestOrderAndStates.settings = settings(
    max_examples=15,
    phases=[Phase.generate],
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class LongQueueMachine(QueueMachine):
    """The same, for longer."""


TestOrderAndStatesForLonger = pytest.mark.slow(LongQueueMachine.TestCase)
TestOrderAndStatesForLonger.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("now", State)
@pytest.mark.parametrize("then", State)
def test_the_table_says_which_state_may_follow(now: State, then: State):
    if then in TRANSITIONS[now]:
        check_transition("a", now, then)
    else:
        with pytest.raises(TransitionError, match=f"is {now}, so it cannot become {then}"):
            check_transition("a", now, then)


def test_ids_may_be_shortened_while_one_job_begins_so(queue: JobQueue):
    jobs = queue.add([new_job(i) for i in range(20)])
    assert queue.job(jobs[3].id[:7]).id == jobs[3].id
    with pytest.raises(NoSuchJobError):
        queue.job("")
    with pytest.raises(NoSuchJobError, match="no such job"):
        queue.job("%")


def test_a_job_says_what_it_is_part_of_and_what_was_set(queue: JobQueue):
    group = JobGroup("sweep", "s1", {"row": 1, "column": 2})
    (job,) = queue.add([NewJob("a", EMPTY, overrides=("a.b=ä",), seed=2**63 - 1, group=group)])
    assert (job.group, job.overrides, job.seed) == (group, ("a.b=ä",), 2**63 - 1)
    assert json.loads(json.dumps(job.to_json()))["group"]["place"] == {"row": 1, "column": 2}


def test_all_or_none_of_several_jobs_are_added(queue: JobQueue):
    queue.limits = Limits(pending=3)
    queue.add([new_job()])
    with pytest.raises(QueueFullError, match="at most 3 jobs"):
        queue.add([new_job(i) for i in range(3)])
    assert len(queue.jobs()) == 1


def test_the_oldest_ended_jobs_give_way(queue: JobQueue):
    queue.limits = Limits(ended=2)
    for number in range(4):
        queue.add([new_job(number)])
        run_queue(queue)
    assert len(queue.ended()) == 3
    queue.add([new_job(9)])
    assert [job.seed for job in queue.ended()] == [3, 2]
    assert len(list(queue.logs.glob("*.log"))) == 2


def test_a_queue_that_fills_its_disk_takes_no_more(queue: JobQueue):
    queue.add([new_job()])
    queue.limits = Limits(bytes=20_000)
    with pytest.raises(QueueFullError, match="of disk"):
        queue.add([new_job()])
    assert queue.jobs()


def test_assets_are_pinned_until_a_job_is_done(queue: JobQueue):
    document = Document()
    document.assets["a.png"] = {"sha256": "ab" * 32, "kind": "image"}
    (job,) = queue.add([NewJob("a", write(document).decode())])
    assert queue.pinned_assets() == {"ab" * 32}
    queue.cancel(job.id)
    assert queue.pinned_assets() == {"ab" * 32}  # it may be resumed
    queue.remove(job.id)
    assert queue.pinned_assets() == set()


def test_cancel_all_and_remove_ended(queue: JobQueue):
    first, _, third = queue.add([new_job(i) for i in range(3)])
    queue.pause(third.id)
    assert queue.cancel_all() == 3
    assert queue.job(first.id).state is State.CANCELLED
    assert queue.remove_ended() == 3
    assert queue.jobs() == []


def test_a_paused_queue_begins_nothing(queue: JobQueue):
    queue.add([new_job()])
    queue.pause_queue(True)
    assert JobQueue(queue.home).paused
    assert run_queue(queue).stopped == "The queue is paused."
    queue.pause_queue(False)
    assert run_queue(queue).count(State.DONE) == 1


def test_a_change_by_another_process_is_seen(queue: JobQueue):
    before = queue.changes()
    assert queue.changes() == before
    JobQueue(queue.home).add([new_job()])
    assert queue.changes() != before


def test_times_are_expected_from_jobs_of_the_same_plan(queue: JobQueue):
    queue.add([new_job(i) for i in range(3)])
    queue.pause(queue.pending()[1].id)
    durations = {"counted": 30.0}
    times = expected_times(queue.pending(), durations, 1000.0)
    first, paused, last = (times[job.id] for job in queue.pending())
    assert (first.start, first.end) == (1000.0, 1030.0)
    assert paused.end is None
    assert (last.start, last.end) == (1030.0, 1060.0)
    beside = expected_times(queue.pending(), durations, 1000.0, workers=2)
    assert [beside[job.id].start for job in queue.pending()] == [1000.0, None, 1000.0]
    unknown = expected_times(queue.pending(), {}, 1000.0)
    assert unknown[queue.pending()[2].id].start is None
    run_queue(queue)
    assert set(queue.durations()) == {"counted"}


def test_jobs_that_run_beside_each_other_end_beside_each_other(queue: JobQueue):
    queue.add([new_job(i) for i in range(3)])
    first, second, third = queue.pending()
    running = [replace(job, state=State.RUNNING, started=990.0) for job in (first, second)]
    times = expected_times([*running, third], {"counted": 30.0}, 1000.0, left={second.id: 5.0})
    assert (times[first.id].end, times[second.id].end) == (1020.0, 1005.0)
    assert times[third.id].start == 1005.0


def test_a_plan_counts_neither_seeds_nor_prompts():
    catalogue = Catalogue.shipped()

    def plan(seed: int, text: str, width: int) -> str:
        document = Document()
        document.graph.nodes["n"] = Node("sampling.noise", {"seed": seed, "width": width})
        document.graph.nodes["t"] = Node("text.encode", {"text": text})
        return plan_of(document, catalogue)

    assert plan(1, "a fox", 64) == plan(2, "a cat", 64)
    assert plan(1, "a fox", 64) != plan(1, "a fox", 128)


def filled(home: Path, count: int = 40) -> list[str]:
    queue = JobQueue(home)
    jobs = queue.add([new_job(number) for number in range(count)])
    queue.close()
    return [job.id for job in jobs]


def test_a_database_that_is_none_is_moved_aside_and_overwrites_nothing(tmp_path: Path):
    for number in (1, 2):
        database_file(tmp_path).write_bytes(b"no database %d" % number * 1000)
        queue = JobQueue(tmp_path)
        assert queue.jobs() == []
        aside = tmp_path / f"queue.damaged-{number}.sqlite"
        assert queue.moved_aside == aside
        assert aside.read_bytes().startswith(b"no database %d" % number)
        queue.close()


def test_jobs_of_a_damaged_database_are_recovered(tmp_path: Path):
    ids = filled(tmp_path)
    file = database_file(tmp_path)
    data = bytearray(file.read_bytes())
    page = len(data) // 4096 // 2 * 4096
    data[page : page + 4096] = bytes(4096)
    file.write_bytes(data)
    queue = JobQueue(tmp_path)
    found = [job.id for job in queue.pending()]
    if queue.moved_aside is None:  # the page was not of the table
        pytest.skip("the damage is where nothing lies")
    assert len(found) > len(ids) // 2
    assert found == [job for job in ids if job in found]
    assert run_queue(queue).count(State.DONE) == len(found)
    queue.close()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path):
    filled(tmp_path, 1)
    base = sqlite3.connect(database_file(tmp_path))
    base.execute("PRAGMA user_version = 99")
    base.close()
    before = database_file(tmp_path).read_bytes()
    with pytest.raises(NewerDatabaseError, match="newer NodeForge"):
        JobQueue(tmp_path).jobs()
    assert database_file(tmp_path).read_bytes() == before
    assert [path.name for path in tmp_path.glob("queue*")] == ["queue.sqlite"]


def test_a_busy_database_is_not_damaged(queue: JobQueue):
    queue.add([new_job()])
    other = sqlite3.connect(database_file(queue.home))
    other.execute("BEGIN IMMEDIATE")
    assert len(queue.jobs()) == 1  # reading goes on
    other.execute("UPDATE jobs SET name = 'renamed'")
    other.commit()
    other.close()
    assert queue.jobs()[0].name == "renamed"
    assert queue.moved_aside is None


def test_a_database_that_was_deleted_is_made_anew(queue: JobQueue):
    queue.add([new_job()])
    for path in queue.home.glob("queue.sqlite*"):
        path.unlink()
    assert queue.jobs() == []
    queue.add([new_job()])
    assert len(JobQueue(queue.home).jobs()) == 1


def test_a_full_disk_is_said_and_the_queue_is_as_it_was(queue: JobQueue):
    queue.add([new_job()])
    (pages,) = queue.base.do(lambda base: base.execute("PRAGMA page_count").fetchone())
    queue.base.do(lambda base: base.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    with pytest.raises(DatabaseError, match="is full"):
        queue.add([new_job(number) for number in range(100)])
    assert len(queue.jobs()) == 1
    assert queue.moved_aside is None
