"""The summary of a run that A1111 writes into pictures and galleries read.

``prompt``, ``Negative prompt: ...``, then ``Steps: 20, Sampler: DPM++ 2M, ...`` on one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nodeforge import __version__
from nodeforge.formats.loop_prompts import loop_prompts, summarised
from nodeforge.formats.sampling_settings import LoopTrace, Recognised
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph
from nodeforge.models import SamplingSettings
from nodeforge.spec import Catalogue
from nodeforge.values.output_names import BATCH_POS, BATCH_SIZE, CONVENTION
from nodeforge.values.recipes import COMFYUI
from nodeforge.values.sampling_labels import CONVENTION_LABELS, SAMPLER_LABELS, SCHEDULE_LABELS


def parameters(graph: Graph, catalogue: Catalogue, recognised: Recognised | None = None) -> str:
    """The summary of the first pass that `graph` makes; empty where it denoises nothing.

    Args:
        graph: The workflow.
        catalogue: Declares the ports.
        recognised: Tells what a model is, for settings that are left to it.
    """
    traced = LoopTrace(flatten(graph, catalogue), recognised)
    loop = traced.first_pass()
    if loop is None:
        return ""
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
    width, height = told.width, told.height
    strength = value("schedule", "strength")
    yield "Steps", told.steps if told.steps is not None else value("schedule", "steps")
    yield "Sampler", SAMPLER_LABELS.get(str(sampler), sampler)
    yield "Schedule type", SCHEDULE_LABELS.get(str(schedule), schedule)
    yield "CFG scale", told.guidance if told.guidance is not None else value("guidance", "scale")
    yield "Seed", value("noise", "seed")
    batch, convention = value("noise", "batch"), value("sampler", "convention")
    yield BATCH_SIZE, None if batch == 1 else batch
    if convention == COMFYUI:
        yield BATCH_POS, value("noise", "item")
        yield CONVENTION, CONVENTION_LABELS[COMFYUI]
    yield "Size", f"{width}x{height}" if width and height else None
    yield "Model", traced.model_name(loop)
    yield "Denoising strength", None if strength == 1 else strength
    yield "Version", f"NodeForge {__version__}"
