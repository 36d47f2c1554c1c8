"""Writes the summary of a run that A1111 puts into pictures and galleries read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nodeforge import __version__
from nodeforge.errors import RequestError
from nodeforge.formats.copies import COPY, chunk_of
from nodeforge.formats.parameters import networks, passes
from nodeforge.formats.parameters.hashes import HASHED_FILES, PARAMETERS
from nodeforge.formats.parameters.loop_prompts import loop_prompts, summarised
from nodeforge.formats.sampling_settings import LoopTrace, Recognised
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph
from nodeforge.graph.planned import expand_shipped, flatten_with_values
from nodeforge.graph.planned.evaluate import Resolve
from nodeforge.models import SamplingSettings
from nodeforge.spec import Catalogue
from nodeforge.values import infotext
from nodeforge.values.output_names import BATCH_POS, BATCH_SIZE, CONVENTION, FRAMES
from nodeforge.values.sampling_labels import CONVENTION_LABELS, SAMPLER_LABELS, SCHEDULE_LABELS
from nodeforge.values.setting_names import COMFYUI


def texts_of_run(
    graph: Graph,
    catalogue: Catalogue,
    recognised: Recognised | None = None,
    resolve: Resolve | None = None,
) -> dict[str, str]:
    """The summary of the first pass that `graph` makes, and the files that it says the hash of.

    There is none where it denoises nothing.

    Args:
        graph: The workflow.
        catalogue: Declares the ports.
        recognised: Tells what a model is, for settings that are left to it.
        resolve: Finds files, for values that stand in some.
    """
    traced = LoopTrace(flatten_with_values(graph, catalogue, resolve), recognised)
    loop = traced.first_pass()
    return {} if loop is None else _texts(traced, loop)


def parameters(
    graph: Graph,
    catalogue: Catalogue,
    recognised: Recognised | None = None,
    resolve: Resolve | None = None,
) -> str:
    """The summary alone, without hashes: `texts_of_run`."""
    return texts_of_run(graph, catalogue, recognised, resolve).get(PARAMETERS, "")


def texts_of_copies(
    graph: Graph,
    catalogue: Catalogue,
    recognised: Recognised | None = None,
    resolve: Resolve | None = None,
) -> dict[str, str]:
    """The texts for what is saved behind lists, by name and copy: ``parameters save#2:24``.

    The arguments are those of `texts_of_run`.
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
            texts = _texts(traced, loop, copy)
            found |= {f"{name} {copy}": text for name, text in texts.items()}
        if chunk := chunk_of(expanded, copy):
            found[f"{COPY} {copy}"] = chunk
    return found


def _texts(traced: LoopTrace, loop: str, saver: str = "") -> dict[str, str]:
    texts = {PARAMETERS: _summary(traced, loop, saver)}
    named = networks.files_to_hash(traced, loop, saver)
    found = ((key, traced.path_of(kind, file)) for key, kind, file in named)
    if files := {key: str(path.absolute()) for key, path in found if path is not None}:
        texts[HASHED_FILES] = json.dumps(files)
    return texts


def _summary(traced: LoopTrace, loop: str, saver: str) -> str:
    tags = (infotext.lora_tag(*tag) for _, tag in networks.loras(traced, loop))
    lines = [" ".join(filter(None, [_prompt(traced, loop, "positive"), *tags]))]
    if negative := _prompt(traced, loop, "negative"):
        lines.append(f"{infotext.NEGATIVE} {negative}")
    lines.append(infotext.write_facts(dict(_facts(traced, loop, saver))))
    return "\n".join(lines)


def _prompt(traced: LoopTrace, loop: str, port: str) -> str:
    """All prompts behind `port`; else the nearest text, as nodes of packs may have it."""
    prompts = loop_prompts(traced, loop, port)
    return summarised(prompts) if prompts else str(traced.value(loop, port, "text") or "")


def _facts(traced: LoopTrace, loop: str, saver: str) -> Iterator[tuple[str, Any]]:
    def value(port: str, name: str) -> Any:
        return traced.value(loop, port, name)

    known = traced.settings(loop)
    told = known or SamplingSettings(sampler="", schedule="")
    sampler = told.sampler or value("sampler", "name")
    schedule = told.schedule or value("schedule", "name")
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
    yield "Size", _size(traced, loop, told)
    yield FRAMES, told.frames
    model, vae = traced.model_name(loop), networks.vae(traced, loop, saver)
    yield "Model", networks.short_name(model) if model else None
    yield "VAE", networks.short_name(vae) if vae else None
    yield from _strength(traced, loop)
    yield from passes.mask_facts(traced, loop)
    yield "Clip skip", _clip_skip(traced, loop)
    if second := passes.second_pass(traced, loop, saver):
        yield from passes.hires_facts(traced, loop, second, known)
    yield "Version", f"NodeForge {__version__}"


def _size(traced: LoopTrace, loop: str, told: SamplingSettings) -> str | None:
    """That of a part of a mask is not the picture's, nor is the noise's where it is not used."""
    width, height = told.width, told.height
    if traced.is_refining(loop):
        return None
    if passes.is_image_to_image(traced, loop):
        width, height = passes.picture_size(traced, loop)
    return f"{width}x{height}" if width and height else None


def _strength(traced: LoopTrace, loop: str) -> Iterator[tuple[str, Any]]:
    """Of a picture to picture it is always said, as by A1111, which tells it by that."""
    strength = traced.strength(loop)
    if passes.is_image_to_image(traced, loop):
        yield "Denoising strength", 1.0 if strength is None else strength
    elif strength not in (None, 1):
        yield "Denoising strength", strength


def _clip_skip(traced: LoopTrace, loop: str) -> int | None:
    """Counted as in A1111, where 1 is the last layer; where none is skipped, it is not said."""
    skipped = traced.value(loop, "positive", "clip_skip")
    return skipped + 1 if type(skipped) is int and skipped else None
