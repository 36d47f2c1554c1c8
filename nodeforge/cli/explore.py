"""`nodeforge explore`: many candidates for a share of their steps, and only the kept ones whole."""

from __future__ import annotations

import json
import queue
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nodeforge.cli.cells import CellRun, Outcome, Runs, Workflow, refuse_problems
from nodeforge.cli.main import FAILED, WRONG
from nodeforge.cli.overrides import Overrides
from nodeforge.cli.piped import whole_file
from nodeforge.cli.prepared import catalogue_for, known_device, writable
from nodeforge.cli.user_settings import user_settings
from nodeforge.engine import events
from nodeforge.engine.client import PATIENCE, WorkerClient
from nodeforge.engine.sweeps.candidate_files import SHEET, CandidateFiles
from nodeforge.engine.sweeps.exploration import (
    Estimates,
    check_batch,
    estimates_of,
    make_candidate,
)
from nodeforge.errors import RequestError
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.formats.pictures import read_any
from nodeforge.graph.inline import every_node
from nodeforge.graph.upgrade import upgrade
from nodeforge.settings.whole_file import write_whole

if TYPE_CHECKING:
    from nodeforge.cli.watch import Watcher
    from nodeforge.engine.context import RunRequest

MOST_CANDIDATES = 2_000


class KeepError(RequestError):
    """A choice of candidates that are not there."""


@click.command("explore")
@click.argument("workflow", type=click.Path(path_type=Path))
@click.option(
    "--seeds",
    "count",
    type=click.IntRange(1, MOST_CANDIDATES),
    default=16,
    show_default=True,
    help="How many candidates; candidate i has the workflow's seed + i - 1.",
)
@click.option(
    "--until",
    type=click.FloatRange(0.01, 0.99),
    default=0.3,
    show_default=True,
    help="The share of the steps after which they are compared.",
)
@click.option("--keep", metavar="1,5,9-12", help="The candidates to finish.")
@click.option(
    "--batch",
    type=click.IntRange(1, 64),
    default=1,
    help="Estimate so many candidates at once, which is faster on a GPU: estimates are then equal "
    "to 1e-3, and kept ones are run from their first step.",
)
@click.option("--set", "assignments", multiple=True, metavar="NODE.PORT=VALUE", help="Set a value.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Set every unlinked seed.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder of its own.")
@click.option(
    "--device",
    callback=known_device,
    metavar="[auto|cuda|cuda:N|mps|xpu|cpu]",
    help="Where networks run; the settings' choice by default.",
)
@click.option("--json", "as_json", is_flag=True, help="One candidate a line on stdout.")
@click.pass_context
def command(
    ctx: click.Context,
    workflow: Path,
    count: int,
    until: float,
    keep: str | None,
    batch: int,
    assignments: tuple[str, ...],
    seed: int | None,
    out: Path,
    device: str | None,
    as_json: bool,
) -> None:
    """Run the first steps of many candidates of WORKFLOW, and finish those that are kept.

    Without --keep it stops when all estimates are there; the same command with --keep goes on
    from the steps that were run, which are kept for a week. A finished candidate equals its
    plain run to the last bit.
    """
    settings = user_settings()
    happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    file = whole_file(ctx, workflow)
    document = read_any(file)
    kept = _chosen(keep, count) if keep is not None else []
    client = WorkerClient(settings, happened.put, device or settings.device)
    client.start()  # it imports its libraries while we look at the workflow
    patience = 0.0
    try:
        catalogue = catalogue_for(document, lambda: client)
        upgrade(document, catalogue)
        overrides = Overrides(document, catalogue, settings)
        for assignment in assignments:
            overrides.set(assignment)
        if seed is not None:
            overrides.seed(seed)
        base = Workflow(document, catalogue, settings, overrides.granted, file)
        try:
            estimates_of(document.graph, catalogue, until)
            if batch > 1:
                check_batch(document.graph, catalogue)
        except RequestError as error:
            raise error.at(file.name) from None
        if refuse_problems(base, [base.with_values(())], [1]):
            ctx.exit(WRONG)
        folder = writable(out)
        state = CandidateFiles.of(folder, _content(base), until)
        patience = PATIENCE
        titles = {path: node.title or path for path, node in every_node(document.graph).items()}
        runs = Runs(client, happened, lambda: _watcher(titles, as_json))
        exploring = _Exploration(runs, client, base, until, state, as_json)
        exploring.estimate(range(1, count + 1), batch)
        exploring.finish(kept, range(1, count + 1))
        exploring.conclude()
        if runs.stopped:
            click.echo(runs.stopped, err=True)
        ctx.exit(FAILED if runs.stopped or exploring.failed else 0)
    finally:
        client.close(patience)


