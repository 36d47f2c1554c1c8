"""A video is about as long as those that its model was trained on."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import VIDEO_NOISE, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF902",
    Severity.HINT,
    why=(
        "Far longer clips repeat themselves or stand still, and need memory in proportion; far "
        "shorter ones hardly move. A single frame is a picture."
    ),
    source="The frames that the model cards give: 81 and 121; AnimateDiff, arXiv:2307.04725: 16.",
    fix=FixGrade.CHOICE,
    types=(VIDEO_NOISE,),
)

_LONG, _SHORT = 1.5, 1 / 3


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        frames, usual = loop.frames, loop.usual_frames
        if not frames or not usual or loop.noise is None or frames == 1:
            continue
        windows = loop.motion_module is not None  # they go along a clip of any length
        if frames < usual * _SHORT or (frames > usual * _LONG and not windows):
            yield scene.problem(
                loop.noise,
                f"is {frames}; {'the motion module' if windows else loop.label} works with about "
                f"{usual} frames.",
                "Draw it longer, and trim it afterwards."
                if frames < usual
                else "Draw it in parts, each from the last frames of the one before.",
                port="frames",
                fix=scene.set_value(loop.noise, "frames", usual),
            )
