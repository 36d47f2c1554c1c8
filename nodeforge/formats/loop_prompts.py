"""The prompts of a denoise loop, each with the share of the steps in which it acts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from nodeforge.formats.sampling_settings import LoopTrace
from nodeforge.graph.model import Input

RANGE = "text.range"
CONDITIONING = "conditioning"


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
    found = list(dict.fromkeys(_behind(traced, Input(loop, port))))
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


def _behind(traced: LoopTrace, end: Input) -> Iterator[LoopPrompt]:
    """The prompts behind an input; each way to a node in the same steps is walked once."""
    waiting, seen = [(end, 0.0, 1.0)], set[tuple[str, float, float]]()
    while waiting:
        end, first, last = waiting.pop()
        start = traced.flat.links.get(end)
        node = traced.flat.nodes[start.node] if start else None
        if start is None or node is None or node.spec is None:
            continue
        if node.type == RANGE:
            first = max(first, _share(traced.literal(start.node, "start"), 0.0))
            last = min(last, _share(traced.literal(start.node, "end"), 1.0))
        if first >= last or (start.node, first, last) in seen:
            continue
        seen.add((start.node, first, last))
        ports = [port.name for port in node.spec.inputs if port.type == CONDITIONING]
        waiting += [(Input(start.node, name), first, last) for name in reversed(ports)]
        if not ports and "text" in node.spec.input:
            yield LoopPrompt(str(traced.literal(start.node, "text") or ""), first, last)


def _share(value: Any, default: float) -> float:
    return float(value) if type(value) in (int, float) else default