def _chosen(keep: str, count: int) -> list[int]:
    """The candidates that ``1,5,9-12`` names, each once.

    Raises:
        KeepError: it names none, or one that is not there.
    """
    chosen: dict[int, None] = {}
    for part in keep.split(","):
        found = re.fullmatch(r"\s*([0-9]{1,6})(?:\s*-\s*([0-9]{1,6}))?\s*", part)
        if not found:
            raise KeepError(
                f"'{part}' is no number of a candidate.",
                place=f"--keep {keep}",
                way_out="For example --keep 1,5,9-12.",
            )
        first = int(found[1])
        last = int(found[2] or first)
        if not 1 <= first <= last <= count:
            raise KeepError(
                f"there is no candidate {part.strip()}: they count from 1 to {count}.",
                place=f"--keep {keep}",
                way_out="Choose among them, or raise --seeds.",
            )
        chosen.update(dict.fromkeys(range(first, last + 1)))
    return list(chosen)


def _watcher(titles: dict[str, str], as_json: bool) -> Watcher:
    from nodeforge.cli.watch import Bars, Quiet

    return Quiet() if as_json else Bars(titles)


def _content(base: Workflow) -> list[Any]:
    """What is explored, as JSON."""
    assets = {name: entry.get("sha256") for name, entry in base.document.assets.items()}
    return [graph_to_json(base.document.graph), assets]


def _in_batches(numbers: Sequence[int], batch: int) -> Iterator[list[int]]:
    """Runs of numbers that follow one another, no longer than `batch`."""
    group: list[int] = []
    for number in numbers:
        if group and (len(group) == batch or number != group[-1] + 1):
            yield group
            group = []
        group.append(number)
    if group:
        yield group


def _rewrite(path: Path, texts: Mapping[str, str]) -> None:
    """Give a picture other texts."""
    from nodeforge.imaging import PictureFormat, decode, encode

    data = encode(decode(path).pixels, PictureFormat.PNG, texts)
    write_whole(path, lambda file: file.write(data))


