"""The walk through a measurement: which run is next, and what its result says.

It runs nothing itself. Command line and window send each `Step` to their worker, ask for the
picture of its result, and hand both back; every measured cell is on disk before the next is run.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nodeforge.engine.measurements.conditions import CALLS, MeasuredModel
from nodeforge.engine.measurements.workflow import PICTURE, PORT, Purpose, Step, workflow
from nodeforge.engine.running.context import RunRequest
from nodeforge.errors import NodeForgeError
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.models.measurements.measurement import AttentionSpeed, Cell, Measurement
from nodeforge.models.measurements.store import Measurements

if TYPE_CHECKING:
    import numpy as np


_SEED, _OTHER_SEED = 1, 1_000
_PROBE_STEPS = 2


class NoPictureError(NodeForgeError):
    """A result that was not kept, as after a lack of memory."""


@dataclass(frozen=True)
class Forecast:
    """What is left to measure.

    Args:
        runs: How many.
        seconds: How long they take.
    """

    runs: int
    seconds: float


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Args:
        seconds: Of the denoise loop; None where its result was cached.
        decoding: Seconds of the VAE; None where its result was cached.
        model_calls: How often the denoiser was evaluated.
        picture: Its picture, uint8 (height, width, 3); None where it was not kept.
    """

    seconds: float | None
    decoding: float | None
    model_calls: int
    picture: np.ndarray | None


@dataclass
class _Timed:
    """What calls of the model, and the VAE, took so far.

    Args:
        calls: Timed calls of the model.
        seconds: They took.
        decoding: Seconds of the VAE, of the last run that had to decode.
    """

    calls: int = 0
    seconds: float = 0.0
    decoding: float = 0.0

    @property
    def a_call(self) -> float:
        return self.seconds / self.calls if self.calls else 0.0

    def add(self, step: Step, seconds: float | None, decoding: float | None) -> None:
        if seconds is not None:
            self.calls += step.steps * _calls(step)
            self.seconds += seconds
        if decoding is not None:
            self.decoding = decoding


