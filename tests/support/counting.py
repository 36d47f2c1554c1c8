"""A session with nodes that count their calls."""

from __future__ import annotations

import time
import weakref
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch

from nodeforge.api import (
    Choice,
    File,
    Latent,
    ModelFile,
    Multiline,
    Range,
    Role,
    RunContext,
    Seed,
    node,
    node_type_of,
)
from nodeforge.engine import events
from nodeforge.engine.cache import DiskTier, MemoryTier, ResultCache
from nodeforge.engine.planning.plan import Plan
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.session import Session
from nodeforge.errors import OutOfMemoryError
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.models import referenced_names
from nodeforge.settings import Settings, shipped
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_pack

CALLS: Counter[str] = Counter()


@node("test.text")
def text(text: str = "a fox", seed: Annotated[int, Seed()] = 0) -> str:
    """Give a text.

    Args:
        text: The text.
        seed: Only part of the result.
    """
    CALLS["text"] += 1
    return f"{text}{seed}"


@node("test.slow")
def slow(text: str, seconds: Annotated[float, Range(0, 1)] = 0.03) -> str:
    """Take long enough to be worth a file.

    Args:
        text: Passed on.
        seconds: How long.
    """
    CALLS["slow"] += 1
    time.sleep(seconds)
    return text


@node("test.join", version=2)
def join(parts: list[str], between: Annotated[str, Choice("-", "+")] = "-") -> str:
    """Join texts.

    Args:
        parts: The texts.
        between: What goes between two.
    """
    CALLS["join"] += 1
    return between.join(parts)


class Halves(NamedTuple):
    first: str
    second: str


@node("test.split")
def split(text: str) -> Halves:
    """Split a text in the middle.

    Args:
        text: The text.

    Returns:
        first: Its first half.
        second: The rest.
    """
    CALLS["split"] += 1
    middle = len(text) // 2
    return Halves(text[:middle], text[middle:])


@node("test.fail")
def fail(text: str) -> str:
    """Fail as a stranger's code does.

    Args:
        text: Named in the error's inputs.
    """
    raise ZeroDivisionError(text[:0] + "no way")


@node("test.stop")
def stop_in_the_middle(run: RunContext, text: str, after: int = 2) -> str:
    """Report ten steps, and ask to be stopped after some.

    Args:
        text: Passed on.
        after: The step at which the test's stop flag is set.
    """
    for step in range(10):
        if step == after:
            run._state.stop.set()  # type: ignore[attr-defined]
        run.progress(step, 10)
        CALLS["step"] += 1
    return text


@node("test.save", effects=True)
def save(run: RunContext, text: str) -> None:
    """Save a text.

    Args:
        text: What is saved.
    """
    CALLS["save"] += 1
    path = run.outputs / "text.txt"
    path.write_text(text)
    run.saved(path)


@node("test.read")
def read(file: Annotated[Path, File("any")]) -> str:
    """Read a file.

    Args:
        file: Which.
    """
    CALLS["read"] += 1
    return file.read_text()


@node("test.model")
def model(file: Annotated[Path, ModelFile("checkpoint")]) -> str:
    """Name a model.

    Args:
        file: Which.
    """
    CALLS["model"] += 1
    return file.name


@node("test.prompt")
def prompt(run: RunContext, text: Annotated[str, Multiline(names="embedding")] = "") -> str:
    """Tell where the models are that a text names.

    Args:
        text: The text.
    """
    CALLS["prompt"] += 1
    return " ".join(str(run.named(name)) for name in referenced_names("embedding", text))


@node("test.inexact")
def inexact(run: RunContext, text: str) -> str:
    """Fall back to another way.

    Args:
        text: Passed on.
    """
    CALLS["inexact"] += 1
    run.fell_back("used a smaller tile")
    return text


@node("test.hungry")
def hungry(text: str, tries: Annotated[int, Range(0, 9)] = 1) -> str:
    """Run out of memory at first.

    Args:
        text: Passed on.
        tries: How often memory does not suffice.
    """
    CALLS["hungry"] += 1
    if CALLS["hungry"] <= tries:
        raise OutOfMemoryError("memory ran out.", way_out="Make fewer pictures at once.")
    return text


