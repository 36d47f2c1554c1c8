"""Guidance for low noise has an expert that it acts on."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.experts import LOW_NOISE_GUIDANCE, has_second_expert
from nodeforge.lint.loops import loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF906",
    Severity.WARNING,
    why="The scale for low noise is that of a second denoiser. A model of one never reads it.",
    source="diffusers documentation, WanPipeline: guidance_scale_2.",
    types=(LOW_NOISE_GUIDANCE,),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        path = loop.node("guidance", LOW_NOISE_GUIDANCE)
        if path is not None and has_second_expert(loop) is False:
            yield scene.problem(
                path,
                f"{loop.label} has no second denoiser here, so the scale is not read.",
                "Take the node out, or add the expert for low noise with 'Join experts'.",
                port="scale",
            )
