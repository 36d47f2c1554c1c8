"""The model that a denoise loop runs, as far as its file's header tells."""

from __future__ import annotations

from typing import NamedTuple

from nodeforge.errors import RequestError
from nodeforge.lint.context import LintContext
from nodeforge.lint.recipes import model_info, model_ports
from nodeforge.models import ModelInfo
from nodeforge.models.sampler_table import Levels, levels_of
from nodeforge.values.setting_names import AUTO, FLOW

JOIN_EXPERTS = "models.join_experts"
HIGH_NOISE = "high_noise"
"""The port of *Join experts* for the denoiser of the first steps, which is the model here."""


class LoopModel(NamedTuple):
    """The model of a loop.

    Args:
        levels: What its noise levels are; None where only a run can tell.
        info: Of its file, where that is known.
        variant: Chosen by hand, or told by the file.
    """

    levels: Levels | None = None
    info: ModelInfo | None = None
    variant: str = ""

    @property
    def flow(self) -> bool | None:
        """Whether it predicts flow; None where only a run can tell."""
        return None if self.levels is None else self.levels is Levels.FLOW


def loop_model(scene: LintContext, loop: str) -> LoopModel:
    feed, seen = scene.feed(loop, "model"), set[str]()
    while feed is not None and feed.node not in seen:
        seen.add(feed.node)
        spec = scene.nodes[feed.node].spec
        if spec is not None and "prediction" in spec.input:
            said = scene.value(feed.node, "prediction")
            info = _its_file(scene, feed.node)
            variant = _variant(scene, feed.node, info)
            return LoopModel(_levels(info, said), info, variant)
        feed = scene.feed(feed.node, "model") or scene.feed(feed.node, HIGH_NOISE)
    return LoopModel()


def _levels(info: ModelInfo | None, said: object) -> Levels | None:
    """By what is said of its prediction, then the file's; else as the family's models are."""
    if info is None or info.family is None:
        return None if said == AUTO else Levels.FLOW if said == FLOW else Levels.NUMBERED
    told = said if said != AUTO and isinstance(said, str) else info.prediction_type
    return levels_of(info.family, told or "")


def _variant(scene: LintContext, loader: str, info: ModelInfo | None) -> str:
    spec = scene.nodes[loader].spec
    chosen = scene.value(loader, "variant") if spec and "variant" in spec.input else AUTO
    if type(chosen) is str and chosen != AUTO:
        return chosen
    return info.variant if info else ""


def _its_file(scene: LintContext, loader: str) -> ModelInfo | None:
    first = scene.once("first model of each loader", lambda: _first_models(scene)).get(loader)
    try:
        return model_info(scene, *first) if first else None
    except RequestError:
        return None


def _first_models(scene: LintContext) -> dict[str, tuple[str, str]]:
    """Kind and name of the first model that each node names."""
    return {path: (kind, name) for path, _, kind, name in reversed(model_ports(scene))}
