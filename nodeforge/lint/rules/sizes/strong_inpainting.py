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

_CONTROLS = {"control.apply", "canvas.control"}


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        info = loop.model.info
        if loop.family is None or (info and info.inpainting) or not scene.feed(loop.path, "mask"):
            continue
        most = loop.family.plain_inpainting
        if loop.strength is None or loop.strength <= most:
            continue
        if loop.prompt_types & _CONTROLS:
            continue
        yield scene.problem(
            loop.schedule or loop.path,
            f"{loop.label} is no inpainting model: above {most:g} what it draws hardly fits the "
            "rest.",
            "Lower the strength, or use an inpainting model or ControlNet.",
            port="strength" if loop.schedule else "schedule",
        )
