"""The summary of a run that A1111 writes into pictures and galleries read.

``prompt``, ``Negative prompt: ...``, then ``Steps: 20, Sampler: DPM++ 2M, ...`` on one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from nodeforge import __version__
from nodeforge.errors import RequestError
from nodeforge.formats.copies import COPY, chunk_of
from nodeforge.formats.sampling_settings import LoopTrace, Recognised
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph, Input
from nodeforge.graph.planned import expand_shipped, flatten_with_values
from nodeforge.graph.planned.evaluate import Resolve
from nodeforge.models import SamplingSettings
from nodeforge.spec import Catalogue
from nodeforge.values.output_names import BATCH_POS, BATCH_SIZE, CONVENTION, FRAMES
from nodeforge.values.sampling_labels import CONVENTION_LABELS, SAMPLER_LABELS, SCHEDULE_LABELS
from nodeforge.values.setting_names import COMFYUI

PARAMETERS = "parameters"
_RANGE = "text.range"
CHANGE = "text.change_at_step"
"""The node that changes a prompt at a step."""
_CONDITIONING = "conditioning"


class LoopPrompt(NamedTuple):
    """A prompt, and when it acts.

    Args:
        text: As it is written.
        start: Share of the steps after which it begins, 0..1.
        end: Share of the steps after which it ends, 0..1.
    """

    text: str
    start: float
    end: float


def parameters(
    graph: Graph,
    catalogue: Catalogue,
    recognised: Recognised | None = None,
    resolve: Resolve | None = None,
) -> str:
    """The summary of the first pass that `graph` makes; empty where it denoises nothing.

    Args:
        graph: The workflow.
        catalogue: Declares the ports.
        recognised: Tells what a model is, for settings that are left to it.
        resolve: Finds files, for values that stand in some.
    """
    traced = LoopTrace(flatten_with_values(graph, catalogue, resolve), recognised)
    loop = traced.first_pass()
    return "" if loop is None else _summary(traced, loop)


def texts_of_copies(
    graph: Graph,
    catalogue: Catalogue,
    recognised: Recognised | None = None,
    resolve: Resolve | None = None,
) -> dict[str, str]:
    """The texts for what is saved behind lists, by name and copy: ``parameters save#2:24``.

    The arguments are those of `parameters`.
    """
    flat = flatten(graph, catalogue)
    savers = [path for path, node in flat.nodes.items() if node.spec and node.spec.effects]
    try:
        expanded = expand_shipped(flat, catalogue, savers, resolve)
    except RequestError:
        return {}  # the run says so
    copies = [ids for path in savers if len(ids := expanded.copies[path]) > 1]
    if not copies:
        return {}
    traced = LoopTrace(expanded.graph, recognised)
    found: dict[str, str] = {}
    for copy in (each for ids in copies for each in ids):
        if (loop := traced.first_pass(copy)) is not None:
            found[f"{PARAMETERS} {copy}"] = _summary(traced, loop)
        if chunk := chunk_of(expanded, copy):
            found[f"{COPY} {copy}"] = chunk
    return found


def _summary(traced: LoopTrace, loop: str) -> str:
    prompt = _prompt(traced, loop, "positive")
    negative = _prompt(traced, loop, "negative")
    lines = [str(prompt)]
    if negative:
        lines.append(f"Negative prompt: {negative}")
    facts = {name: value for name, value in _facts(traced, loop) if value is not None}
    lines.append(", ".join(f"{name}: {value}" for name, value in facts.items()))
    return "\n".join(lines)


def _prompt(traced: LoopTrace, loop: str, port: str) -> str:
    """All prompts behind `port`; else the nearest text, as nodes of packs may have it."""
    prompts = loop_prompts(traced, loop, port)
    return summarised(prompts) if prompts else str(traced.value(loop, port, "text") or "")


def _facts(traced: LoopTrace, loop: str) -> Iterator[tuple[str, Any]]:
    def value(port: str, name: str) -> Any:
        return traced.value(loop, port, name)

    told = traced.settings(loop) or SamplingSettings(sampler="", schedule="")
    sampler = told.sampler or value("sampler", "name")
    schedule = told.schedule or value("schedule", "name")
    # that of a part of a mask is not the picture's
    width, height = (None, None) if traced.is_refining(loop) else (told.width, told.height)
    strength = traced.strength(loop)
    yield "Steps", told.steps if told.steps is not None else value("schedule", "steps")
    yield "Sampler", SAMPLER_LABELS.get(str(sampler), sampler)
    yield "Schedule type", SCHEDULE_LABELS.get(str(schedule), schedule)
    yield "CFG scale", told.guidance if told.guidance is not None else value("guidance", "scale")
    yield "Seed", traced.seed(loop)
    batch, convention = value("noise", "batch"), value("sampler", "convention")
    yield BATCH_SIZE, None if batch == 1 else batch
    if convention == COMFYUI:
        yield BATCH_POS, value("noise", "item")
        yield CONVENTION, CONVENTION_LABELS[COMFYUI]
    yield "Size", f"{width}x{height}" if width and height else None
    yield FRAMES, told.frames
    yield "Model", traced.model_name(loop)
    yield "Denoising strength", None if strength == 1 else strength
    yield "Version", f"NodeForge {__version__}"


def loop_prompts(traced: LoopTrace, loop: str, port: str) -> list[LoopPrompt]:
    """The prompts behind the loop's `port`, in the order in which they begin.

    Neighbours in time of equal text are one, and none is named twice.
    """
    steps = _steps(traced, loop)
    found = list(dict.fromkeys(each for _, each in prompts_behind(traced, loop, port, steps)))
    found.sort(key=lambda each: each.start)  # stable: first linked, first named
    merged: list[LoopPrompt] = []
    for each in found:
        if merged and merged[-1].text == each.text and each.start <= merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, each.end))
        else:
            merged.append(each)
    return merged


def summarised(prompts: list[LoopPrompt]) -> str:
    """Prompts in one text, as A1111 writes them.

    One after another is ``[first:second:0.4]``; prompts that act together, as those of regions,
    are joined by ``AND``.
    """
    in_turns = all(one.end == other.start for one, other in pairwise(prompts))
    if not in_turns:
        return " AND ".join(dict.fromkeys(each.text for each in prompts if each.text))
    text = prompts[-1].text if prompts else ""
    for each in reversed(prompts[:-1]):
        text = f"[{each.text}:{text}:{each.end:g}]"
    return text


def prompts_behind(
    traced: LoopTrace, loop: str, port: str, steps: int
) -> Iterator[tuple[str, LoopPrompt]]:
    """The prompts behind the loop's `port`, with the nodes that encode them.

    Each way to a node in the same steps is walked once.

    Args:
        traced: The workflow.
        loop: The denoise loop.
        port: Its input for a prompt.
        steps: How many steps are run; 0 where that is unknown: then no step divides prompts.
    """
    waiting, seen = [(Input(loop, port), 0.0, 1.0)], set[tuple[str, float, float]]()
    while waiting:
        end, first, last = waiting.pop()
        start = traced.flat.links.get(end)
        node = traced.flat.nodes[start.node] if start else None
        if start is None or node is None or node.spec is None:
            continue
        if node.type == _RANGE:
            first = max(first, _share(traced.literal(start.node, "start"), 0.0))
            last = min(last, _share(traced.literal(start.node, "end"), 1.0))
        if first >= last or (start.node, first, last) in seen:
            continue
        seen.add((start.node, first, last))
        begin, until = first, last
        if node.type == CHANGE and steps:
            at = _share(traced.literal(start.node, "step"), 1.0) / steps
            begin, until = max(first, round(at, 4)), min(last, round(at, 4))
        ports = [port.name for port in node.spec.inputs if port.type == _CONDITIONING]
        if first < until:
            waiting += [(Input(start.node, name), first, until) for name in reversed(ports)]
        if begin < last and (node.type == CHANGE or not ports) and "text" in node.spec.input:
            text = str(traced.literal(start.node, "text") or "")
            yield start.node, LoopPrompt(text, begin, last)


def _steps(traced: LoopTrace, loop: str) -> int:
    """How many steps the loop's schedule runs; 0 where that is unknown."""
    told = traced.settings(loop)
    steps = told.steps if told and told.steps else traced.value(loop, "schedule", "steps")
    strength = _share(traced.strength(loop), 1.0)
    return int(steps * strength) if type(steps) is int else 0


def _share(value: Any, default: float) -> float:
    return float(value) if type(value) in (int, float) else default
