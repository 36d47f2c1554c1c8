"""The workflow of one run of a measurement: text to image, with everything said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.models.measurements.measurement import Conditions

LOOP, PICTURE, PORT = "denoise", "decode", "image"
"""The nodes whose seconds and picture are asked for, and the port of the latter."""


class Purpose(StrEnum):
    """What a run is for."""

    WARM_UP = "warm-up"
    """Has the model loaded, so that the probe is not timed with it."""
    PROBE = "probe"
    REFERENCE = "converged picture"
    SPREAD = "converged picture of another seed"
    CELL = "cell"
    STOCHASTIC = "cell of a sampler that adds noise"


@dataclass(frozen=True)
class Step:
    """One run of a measurement."""

    purpose: Purpose
    sampler: str
    steps: int
    prompt: int
    seed: int


def workflow(model: str, of: Conditions, step: Step) -> Document:
    """The workflow of a run.

    Args:
        model: As a workflow names it.
        of: What all runs have in common.
        step: The run.
    """
    size = {"width": of.width, "height": of.height}
    nodes = {
        "model": Node("models.load", {"file": model}),
        "prompt": Node("text.encode", {"text": of.prompts[step.prompt]}),
        "noise": Node("sampling.noise", {"seed": step.seed, **size}),
        "sampler": Node("sampling.sampler", {"name": step.sampler}),
        "schedule": Node("sampling.schedule", {"name": of.schedule, "steps": step.steps}),
        "guidance": Node("sampling.guidance", {"scale": of.guidance}),
        LOOP: Node("sampling.denoise"),
        PICTURE: Node("latent.decode"),
    }
    links = {
        Input("prompt", "text_encoder"): Output("model", "text_encoder"),
        Input(LOOP, "model"): Output("model", "model"),
        Input(LOOP, "positive"): Output("prompt", "conditioning"),
        Input(LOOP, "noise"): Output("noise", "noise"),
        Input(LOOP, "sampler"): Output("sampler", "sampler"),
        Input(LOOP, "schedule"): Output("schedule", "schedule"),
        Input(LOOP, "guidance"): Output("guidance", "guidance"),
        Input(PICTURE, "latent"): Output(LOOP, "latent"),
        Input(PICTURE, "vae"): Output("model", "vae"),
    }
    return Document(Graph(nodes, links))