class _Exploration:
    """The candidates of one workflow.

    Args:
        runs: Runs them.
        client: The worker.
        base: The workflow.
        until: The share of the steps.
        state: What was made before.
        as_json: Whether to tell in JSON.
    """

    def __init__(
        self,
        runs: Runs,
        client: WorkerClient,
        base: Workflow,
        until: float,
        state: CandidateFiles,
        as_json: bool,
    ) -> None:
        self.failed: dict[int, str] = {}
        self._runs = runs
        self._client = client
        self._base = base
        self._until = until
        self._state = state
        self._as_json = as_json
        self._model_calls = 0

    def estimate(self, candidates: Sequence[int], batch: int) -> None:
        """Make the estimates that are not there yet, and the sheet of all."""
        missing = [n for n in candidates if not self._state.of_candidate(self._state.estimates, n)]
        if missing and batch > 1:
            click.echo(
                f"Estimated {batch} at once: equal to 1e-3 to those of single runs. What is kept "
                "is run by itself, from its first step, and equals its plain run.",
                err=True,
            )
        for group in _in_batches(missing, batch):
            if self._runs.stopped:
                break
            told = f"{group[0]}" if len(group) == 1 else f"{group[0]} to {group[-1]}"
            click.echo(f"Candidate {told} of {len(candidates)}", err=True)
            self._estimate(group)
        self._write_sheet()

    def finish(self, kept: Sequence[int], candidates: Sequence[int]) -> None:
        """Run the rest of the steps of what is kept; then no checkpoint is pinned any more."""
        for number in kept:
            if self._runs.stopped:
                return
            if files := self._state.of_candidate(self._state.finished, number):
                self._tell("finished", number, {}, Outcome(tuple(files)))
                continue
            click.echo(f"Finishing candidate {number}", err=True)
            run, seeds = self._candidate(number)
            request = self._base.request(run, self._state.folder)
            outcome = self._run([number], graph_to_json(run.document.graph), request)
            self._tell("finished", number, seeds, outcome)
            if not outcome.error:
                self._state.finished[str(number)] = [
                    path.relative_to(self._state.folder).as_posix() for path in outcome.files
                ]
                self._state.save()
        if kept and not self.failed:
            self._unpin(candidates)

    def conclude(self) -> None:
        """Say what there is in all."""
        sheet = self._state.folder / SHEET
        if not self._as_json:
            if sheet.exists():
                click.echo(sheet)
            return
        made = {
            "event": "explore_finished",
            "estimates": len(self._state.estimates),
            "finished": sorted(map(int, self._state.finished)),
            "failed": len(self.failed),
            "model_calls": self._model_calls,
            "html": str(sheet),
        }
        click.echo(json.dumps(made))

    def _candidate(self, number: int, batch: int = 1) -> tuple[CellRun, dict[str, int]]:
        run = self._base.with_values(())
        return run, make_candidate(run.document, self._base.catalogue, number, batch)

    def _estimate(self, group: Sequence[int]) -> None:
        """Run candidates whose numbers follow one another, at once."""
        run, _ = self._candidate(group[0], len(group))
        estimates = estimates_of(run.document.graph, self._base.catalogue, self._until)
        folder = self._state.folder
        with tempfile.TemporaryDirectory(prefix=".estimate-", dir=folder) as hidden:
            request = replace(self._base.request(run, Path(hidden)), targets=list(estimates.saves))
            outcome = self._run(group, graph_to_json(estimates.graph), request)
            if len(group) > 1 and not self._runs.stopped:
                self._release(estimates, request)  # no single run goes on from a whole batch
            for item, number in enumerate(group):
                own, seeds = self._candidate(number)
                files: Sequence[Path] = ()
                if not outcome.error:
                    texts = self._base.request(own, folder).stamp if len(group) > 1 else {}
                    files = self._place(number, outcome.files[item :: len(group)], texts)
                    self._state.estimates[str(number)] = [path.name for path in files]
                    self._state.save()
                calls = outcome.model_calls if not item else 0
                told = replace(outcome, files=tuple(files), model_calls=calls)
                self._tell("estimate", number, seeds, told)

    def _place(
        self, number: int, files: Sequence[Path], texts: Mapping[str, str]
    ) -> tuple[Path, ...]:
        """Move the pictures of a candidate to the names that people choose by.

        Args:
            number: The candidate.
            files: Its pictures.
            texts: What they are to carry in place of a whole batch's workflow, if anything.
        """
        placed = []
        for item, path in enumerate(files, 1):
            if texts:
                _rewrite(path, texts)
            name = f"estimate_{number:03}{f'_{item}' if item > 1 else ''}{path.suffix}"
            placed.append(Path(shutil.move(path, self._state.folder / name)))
        return tuple(placed)

    def _run(self, group: Sequence[int], graph: dict[str, Any], request: RunRequest) -> Outcome:
        outcome = self._runs.run(graph, request)
        self._model_calls += outcome.model_calls
        if outcome.error:
            self.failed |= dict.fromkeys(group, outcome.error)
        return outcome

    def _unpin(self, candidates: Sequence[int]) -> None:
        for number in candidates:
            run, _ = self._candidate(number)
            estimates = estimates_of(run.document.graph, self._base.catalogue, self._until)
            request = self._base.request(run, self._state.folder)
            self._release(estimates, request)

    def _release(self, estimates: Estimates, request: RunRequest) -> None:
        for loop in estimates.loops:
            graph = graph_to_json(estimates.graph)
            self._client.ask("unpin_steps", graph=graph, node=loop, **request.meaning).result()

    def _write_sheet(self) -> None:
        from nodeforge.engine.sweeps.contact_sheet import wall

        numbers = sorted({*map(int, self._state.estimates), *self.failed})
        pictures = [
            (f"{n}", self._state.of_candidate(self._state.estimates, n), self.failed.get(n, ""))
            for n in numbers
        ]
        title = f"Candidates of {self._base.source.stem}, at {self._until:.0%} of their steps"
        made = wall(title, pictures, self._state.folder)
        write_whole(self._state.folder / SHEET, lambda file: file.write(made))

    def _tell(self, event: str, number: int, seeds: dict[str, int], outcome: Outcome) -> None:
        if not self._as_json:
            for path in outcome.files:
                click.echo(path)
            if outcome.error:
                click.echo(outcome.error, err=True)
            return
        made = {
            "event": event,
            "candidate": number,
            "seeds": seeds,
            "outputs": [str(path) for path in outcome.files],
            "seconds": outcome.seconds,
            "model_calls": outcome.model_calls,
            "error": outcome.error,
        }
        click.echo(json.dumps(made))
