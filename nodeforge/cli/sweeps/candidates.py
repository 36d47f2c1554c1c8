"""The candidates of an exploration, and their runs."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click

from nodeforge.cli.sweeps.cells import CellRun, Workflow
from nodeforge.cli.sweeps.runs import Outcome, Runs
from nodeforge.engine.queue.placement import models_of
from nodeforge.engine.remote import Client
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.sweeps.candidate_files import SHEET, CandidateFiles
from nodeforge.engine.sweeps.exploration import Estimates, estimates_of, make_candidate
from nodeforge.errors import RequestError
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.formats.pictures import hashed
from nodeforge.settings.whole_file import write_whole

MOST_CANDIDATES = 2_000
Begin = Callable[[int], tuple[dict[str, Any], RunRequest]]
"""Gives the graph of a run, and what is asked, when it begins."""


class TooManyError(RequestError):
    """More candidates than are taken."""


class Candidates:
    """The candidates of a workflow: each cell of its axes with each seed.

    Args:
        base: The workflow.
        cells: For each cell, what is set; one that sets nothing where there are no axes.
        seeds: Candidates of each cell.

    Raises:
        TooManyError: there are more than `MOST_CANDIDATES`.
    """

    def __init__(self, base: Workflow, cells: Sequence[Sequence[str]], seeds: int) -> None:
        self.base = base
        self.cells = cells
        self.seeds = seeds
        self.numbers = range(1, len(cells) * seeds + 1)
        if len(self.numbers) > MOST_CANDIDATES:
            raise TooManyError(
                f"{len(cells)} × {seeds} candidates are more than {MOST_CANDIDATES:,}.",
                place="--seeds",
                way_out="Take fewer seeds, or fewer values.",
            )

    @property
    def content(self) -> list[Any]:
        """What is explored, as JSON. Without axes, more seeds are more of the same."""
        assets = {name: entry.get("sha256") for name, entry in self.base.document.assets.items()}
        made: list[Any] = [graph_to_json(self.base.document.graph), assets]
        return [*made, list(self.cells), self.seeds] if any(self.cells) else made

    def values(self, number: int) -> Sequence[str]:
        """What the cell of a candidate sets."""
        return self.cells[(number - 1) // self.seeds if len(self.cells) > 1 else 0]

    def make(self, number: int, batch: int = 1) -> tuple[CellRun, dict[str, int]]:
        """A candidate, or the batch that begins with it; and its seeds."""
        run = self.base.with_values(self.values(number))
        item = (number - 1) % self.seeds + 1
        return run, make_candidate(run.document, self.base.catalogue, item, batch)

    def in_batches(self, numbers: Sequence[int], batch: int) -> Iterator[list[int]]:
        """Runs of numbers that follow one another in one cell, no longer than `batch`."""
        group: list[int] = []
        for number in numbers:
            begins_cell = (number - 1) % self.seeds == 0
            if group and (len(group) == batch or number != group[-1] + 1 or begins_cell):
                yield group
                group = []
            group.append(number)
        if group:
            yield group


class _Estimate(NamedTuple):
    """What was asked for: the graph that ends early, and its run."""

    estimates: Estimates
    request: RunRequest


class Exploration:
    """Runs candidates.

    Args:
        runs: Makes what runs them, on all workers.
        clients: The workers.
        candidates: What there is to be run.
        until: The share of the steps.
        files: What was made before.
        as_json: Whether to tell in JSON.
    """

    def __init__(
        self,
        runs: Callable[[], Runs],
        clients: Sequence[Client],
        candidates: Candidates,
        until: float,
        files: CandidateFiles,
        as_json: bool,
    ) -> None:
        self.failed: dict[int, str] = {}
        self.stopped = ""
        """Why no other candidate may follow; empty while one may."""
        self._runs = runs
        self._clients = clients
        self._candidates = candidates
        self._base = candidates.base
        self._until = until
        self._files = files
        self._as_json = as_json
        self._model_calls = 0

    def estimate(self, batch: int) -> None:
        """Make the estimates that are not there yet, and the sheet of all."""
        missing = [number for number in self._candidates.numbers if not self._known(number)]
        if missing and batch > 1:
            click.echo(
                f"Estimated {batch} at once: equal to 1e-3 to those of single runs. What is kept "
                "is run by itself, from its first step, and equals its plain run.",
                err=True,
            )
        groups = {group[0]: group for group in self._candidates.in_batches(missing, batch)}
        asked: dict[int, _Estimate] = {}

        def begin(number: int) -> tuple[dict[str, Any], RunRequest]:
            group = groups[number]
            told = f"{group[0]}" if len(group) == 1 else f"{group[0]} to {group[-1]}"
            click.echo(f"Candidate {told} of {len(self._candidates.numbers)}", err=True)
            asked[number] = made = self._asked(group, Path(hidden, str(number)))
            return graph_to_json(made.estimates.graph), made.request

        with tempfile.TemporaryDirectory(prefix=".estimates-", dir=self._files.folder) as hidden:
            for number, outcome in self._run_all(list(groups), begin):
                self._estimated(groups[number], asked.pop(number), outcome)
        self._write_sheet()

    def finish(self, kept: Sequence[int]) -> None:
        """Run the rest of the steps of what is kept; then no checkpoint is pinned any more."""
        if self.stopped:
            return
        wanted: list[int] = []
        for number in kept:
            if files := self._files.of_candidate(self._files.finished, number):
                self._tell("finished", number, {}, Outcome(tuple(files)))
            else:
                wanted.append(number)

        def begin(number: int) -> tuple[dict[str, Any], RunRequest]:
            click.echo(f"Finishing candidate {number}", err=True)
            run, _ = self._candidates.make(number)
            request = self._base.request(run, self._files.folder)
            kept = self._files.checkpoints.get(str(number), ())
            request.checkpoints = [str(self._base.settings.result_cache / name) for name in kept]
            return graph_to_json(run.document.graph), request

        for number, outcome in self._run_all(wanted, begin):
            self._note([number], outcome)
            self._tell("finished", number, self._candidates.make(number)[1], outcome)
            if not outcome.error:
                self._files.finished[str(number)] = [
                    path.relative_to(self._files.folder).as_posix()
                    for path in outcome.files
                    if path.is_relative_to(self._files.folder)
                ]
                self._files.save()
        if kept and not self.failed and not self.stopped:
            self._unpin()

    def conclude(self) -> None:
        """Say what there is in all."""
        sheet = self._files.folder / SHEET
        if not self._as_json:
            if sheet.exists():
                click.echo(sheet)
            return
        made = {
            "event": "explore_finished",
            "estimates": len(self._files.estimates),
            "finished": sorted(map(int, self._files.finished)),
            "failed": len(self.failed),
            "model_calls": self._model_calls,
            "html": str(sheet),
        }
        click.echo(json.dumps(made))

    def _run_all(self, numbers: Sequence[int], begin: Begin) -> Iterator[tuple[int, Outcome]]:
        if not numbers:
            return
        catalogue = self._base.catalogue
        models = {n: models_of(self._candidates.make(n)[0].document, catalogue) for n in numbers}
        runs = self._runs()
        yield from runs.run_all(numbers, models, begin)
        self.stopped = runs.stopped

    def _asked(self, group: Sequence[int], folder: Path) -> _Estimate:
        """What is to be run for candidates whose numbers follow one another, at once.

        Args:
            group: Their numbers.
            folder: Where it saves.
        """
        run, _ = self._candidates.make(group[0], len(group))
        estimates = estimates_of(run.document.graph, self._base.catalogue, self._until)
        folder.mkdir(exist_ok=True)
        loops = list(estimates.loops) if len(group) == 1 else []  # none goes on from a batch's
        request = replace(
            self._base.request(run, folder), targets=list(estimates.saves), kept_loops=loops
        )
        return _Estimate(estimates, request)

    def _estimated(self, group: Sequence[int], asked: _Estimate, outcome: Outcome) -> None:
        """Put the pictures of candidates that were run at once into their places."""
        folder = self._files.folder
        self._note(group, outcome)
        if len(group) == 1 and not outcome.error:  # no single run goes on from a batch's
            self._pin(asked.estimates, asked.request, pinned=True)
            self._files.checkpoints[str(group[0])] = self._names(outcome.checkpoints)
        for item, number in enumerate(group):
            own, seeds = self._candidates.make(number)
            files: Sequence[Path] = ()
            if not outcome.error:
                stamp = self._base.request(own, folder).stamp if len(group) > 1 else {}
                texts = hashed(stamp)
                files = self._place(number, outcome.files[item :: len(group)], texts)
                self._files.estimates[str(number)] = [path.name for path in files]
                self._files.save()
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
            placed.append(Path(shutil.move(path, self._files.folder / name)))
        return tuple(placed)

    def _names(self, checkpoints: Sequence[str]) -> list[str]:
        """What the files of checkpoints are called within this machine's cache."""
        root = self._base.settings.result_cache
        paths = (Path(file) for file in checkpoints)
        return [path.relative_to(root).as_posix() for path in paths if path.is_relative_to(root)]

    def _note(self, group: Sequence[int], outcome: Outcome) -> None:
        self._model_calls += outcome.model_calls
        if outcome.error:
            self.failed |= dict.fromkeys(group, outcome.error)

    def _unpin(self) -> None:
        for number in self._candidates.numbers:
            run, _ = self._candidates.make(number)
            estimates = estimates_of(run.document.graph, self._base.catalogue, self._until)
            request = self._base.request(run, self._files.folder)
            self._pin(estimates, request, pinned=False)

    def _pin(self, estimates: Estimates, request: RunRequest, *, pinned: bool) -> None:
        asked = {"graph": graph_to_json(estimates.graph), "pinned": pinned, **request.meaning}
        for client in self._clients:  # on several machines each has a cache of its own
            for loop in estimates.loops:
                client.ask("pin_last_step", node=loop, **asked).result()

    def _known(self, number: int) -> list[Path]:
        """The estimates of a candidate that are there."""
        return self._files.of_candidate(self._files.estimates, number)

    def _write_sheet(self) -> None:
        from nodeforge.engine.sweeps.contact_sheet import wall

        numbers = sorted({*map(int, self._files.estimates), *self.failed})
        pictures = [
            (
                ", ".join([f"{n}", *self._candidates.values(n)]),
                self._known(n),
                self.failed.get(n, ""),
            )
            for n in numbers
        ]
        title = f"Candidates of {self._base.source.stem}, at {self._until:.0%} of their steps"
        made = wall(title, pictures, self._files.folder)
        write_whole(self._files.folder / SHEET, lambda file: file.write(made))

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
            "settings": list(self._candidates.values(number)),
            "seeds": seeds,
            "outputs": [str(path) for path in outcome.files],
            "seconds": outcome.seconds,
            "model_calls": outcome.model_calls,
            "error": outcome.error,
        }
        click.echo(json.dumps(made))


def _rewrite(path: Path, texts: Mapping[str, str]) -> None:
    """Give a picture other texts."""
    from nodeforge.imaging import PictureFormat, decode, encode

    data = encode(decode(path).pixels, PictureFormat.PNG, texts)
    write_whole(path, lambda file: file.write(data))
