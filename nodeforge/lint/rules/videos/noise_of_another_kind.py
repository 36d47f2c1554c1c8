"""Videos grow from video noise, pictures from noise."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, VIDEO_NOISE, Loop, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF904",
    Severity.WARNING,
    why=(
        "'Noise' has no number of frames: a model of videos then draws as many as it was trained "
        "on, which may take minutes. A model of pictures draws one picture of 'Video noise'."
    ),
    source="How the loop works here.",
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.noise is None or loop.draws_videos is None or scene.feed(loop.path, "latent"):
            continue
        of_video = scene.nodes[loop.noise].type == VIDEO_NOISE
        if of_video and not loop.draws_videos:
            yield scene.problem(
                loop.path,
                f"{loop.label} draws pictures, and gets the noise of a video.",
                "Link 'Noise', or put 'Load motion module' on the model.",
                port="noise",
            )
        elif loop.draws_videos and not of_video:
            yield scene.problem(
                loop.path,
                f"{_label(loop)} draws videos, and gets the noise of a picture: the number of "
                "frames is the model's own.",
                "Link 'Video noise'.",
                port="noise",
            )


def _label(loop: Loop) -> str:
    return "a model with a motion module" if loop.motion_module else loop.label
