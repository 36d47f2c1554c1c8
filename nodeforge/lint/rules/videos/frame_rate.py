"""A video plays about as fast as those that its model was trained on."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import loops, number
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

DECODE_VIDEO = "latent.decode_video"
RULE = Rule(
    "NF908",
    Severity.HINT,
    why="Movements have the speed that the model saw: at another rate they are slow or hasty.",
    source="The rates that the model cards give: 16 and 24 frames a second.",
    fix=FixGrade.CHOICE,
    types=(DECODE_VIDEO,),
)

_FAR = 1.6
"""So that 24 for 16 is left alone, which many play on purpose."""


def check(scene: LintContext) -> Iterator[Problem]:
    known = {loop.path: loop for loop in loops(scene)}
    for path in scene.of_type(DECODE_VIDEO):
        feed = scene.feed(path, "latent")
        loop = known.get(feed.node) if feed else None
        video = loop.family.video if loop and loop.family else None
        rate = number(scene.value(path, "rate"))
        if loop is None or video is None or not rate or rate <= 0:
            continue
        if not 1 / _FAR <= rate / video.rate <= _FAR:
            yield scene.problem(
                path,
                f"is {rate:g}; {loop.label} was trained on {video.rate:g} frames a second.",
                "Leave it empty; 'Change rate' and 'Change speed' of the video come after it.",
                port="rate",
                fix=scene.set_value(path, "rate", None),
            )
