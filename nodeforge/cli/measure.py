"""`nodeforge measure`: how near samplers come to a model's converged pictures, by steps."""

from __future__ import annotations

import queue
import time
import uuid
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from nodeforge import models
from nodeforge.cli.main import FAILED
from nodeforge.cli.user_settings import user_settings
from nodeforge.cli.workflow import options
from nodeforge.cli.workflow.prepared import writable
from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.engine.measurements.conditions import Extent
from nodeforge.engine.measurements.measuring import Measuring, RunResult
from nodeforge.engine.measurements.opening import checked_model, open_measurement, picture_of
from nodeforge.engine.measurements.workflow import LOOP, PICTURE, Purpose, Step
from nodeforge.engine.remote import Client, open_worker
from nodeforge.engine.worker_client.client import PATIENCE
from nodeforge.errors import NodeForgeError
from nodeforge.models.measurements.measurement import Measurement
from nodeforge.models.measurements.store import to_json
from nodeforge.settings.whole_file import write_whole
from nodeforge.values.sampling_labels import SAMPLER_LABELS, SCHEDULE_LABELS

_PROBES = (Purpose.WARM_UP, Purpose.PROBE)


class RunError(NodeForgeError):
    """A run of a measurement failed."""


@click.command("measure")
@click.argument("model")
@click.option(
    "--minutes", type=click.FloatRange(min=0), help="Stop after so many; the next call goes on."
)
@click.option(
    "--size",
    type=click.IntRange(16, 4096),
    help="Side of the square pictures, pixels; the model's own by default.",
)
@options.DEVICE
@options.as_json("The measurement as JSON on stdout.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save it as a JSON file, too."
)
@click.pass_context
def command(
    ctx: click.Context,
    model: str,
    minutes: float | None,
    size: int | None,
    device: str | None,
    as_json: bool,
    out: Path | None,
) -> None:
    """Measure MODEL: seconds, and distance to the converged picture, by sampler and steps.

    What was measured is kept at once, so that a call that was stopped is gone on with. The
    linter and the window's inspector read it.
    """
    settings, extent = user_settings(), Extent(size=size)
    granted = (model,) if Path(model).is_absolute() else ()
    folders = models.ModelFolders(settings)
    if out is not None:
        writable(out.absolute().parent)
    chosen = checked_model(folders, model, granted, extent)
    happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    client = open_worker(settings, happened.put, device or settings.device)
    patience = 0.0
    try:
        client.start()
        there = client.ask("devices").result()["chosen"]
        here = not client.machine
        opened = open_measurement(chosen, folders.measurements, there, extent, here=here)
        for notice in opened.notices:
            click.echo(notice, err=True)
        patience = PATIENCE
        stopped = _Walk(client, happened, opened.measuring, minutes).run()
    finally:
        client.close(patience)
    measurement = opened.measuring.measurement
    if out is not None:
        write_whole(out, lambda file: file.write(to_json(measurement)))
    if as_json:
        click.echo(to_json(measurement), nl=False)
    else:
        _show(measurement, settings.attention)
    ctx.exit(FAILED if stopped else 0)


