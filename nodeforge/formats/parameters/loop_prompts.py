"""The prompts that a denoise loop follows, and when each acts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from nodeforge.formats.sampling_settings import LoopTrace
from nodeforge.graph.model import Input

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