@node("test.strip")
def strip(text: str) -> str:
    """Take spaces at the ends away.

    Args:
        text: Any.
    """
    CALLS["strip"] += 1
    return text.strip()


@node("test.grow")
def grow(text: str, by: str = ".") -> str:
    """Add something at the end, taking long enough to be worth a file.

    Args:
        text: Any.
        by: What is added.
    """
    CALLS["grow"] += 1
    time.sleep(0.03)
    return text + by


@node("test.opaque")
def opaque(text: str) -> str:
    """Give what no codec knows.

    Args:
        text: Goes into it.
    """
    CALLS["opaque"] += 1
    return {text, text + "!"}  # pyright: ignore[reportReturnType]


ALIVE: weakref.WeakSet[torch.Tensor] = weakref.WeakSet()


@node("test.latent")
def latent() -> Latent:
    """Give a latent."""
    return _tracked(torch.ones(1, 4, 8, 8))


@node("test.double")
def double(latent: Latent) -> Latent:
    """Double a latent.

    Args:
        latent: What is doubled.
    """
    CALLS["double"] += 1
    return _tracked(latent.samples * 2)


def _tracked(samples: torch.Tensor) -> Latent:
    ALIVE.add(samples)
    most = "most alive at once"
    CALLS[most] = max(CALLS[most], len(ALIVE))
    return Latent(samples, "sd", 8)


@node("test.reroute", role=Role.REROUTE)
def reroute(value: Any) -> Any:
    """Pass on.

    Args:
        value: What is passed on.
    """
    raise AssertionError("the planner replaces reroutes")


NODES = (
    text,
    slow,
    join,
    split,
    fail,
    stop_in_the_middle,
    save,
    read,
    model,
    prompt,
    inexact,
    hungry,
    strip,
    grow,
    opaque,
    latent,
    double,
    reroute,
)
NODE_TYPES = {
    node_type.spec.type: node_type for thing in NODES if (node_type := node_type_of(thing))
}


@dataclass
class Bench:
    """Runs graphs and remembers what happened."""

    session: Session
    outputs: Path
    events: list[events.Event] = field(default_factory=list)
    state: RunState | None = None

    @property
    def calls(self) -> dict[str, int]:
        return dict(CALLS)

    def run(self, graph: Graph, *targets: str, **options: Any) -> dict[str, Any]:
        """The targets' results; what happened is in `events`."""
        CALLS.clear()
        self.events = []
        self.state = RunState(self.events.append)
        request = RunRequest("run", list(targets), outputs=self.outputs, **options)
        return self.session.run(graph, request, self.state)

    def plan(self, graph: Graph, *targets: str) -> Plan:
        """What a run would compute."""
        return self.session.plan(graph, RunRequest("run", list(targets)))

    def told(self, kind: type[events.Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def open_bench(home: Path, memory: int = 2**20, packs: Iterable[str] = (), **tiers: Any) -> Bench:
    """A bench on `home`, as a new process would open it: nothing is in memory.

    `packs`: shipped ones whose nodes it has, too; `tiers`: what `ResultCache` may have besides.
    """
    settings = Settings(home=home)
    disk = DiskTier(settings.cache / "results", "test", 2**20)
    cache = ResultCache(MemoryTier(memory), disk, ValueCodec(), **tiers)
    node_types = dict(NODE_TYPES)
    for name in packs:
        node_types |= load_pack(shipped("nodes") / name)
    return Bench(Session(settings, node_types, cache), home)


def graph(nodes: dict[str, tuple[str, dict[str, Any]]], links: dict[str, str]) -> Graph:
    """``graph({"a": ("test.text", {"seed": 1})}, {"b.parts[0]": "a.text"})``."""
    made = Graph({name: Node(kind, dict(values)) for name, (kind, values) in nodes.items()})
    for target, source in links.items():
        node_id, port = target.split(".")
        name, _, item = port.partition("[")
        made.links[Input(node_id, name, int(item[:-1]) if item else None)] = Output(
            *source.split(".")
        )
    return made
