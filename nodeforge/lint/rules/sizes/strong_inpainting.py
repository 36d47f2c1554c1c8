"""A model that was not made for inpainting fills a mask gently."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF514",
    Severity.HINT,
    why=(
        "An ordinary model does not see the mask: what it draws at full strength hardly fits "
        "the rest. Inpainting models and inpainting ControlNets do."
    ),
    source="krita-ai-diffusion's thresholds; Rombach et al. 2022, arXiv:2112.10752, section 4.5.",
    types=LOOPS,
)

_MOST = {"sd15": 0.6, "sd21": 0.6, "sdxl": 0.8}
_CONTROLS = ("control.apply", "canvas.control")


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        info = loop.model.info
        plain = (
            loop.family is not None and loop.family.name in _MOST and not (info and info.inpainting)
        )
        if not plain or loop.family is None or not scene.feed(loop.path, "mask"):
            continue
        if loop.strength is None or loop.strength <= _MOST[loop.family.name]:
            continue
        if any(scene.nodes[p].type in _CONTROLS for p in loop.upstream("positive", "conditioning")):
            continue
        yield scene.problem(
            loop.schedule or loop.path,
            f"{loop.label} is no inpainting model: above {_MOST[loop.family.name]:g} what it draws "
            "hardly fits the rest.",
            "Lower the strength, or use an inpainting model or ControlNet.",
            port="strength" if loop.schedule else "schedule",
        )
