"""A denoiser for a part of the noise levels draws that part."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.experts import expert_name, has_second_expert
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF907",
    Severity.WARNING,
    why=(
        "Of two experts one was trained on high noise, the other on low noise. Over all steps the "
        "first leaves blurred frames, the second has no composition to begin with."
    ),
    source="Model card of Wan 2.2 A14B; the name of the file.",
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        name = expert_name(loop)
        if not name or has_second_expert(loop) is not False:
            continue
        partly = loop.first_step > 0 if name == "low" else loop.stops_early
        if partly or (name == "low" and loop.is_img2img and loop.strength != 1):
            continue
        info = loop.model.info
        assert info is not None  # it has a name
        other = "high" if name == "low" else "low"
        yield scene.problem(
            loop.path,
            f"'{info.path.name}' draws at {name} noise alone, and here it runs all steps.",
            f"Join it with the expert for {other} noise by 'Join experts'.",
            port="model",
        )
