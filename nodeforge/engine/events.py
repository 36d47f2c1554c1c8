"""Events of a run. Each carries its run's id; most carry a node's."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from nodeforge.engine.planning.reason import Reason
from nodeforge.engine.protocol import Frame
from nodeforge.errors import NodeForgeError


class Source(StrEnum):
    """Where a result came from."""

    COMPUTED = "computed"
    MEMORY = "memory"
    DISK = "disk"


@dataclass(frozen=True)
class ErrorReport:
    """An error as data: what a person reads, and for `--debug` the traceback.

    Args:
        kind: The error's class.
        known: Whether it is one of ours, with a way out; others are bugs or surprises.
        inputs: What a failed node was given, a line each.
    """

    kind: str
    fact: str
    place: str = ""
    way_out: str = ""
    known: bool = True
    inputs: dict[str, str] = field(default_factory=dict)
    traceback: str = ""

    @classmethod
    def of(cls, error: NodeForgeError) -> ErrorReport:
        return cls(type(error).__name__, error.fact, error.place, error.way_out)

    def __str__(self) -> str:
        return str(NodeForgeError(self.fact, place=self.place, way_out=self.way_out))


@dataclass(frozen=True)
class Event:
    """Something happened in run `run`."""

    run: str


@dataclass(frozen=True)
class Started(Event):
    """Computing `node` has begun, because of `reason`."""

    node: str
    reason: Reason | None = None


@dataclass(frozen=True)
class Reading(Event):
    """`done` of `of` bytes of the model at `path` are read, once, to know its content."""

    path: str
    done: int
    of: int


@dataclass(frozen=True)
class Progress(Event):
    """`node` has done `step` of `of` pieces of work, `seconds` after it started.

    `part`: about how much of the piece after these is done, in [0, 1); 0 unless one takes long.
    """

    node: str
    step: int
    of: int
    seconds: float
    part: float = 0.0


@dataclass(frozen=True)
class Preview(Event):
    """A picture of work in progress: `pixels` are RGB bytes, `height` rows of `width`.

    Of a video, `frames` pictures after one another, to be shown `rate` times a second.
    """

    node: str
    step: int
    width: int
    height: int
    pixels: bytes = field(repr=False)
    frames: int = 1
    rate: float = 0.0


@dataclass(frozen=True)
class Finished(Event):
    """`node` has its result, of `size` bytes."""

    node: str
    source: Source
    seconds: float
    size: int


@dataclass(frozen=True)
class Reused(Event):
    """The results of these nodes were there already; told once, before anything runs."""

    nodes: dict[str, Source]


@dataclass(frozen=True)
class Notice(Event):
    """Something the person should know that is no failure."""

    node: str
    fact: str


@dataclass(frozen=True)
class Saved(Event):
    """`node` has written the file `path`."""

    node: str
    path: str


@dataclass(frozen=True)
class Kept(Event):
    """A checkpoint of a node's loop is on disk, in the file `path` of the cache."""

    node: str
    path: str


@dataclass(frozen=True)
class Failed(Event):
    """`node` could not be computed; empty where no node is to blame.

    `same`: the nodes that would have had the same result.
    """

    node: str
    error: ErrorReport
    same: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunCancelled(Event):
    """The person stopped the run. What was finished is kept.

    `checkpoints`: the files of the cache from which it goes on.
    """

    model_calls: int = 0
    checkpoints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RunFinished(Event):
    """The run has ended well; `model_calls` counts evaluations of denoising networks.

    `checkpoints`: the files of the last steps of `RunRequest.kept_loops`.
    """

    outputs: list[str]
    seconds: float
    model_calls: int
    checkpoints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class WorkerDied(Event):
    """The worker's process ended by itself; the run is lost, the document is not.

    `checkpoints`: the files of this machine's cache from which it goes on elsewhere.
    """

    exit_code: int
    last_words: str
    checkpoints: list[str] = field(default_factory=list)


LAST = (Failed, RunCancelled, RunFinished, WorkerDied)
"""After one of these, nothing more is told of the run."""

_NAMES: dict[str, type[Event]] = {
    "started": Started,
    "reading": Reading,
    "progress": Progress,
    "preview": Preview,
    "finished": Finished,
    "reused": Reused,
    "notice": Notice,
    "saved": Saved,
    "kept": Kept,
    "failed": Failed,
    "cancelled": RunCancelled,
    "run_finished": RunFinished,
    "worker_died": WorkerDied,
}
NAMES = {cls: name for name, cls in _NAMES.items()}
"""Each event's name in the protocol and in `--json`."""


_FIELDS = {cls: tuple(f.name for f in fields(cls) if f.name != "pixels") for cls in NAMES}


def to_json(event: Event) -> dict[str, Any]:
    """`event` as JSON, without a preview's pixels."""
    kind = type(event)
    raw: dict[str, Any] = {"event": NAMES[kind]}
    for name in _FIELDS[kind]:
        raw[name] = getattr(event, name)
    if isinstance(event, Failed):
        raw["error"] = asdict(event.error)
    elif isinstance(event, Started) and event.reason:
        raw["reason"] = asdict(event.reason)
    return raw


def to_frame(event: Event) -> Frame:
    return Frame(to_json(event), event.pixels if isinstance(event, Preview) else b"")


def from_frame(frame: Frame) -> Event:
    raw = dict(frame.header)
    kind = _NAMES[raw.pop("event")]
    match kind:
        case _ if kind is Preview:
            raw["pixels"] = frame.payload
        case _ if kind is Failed:
            raw["error"] = ErrorReport(**raw["error"])
            raw["same"] = tuple(raw["same"])
        case _ if kind is Started and raw["reason"]:
            raw["reason"] = Reason.from_json(raw["reason"])
        case _ if kind is Finished:
            raw["source"] = Source(raw["source"])
        case _ if kind is Reused:
            raw["nodes"] = {node: Source(source) for node, source in raw["nodes"].items()}
    return kind(**raw)