class Measuring:
    """A measurement that is going on.

    Args:
        model: The model.
        measurement: What is known already.
        store: Where what is found is kept.
        here: Whether the worker is on this machine, so that paths mean the same there.
    """

    def __init__(
        self,
        model: MeasuredModel,
        measurement: Measurement,
        store: Measurements,
        *,
        here: bool = True,
    ) -> None:
        self.model = model
        self.measurement = measurement
        self._store, self._here = store, here
        self._references: dict[int, np.ndarray] = {}
        self._warm = False
        self._interrupted: set[Step] = set()
        self._timed = _Timed()

    @property
    def is_whole(self) -> bool:
        return self.measurement.is_whole

    @property
    def wants_attention(self) -> bool:
        """Whether all is measured but the attention kernels (`attention_request`)."""
        return self._here and self.is_whole and self.measurement.attention == ()

    @property
    def attention_request(self) -> dict[str, Any]:
        """What is asked of the worker, as ``attention_speeds``, for `take_attention`."""
        return {"path": str(self.model.path), "kind": self.model.info.kind.value}

    def take_attention(self, speeds: Sequence[Mapping[str, Any]]) -> None:
        """Keep what attention kernels take; none where the model is too slow to try them all.

        Raises:
            RequestError: the disk cannot be written.
        """
        made = tuple(AttentionSpeed(**each) for each in speeds) or None
        self._keep(replace(self.measurement, attention=made))

    @property
    def next(self) -> Step | None:
        """The run that is to follow; None where all is measured."""
        if not self.is_whole:
            if not self._warm:
                return self._probe(Purpose.WARM_UP, 1)
            if not self._timed.calls:
                return self._probe(Purpose.PROBE, _PROBE_STEPS)
        return next(self._left(), None)

    @property
    def forecast(self) -> Forecast | None:
        """What is left; None until the probe has run."""
        left = list(self._left())
        if left and not self._timed.calls:
            return None
        return Forecast(len(left), sum(map(self.seconds, left)))

    def seconds(self, step: Step) -> float:
        """About how long a run takes; 0 until the probe has run."""
        return step.steps * _calls(step) * self._timed.a_call + self._timed.decoding

    def graph(self, step: Step) -> dict[str, Any]:
        """The workflow of a run, as the worker reads it."""
        document = workflow(self.model.name, self.measurement.conditions, step)
        return graph_to_json(document.graph)

    def request(self, run: str) -> RunRequest:
        """What is asked of the worker for a run, whose id is `run`."""
        return RunRequest(
            run, [PICTURE], granted=list(self.model.granted), lock=dict(self.model.lock)
        )

    def picture_request(self, step: Step) -> dict[str, Any]:
        """What is asked of the worker, as ``render``, for the picture of a run."""
        of = self.measurement.conditions
        longest = max(of.width, of.height)
        place = {"node": PICTURE, "port": PORT, "longest": longest}
        return {"graph": self.graph(step), **place, **self.request("").meaning}

    def interrupt(self, step: Step) -> None:
        """Remember that a run was stopped: it goes on from its last step, in less time."""
        self._interrupted.add(step)

    def take(self, step: Step, result: RunResult) -> None:
        """Keep what a run came to.

        Raises:
            RequestError: the disk cannot be written.
            NoPictureError: the run has left no picture.
        """
        picture, seconds = result.picture, result.seconds
        fewest = step.steps * _calls(step) - (_calls(step) - 1)
        if step in self._interrupted or result.model_calls < fewest:
            seconds = None  # it went on from a step of before
        if step.purpose is not Purpose.WARM_UP:
            self._timed.add(step, seconds, result.decoding)
        match step.purpose:
            case Purpose.WARM_UP:
                self._warm = True
            case Purpose.PROBE:
                pass
            case Purpose.REFERENCE if picture is not None:
                self._references[step.prompt] = picture
            case Purpose.SPREAD if picture is not None:
                spread = rms(picture, self._references[step.prompt])
                spreads = {**self.measurement.spreads, step.prompt: spread}
                self._keep(replace(self.measurement, spreads=spreads))
            case Purpose.CELL if picture is not None:
                distance = rms(picture, self._references[step.prompt])
                distance /= max(self.measurement.spreads[step.prompt], 1 / 255)
                self._add(Cell(step.sampler, step.steps, step.prompt, seconds, round(distance, 5)))
            case Purpose.STOCHASTIC:
                self._add(Cell(step.sampler, step.steps, step.prompt, seconds))
            case _:
                raise NoPictureError(
                    f"the {step.purpose} was not kept, so nothing can be compared with it.",
                    place=self.model.name,
                    way_out="Free memory, or take a smaller --size.",
                )

    def _probe(self, purpose: Purpose, steps: int) -> Step:
        """A run that no cache knows, as its seconds are wanted."""
        first = self.measurement.conditions.samplers[0]
        return Step(purpose, first, steps, 0, secrets.randbelow(2**31) + _OTHER_SEED)

    def _left(self) -> Iterator[Step]:
        """The runs that are to follow: all of a prompt, then the next, so that a part is of use."""
        of = self.measurement.conditions
        known = {(cell.sampler, cell.steps, cell.prompt) for cell in self.measurement.cells}
        first = of.samplers[0]
        for prompt in range(len(of.prompts)):
            seed = _SEED + prompt
            missing = [
                Step(Purpose.CELL, sampler, steps, prompt, seed)
                for sampler in of.samplers
                for steps in of.steps
                if (sampler, steps, prompt) not in known
            ]
            if missing and prompt not in self._references:
                yield Step(Purpose.REFERENCE, first, of.reference_steps, prompt, seed)
            if missing and prompt not in self.measurement.spreads:
                other = seed + _OTHER_SEED
                yield Step(Purpose.SPREAD, first, of.reference_steps, prompt, other)
            yield from missing
        for sampler in of.stochastic:
            if (sampler, of.stochastic_steps, 0) not in known:
                yield Step(Purpose.STOCHASTIC, sampler, of.stochastic_steps, 0, _SEED)

    def _add(self, cell: Cell) -> None:
        self._keep(replace(self.measurement, cells=(*self.measurement.cells, cell)))

    def _keep(self, measurement: Measurement) -> None:
        self._store.keep(measurement)
        self.measurement = measurement


def _calls(step: Step) -> int:
    return CALLS.get(step.sampler, 1)


def rms(first: np.ndarray, second: np.ndarray) -> float:
    """Root of the mean square of the differences of two uint8 pictures, 0 to 1."""
    import numpy as np  # the window imports this module, and starts without it

    difference = first[..., :3].astype(np.float64) - second[..., :3]
    return float(np.sqrt(np.mean(difference**2)) / 255)
