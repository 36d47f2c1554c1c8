"""`nodeforge queue`: jobs that wait on disk, shared with the window."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from nodeforge.cli.main import FAILED
from nodeforge.cli.user_settings import user_settings
from nodeforge.cli.workflow import options
from nodeforge.cli.workflow.piped import whole_file
from nodeforge.cli.workflow.prepared import catalogue_for, prepared, writable
from nodeforge.engine.queue.database import QueueError
from nodeforge.engine.queue.estimates import Expected, expected_times, plan_of
from nodeforge.engine.queue.job import Job, NewJob
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.states import State
from nodeforge.engine.remote import Client, open_worker
from nodeforge.formats import read_any, write
from nodeforge.settings import Settings

_json = options.as_json()
_jobs = click.argument("jobs", nargs=-1, metavar="[JOB]...")
_MOST = 5_000


@click.group("queue")
def command() -> None:
    """Queue workflows, and run them one after another, with or without the window.

    Jobs are kept on disk until they are done: a crash or a restart loses none. JOB is an id that
    'nodeforge queue list' shows, or the start of one.
    """


@command.command()
@options.workflow_and_values
@click.option(
    "--count",
    type=click.IntRange(1, _MOST),
    default=1,
    help="How many jobs; each has seeds one higher than the job before.",
)
@click.option("--priority", type=int, default=0, help="Higher ones run first; 0 by default.")
@options.out()
@_json
@click.pass_context
def add(
    ctx: click.Context,
    workflow: Path,
    assignments: tuple[str, ...],
    seed: int | None,
    count: int,
    priority: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Queue WORKFLOW (JSON, or a picture made by one) and print the ids of the jobs."""
    settings = user_settings()
    workflow = whole_file(ctx, workflow)
    document = read_any(workflow)
    with _worker(settings) as client:
        catalogue = catalogue_for(document, client)
    overrides = prepared(
        ctx, document, catalogue, settings, assignments, seed, machine=_machine(settings)
    )
    new = []
    for number in range(count):
        if number:
            overrides.count_seeds_up()
        new.append(
            NewJob(
                name=workflow.stem,
                document=write(document).decode(),
                granted=tuple(overrides.granted),
                outputs=writable(out) if out else None,
                overrides=assignments,
                seed=None if seed is None else (seed + number) % 2**63,
                priority=priority,
                source=str(workflow.resolve()),
                plan=plan_of(document, catalogue),
            )
        )
    with _queue(settings) as queue:
        _print(queue.add(new), as_json)


@command.command("list")
@click.option("--all", "with_ended", is_flag=True, help="Also all jobs that have ended.")
@_json
def list_(with_ended: bool, as_json: bool) -> None:
    """List the jobs in their order, then those that ended last."""
    with _queue(user_settings()) as queue:
        jobs = queue.jobs()
        pending = queue.pending()
        now = queue.clock()
        times = expected_times(pending, queue.durations(), now)
        if as_json:
            for job in jobs:
                click.echo(json.dumps(_to_json(job, pending, times.get(job.id))))
            return
        holder = queue.holder()
        if queue.paused:
            click.echo("The queue is paused; 'nodeforge queue resume' goes on.", err=True)
        if holder:
            click.echo(f"Run by {holder.title}, process {holder.pid}.", err=True)
        shown = jobs if with_ended else jobs[: len(pending) + 20]
        for number, job in enumerate(shown, 1):
            place = f"{number:4}" if number <= len(pending) else "    "
            click.echo(f"{place}  {job.id}  {_line(job, times.get(job.id), now)}")


@command.command()
@_jobs
@_json
def pause(jobs: tuple[str, ...], as_json: bool) -> None:
    """Pause jobs: a running one stops after its step. Without JOB: the queue as a whole.

    While the queue is paused the running job is finished, and no other begins.
    """
    with _queue(user_settings()) as queue:
        if not jobs:
            queue.pause_queue(True)
        _print(_each(queue, jobs, queue.pause), as_json)


@command.command()
@_jobs
@_json
def resume(jobs: tuple[str, ...], as_json: bool) -> None:
    """Have paused, failed or cancelled jobs wait again; they go on from their last step.

    Without JOB: resume the queue as a whole.
    """
    with _queue(user_settings()) as queue:
        if not jobs:
            queue.pause_queue(False)
        _print(_each(queue, jobs, queue.resume), as_json)


@command.command()
@click.argument("job")
@click.argument("position", type=click.IntRange(1))
@_json
def move(job: str, position: int, as_json: bool) -> None:
    """Move JOB to a POSITION among those that wait or are paused, counted from 1."""
    with _queue(user_settings()) as queue:
        _print([queue.move(job, position)], as_json)


@command.command()
@click.argument("job")
@click.argument("priority", type=int)
@_json
def priority(job: str, priority: int, as_json: bool) -> None:
    """Give JOB a PRIORITY: those of a higher one run first; 0 is that of others."""
    with _queue(user_settings()) as queue:
        _print([queue.set_priority(job, priority)], as_json)


@command.command()
@_jobs
@click.option("--ended", is_flag=True, help="All jobs that have ended.")
@_json
def remove(jobs: tuple[str, ...], ended: bool, as_json: bool) -> None:
    """Remove jobs that do not run from the queue; the files they have saved stay."""
    if not jobs and not ended:
        raise click.UsageError("Name a job, or say --ended.")
    with _queue(user_settings()) as queue:
        _print(_each(queue, jobs, queue.remove), as_json)
        if ended:
            queue.remove_ended()


