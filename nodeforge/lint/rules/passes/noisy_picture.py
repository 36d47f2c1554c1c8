"""What is decoded is finished."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF408",
    Severity.WARNING,
    why=(
        "A loop that stops early leaves noise in its latent, which the VAE paints as grain "
        "and false colours. 'Clean estimate' shows what the picture would become."
    ),
    source="How the loop works here.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

DENOISE, DECODERS = "sampling.denoise", ("latent.decode", "latent.decode_video")


def check(scene: LintContext) -> Iterator[Problem]:
    readers = {loop.before.path for loop in loops(scene) if loop.before}
    for loop in loops(scene):
        if not loop.stops_early or loop.path in readers or scene.nodes[loop.path].type != DENOISE:
            continue
        if any(scene.nodes[end].type in DECODERS for end in scene.readers(loop.path)):
            yield scene.problem(
                loop.path,
                f"stops at step {loop.last_step} of {loop.steps_run}, and is decoded with noise.",
                "Let it run to the end, or use 'Clean estimate'.",
                port="stop_at",
                fix=scene.set_value(loop.path, "stop_at", None),
            )