class _Walk:
    """Runs what is left to measure, one after another.

    Args:
        client: The worker.
        happened: Where its events go.
        measuring: The measurement.
        minutes: A run that would end later is not begun; but the first of a call is, and stopped
            at its next model call then: it goes on from its last step, so that a model whose runs
            take longer is measured in the end.
    """

    def __init__(
        self,
        client: Client,
        happened: queue.SimpleQueue[events.Event],
        measuring: Measuring,
        minutes: float | None,
    ) -> None:
        self._client, self._happened, self._measuring = client, happened, measuring
        self._until = float("inf") if minutes is None else time.monotonic() + 60 * minutes
        self._minutes = minutes
        self._console = Console(stderr=True, highlight=False)
        self._told = False
        self._any = False
        """Whether this call has measured anything."""

    def run(self) -> bool:
        """Run until all is measured or time is up; whether a person stopped it before.

        Raises:
            RunError: a run failed; what was measured before is kept.
        """
        try:
            while (step := self._measuring.next) is not None:
                if step.purpose not in _PROBES:
                    self._tell_forecast()
                    fits = time.monotonic() + self._measuring.seconds(step) <= self._until
                    if not fits and (self._any or self._is_over):
                        break
                if not self._run(step):
                    break
            if step is not None:
                self._say_time_is_up()
            elif self._measuring.wants_attention:
                self._measure_attention()
        except KeyboardInterrupt:
            click.echo("Stopped. What was measured is kept; the same command goes on.", err=True)
            return True
        return False

    def _measure_attention(self) -> None:
        """Time the attention kernels; nothing else runs in this command's worker."""
        answer = self._client.ask("attention_speeds", **self._measuring.attention_request)
        if (speeds := answer.result()["speeds"]) is not None:
            self._measuring.take_attention(speeds)

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._until

    def _run(self, step: Step) -> bool:
        """Run one step; whether it came to its end before the time was up."""
        measuring, run = self._measuring, uuid.uuid4().hex[:8]
        request = measuring.request(run)
        self._client.run(measuring.graph(step), request)
        seconds: dict[str, float] = {}
        event, cancelled = events.Event(run), False
        bounded = step.purpose not in _PROBES and not self._any
        try:
            while not isinstance(event, events.LAST):
                if bounded and self._is_over and not cancelled:
                    cancelled = True
                    self._client.cancel(run)
                if (event := self._event(bounded and not cancelled) or event).run != run:
                    continue
                if isinstance(event, events.Finished) and event.source is Source.COMPUTED:
                    seconds[event.node] = event.seconds
        except KeyboardInterrupt:
            self._client.cancel(run)
            raise
        match event:
            case events.RunFinished():
                answer = self._client.ask("render", **measuring.picture_request(step)).result()
            case events.Failed():
                raise RunError(event.error.fact, place=event.error.place, way_out=_KEPT)
            case events.WorkerDied():
                fact = f"the worker ended with code {event.exit_code}."
                raise RunError(fact, way_out=_KEPT)
            case _ if cancelled:
                return False
            case _:
                raise RunError("the run was stopped.", way_out=_KEPT)
        picture = picture_of(answer)
        timed = seconds.get(LOOP), seconds.get(PICTURE)
        measuring.take(step, RunResult(*timed, event.model_calls, picture))
        self._any |= step.purpose not in _PROBES
        self._show_progress(step)
        return True

    def _event(self, until_over: bool) -> events.Event | None:
        """The next event of the worker; None where the time is up before."""
        if not until_over or self._minutes is None:
            return self._happened.get()
        try:
            return self._happened.get(timeout=max(0.0, self._until - time.monotonic()))
        except queue.Empty:
            return None

    def _tell_forecast(self) -> None:
        forecast = self._measuring.forecast
        if self._told or forecast is None:
            return
        self._told = True
        bound = f", of which {self._minutes:g} minutes now" if self._is_bounded else ""
        told = f"{forecast.runs} runs, {time_text(forecast.seconds)}{bound}."
        click.echo(f"{self._measuring.model.name}: {told}", err=True)

    @property
    def _is_bounded(self) -> bool:
        forecast = self._measuring.forecast
        return forecast is not None and time.monotonic() + forecast.seconds > self._until

    def _show_progress(self, step: Step) -> None:
        if step.purpose in _PROBES or (forecast := self._measuring.forecast) is None:
            return
        what = f"{SAMPLER_LABELS[step.sampler]}, {step.steps} steps"
        if step.purpose in (Purpose.REFERENCE, Purpose.SPREAD):
            what = f"{what}, {step.purpose}"
        left = f"{forecast.runs} left, {time_text(forecast.seconds)}"
        self._console.print(f"{what} ({left})", style="dim", markup=False)

    def _say_time_is_up(self) -> None:
        forecast = self._measuring.forecast
        left = f": {forecast.runs} runs are left, {time_text(forecast.seconds)}" if forecast else ""
        click.echo(f"The time is up{left}. The same command goes on.", err=True)


_KEPT = "What was measured before is kept; the same command goes on."


def time_text(seconds: float) -> str:
    """A forecast as people say it."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {seconds / 60:.0f} minutes"


def _show(measurement: Measurement, attention: str) -> None:
    """Print the table: a row for each number of steps."""
    of = measurement.conditions
    curves = {name: measurement.curve(name) for name in of.samplers}
    schedule = SCHEDULE_LABELS[of.schedule]
    click.echo(
        f"{measurement.name} on {of.device}, {of.width} × {of.height}, guidance {of.guidance:g}, "
        f"{schedule}; distance to {of.reference_steps} steps, 1 is another seed:"
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("steps", justify="right")
    for name in of.samplers:
        table.add_column(f"{SAMPLER_LABELS[name]}", justify="right")
        table.add_column("seconds", justify="right")
    for index, steps in enumerate(of.steps):
        row = [f"{steps}"]
        for curve in curves.values():
            point = curve[index] if curve else None
            row.append(f"{point.distance:.3f}" if point else "–")
            row.append(f"{point.seconds:.2f}" if point and point.seconds is not None else "–")
        table.add_row(*row)
    Console(highlight=False).print(table)
    for name in of.stochastic:
        seconds = measurement.seconds_a_step(name)
        if seconds is not None:
            click.echo(f"{SAMPLER_LABELS[name]}: {seconds:.3f} s a step; it adds noise.")
    for told in measurement.attention or ():
        click.echo(
            f"Attention '{told.way}': {told.seconds:.3f} s a call, predictions differ by "
            f"{told.difference:.1e}."
        )
    if faster := measurement.faster_attention(attention):
        times = measurement.seconds_of_call(attention) / faster.seconds
        click.echo(
            f"'{faster.way}' is {times:.1f} times as fast as '{attention}': choose it in the "
            "preferences, or as 'attention' in settings.json. Results are then computed anew."
        )
    if not measurement.is_whole:
        click.echo(f"{len(measurement.cells)} of {measurement.wanted} cells are measured.")