@command.command()
@_jobs
@click.option("--all", "every", is_flag=True, help="All jobs that have not ended.")
@_json
def cancel(jobs: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Cancel jobs; what is done of them is kept, and 'resume' goes on from there."""
    if not jobs and not every:
        raise click.UsageError("Name a job, or say --all.")
    with _queue(user_settings()) as queue:
        _print(_each(queue, jobs, queue.cancel), as_json)
        if every:
            queue.cancel_all()


@command.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@_json
def again(jobs: tuple[str, ...], as_json: bool) -> None:
    """Queue copies of jobs, and print their ids."""
    with _queue(user_settings()) as queue:
        _print(_each(queue, jobs, queue.run_once_more), as_json)


@command.command()
@click.argument("job")
def log(job: str) -> None:
    """Print what happened to JOB."""
    with _queue(user_settings()) as queue:
        found = queue.job(job)
        try:
            click.echo(Path(found.log).read_text("utf-8", "replace"), nl=False)
        except OSError:
            click.echo("It has not run yet.", err=True)


@command.command()
@options.out("Where jobs save that name no folder.")
@options.DEVICE
@options.ON
@options.WORKERS
@_json
@click.pass_context
def run(
    ctx: click.Context,
    out: Path | None,
    device: str | None,
    cluster: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Run the jobs until none waits; print the paths of what they save.

    They run one after another, or with several workers so many at a time.

    Ends with 0 where all are done, 1 where some failed or still wait, 2 where it cannot begin.
    """
    from nodeforge.cli.queue.watch import QueueWatch
    from nodeforge.engine.queue.placement import worker_devices
    from nodeforge.engine.queue.runner import QueueRunner, with_outputs

    settings = user_settings()
    devices = worker_devices(settings, workers or 0, cluster or device)
    settings = with_outputs(settings, writable(out) if out else None)
    with _queue(settings) as queue:
        waiting = [job for job in queue.pending() if job.state is not State.PAUSED]
        if queue.paused and waiting:
            raise QueueError("the queue is paused.", way_out="Go on: nodeforge queue resume.")
        watch = QueueWatch(len(waiting), as_json)
        runner = QueueRunner(queue, settings, watch, devices=devices)
        with _stopping(runner.stop), watch:
            summary = runner.run()
        failed = summary.count(State.FAILED)
        if not as_json:
            told = f"{summary.count(State.DONE)} done, {failed} failed"
            click.echo(f"{summary.stopped} {told}.".strip(), err=True)
        ctx.exit(FAILED if failed or summary.stopped else 0)


@contextmanager
def _queue(settings: Settings) -> Iterator[JobQueue]:
    """The queue; says where a damaged database has been moved."""
    queue = JobQueue(settings.home)
    try:
        yield queue
    finally:
        queue.close()
        if queue.moved_aside:
            click.echo(
                f"The job queue was damaged. It is kept as {queue.moved_aside}; "
                "the jobs that could be read are in a new one.",
                err=True,
            )


def _machine(settings: Settings) -> str:
    """A machine on which jobs may run."""
    devices = (settings.device, *settings.worker_devices)
    return next(filter(settings.machines.__contains__, devices), "")


@contextmanager
def _worker(settings: Settings) -> Iterator[Callable[[], Client]]:
    """Starts a worker if one is asked for."""
    started: list[Client] = []

    def client() -> Client:
        started.append(open_worker(settings, lambda event: None, settings.device))
        return started[0]

    try:
        yield client
    finally:
        for each in started:
            each.close(0.0)


@contextmanager
def _stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl+C and an end that the system asks for stop after a step; the second time at once."""

    def handle(number: int, frame: object) -> None:
        del frame
        signal.signal(number, signal.default_int_handler)
        click.echo("Stopping after this step; once more stops at once.", err=True)
        stop()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in numbers]
    try:
        yield
    finally:
        for number, old in zip(numbers, before, strict=True):
            signal.signal(number, old)


def _each(queue: JobQueue, jobs: tuple[str, ...], do: Callable[[str], Job]) -> list[Job]:
    """What `do` gives for each job; nothing is done where one of them is unknown."""
    return [do(job.id) for job in [queue.job(each) for each in jobs]]


def _print(jobs: list[Job], as_json: bool) -> None:
    for job in jobs:
        click.echo(json.dumps(job.to_json()) if as_json else job.id)


def _to_json(job: Job, pending: list[Job], expected: Expected | None) -> dict[str, Any]:
    raw = job.to_json()
    order = [each.id for each in pending]
    raw["position"] = order.index(job.id) + 1 if job.id in order else None
    raw["expected"] = {"start": expected.start, "end": expected.end} if expected else None
    return raw


def _line(job: Job, expected: Expected | None, now: float) -> str:
    told = [f"{job.state:9}", job.name]
    if job.worker and job.state is State.RUNNING:
        told.append(f"on {job.worker}")
    told += job.overrides
    if job.seed is not None:
        told.append(f"seed {job.seed}")
    if job.priority:
        told.append(f"priority {job.priority}")
    if expected is not None and expected.end is not None:
        told.append(f"ends {_moment(expected.end, now)}")
    if job.error is not None:
        told.append(" ".join(str(job.error).split()))
    return "  ".join(told)


def _moment(then: float, now: float) -> str:
    """A time of today, or with its date."""
    there, here = time.localtime(then), time.localtime(now)
    return time.strftime("%H:%M" if there[:3] == here[:3] else "%Y-%m-%d %H:%M", there)
