"""What a sampling node leaves to its model, in words: ``auto: 8``."""

from __future__ import annotations

from nodeforge.formats.sampling_settings import LoopTrace, Recognised
from nodeforge.graph.document import Document
from nodeforge.graph.flatten import flatten
from nodeforge.models import SamplingSettings
from nodeforge.spec import Catalogue
from nodeforge.values.sampling_labels import SAMPLER_LABELS, SCHEDULE_LABELS

TYPES = ("sampling.sampler", "sampling.schedule", "sampling.guidance", "sampling.noise")


def auto_values(
    document: Document, catalogue: Catalogue, path: str, recognised: Recognised
) -> dict[str, str]:
    """For the node at `path`, what its ports that are left to the model stand for, by port.

    Empty for other nodes, and where the model is not known.
    """
    if document.node(path).type not in TYPES:
        return {}
    traced = LoopTrace(flatten(document.graph, catalogue), recognised)
    loop = next((each for each in traced.loops() if path in traced.upstream(each)), None)
    made = traced.settings(loop) if loop else None
    return _by_port(document.node(path).type, made) if made else {}


def _by_port(kind: str, made: SamplingSettings) -> dict[str, str]:
    match kind:
        case "sampling.sampler":
            return {"name": SAMPLER_LABELS.get(made.sampler, made.sampler)}
        case "sampling.schedule":
            schedule = SCHEDULE_LABELS.get(made.schedule, made.schedule)
            return {"name": schedule, "steps": str(made.steps)}
        case "sampling.guidance":
            return {"scale": f"{made.guidance:g}"}
    return {"width": str(made.width), "height": str(made.height)}
