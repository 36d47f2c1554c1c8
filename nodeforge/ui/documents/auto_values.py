"""What sampling nodes leave to their model, in words: ``8``, ``Flow Euler``."""

from __future__ import annotations

from nodeforge.formats.sampling_settings import LoopTrace, Recognised
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input
from nodeforge.graph.planned import flatten_with_values
from nodeforge.models import FAMILIES, ModelInfo, SamplingSettings, variant_label
from nodeforge.spec import Catalogue
from nodeforge.values.sampling_labels import SAMPLER_LABELS, SCHEDULE_LABELS

_LAYERS_NOISE = "sampling.layers_noise"
NOISES = ("sampling.noise", "sampling.video_noise", _LAYERS_NOISE)
TYPES = ("sampling.sampler", "sampling.schedule", "sampling.guidance", *NOISES)


def auto_values(
    document: Document, catalogue: Catalogue, recognised: Recognised
) -> dict[str, dict[str, str]]:
    """What ports stand for that are left to the model, by node and port.

    Of a node that feeds several loops, the first one's. Nodes whose model is not known are left
    out.
    """
    traced = LoopTrace(flatten_with_values(document.graph, catalogue), recognised)
    found: dict[str, dict[str, str]] = {}
    for loop in traced.loops():
        loader, model = traced.model_node(loop), traced.model(loop)
        if loader is not None and model is not None and (variant := variant_label(model)):
            found[loader] = {"variant": variant}
        if (made := traced.settings(loop)) is None:
            continue
        found[loop] = _of_loop(traced, loop, made)
        for path in traced.upstream(loop):
            kind = traced.flat.nodes[path].type
            if kind in TYPES and path not in found:
                found[path] = _by_port(kind, made) | _layers(kind, model)
    return found


def _layers(kind: str, model: ModelInfo | None) -> dict[str, str]:
    """Into how many layers a model takes a picture apart."""
    family = FAMILIES.get(model.family or "") if model is not None else None
    if kind != _LAYERS_NOISE or family is None or not family.layers:
        return {}
    return {"layers": str(family.layers)}


def _of_loop(traced: LoopTrace, loop: str, made: SamplingSettings) -> dict[str, str]:
    """What stands for ports of the loop that nothing is linked to."""
    schedule = SCHEDULE_LABELS.get(made.schedule, made.schedule)
    usual = {
        "sampler": SAMPLER_LABELS.get(made.sampler, made.sampler),
        "schedule": f"{schedule}, {made.steps} steps",
        "guidance": f"{made.guidance:g}",
    }
    if traced.is_refining(loop) and made.width is not None:
        usual["size"] = str(made.width)
    linked = traced.flat.links
    return {port: text for port, text in usual.items() if Input(loop, port) not in linked}


def _by_port(kind: str, made: SamplingSettings) -> dict[str, str]:
    match kind:
        case "sampling.sampler":
            return {"name": SAMPLER_LABELS.get(made.sampler, made.sampler)}
        case "sampling.schedule":
            schedule = SCHEDULE_LABELS.get(made.schedule, made.schedule)
            return {"name": schedule, "steps": str(made.steps)}
        case "sampling.guidance":
            return {"scale": f"{made.guidance:g}"}
    sides = {"width": made.width, "height": made.height}
    found = {port: str(side or "as the picture") for port, side in sides.items()}
    if kind == "sampling.video_noise" and made.frames is not None:
        found["frames"] = str(made.frames)
    return found
