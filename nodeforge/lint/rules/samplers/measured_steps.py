"""Where the model was measured on this machine, no steps are run that bring it no nearer."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.measured import measured
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.sampling_labels import SAMPLER_LABELS

RULE = Rule(
    "NF321",
    Severity.HINT,
    why=(
        "A sampler that adds no noise comes nearer to one picture with more steps, each time by "
        "less. How many are enough depends on the model, the sampler and the scale: it was "
        "measured with this model, on this machine."
    ),
    source="'nodeforge measure' of this model: distances to its pictures of 100 steps.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        steps = loop.steps
        if not loop.schedule or steps is None or (found := measured(loop)) is None:
            continue
        enough = found.measurement.fewest_as_near(found.sampler, steps)
        here = found.distance(steps)
        if enough is None or here is None:
            continue
        now, then = found.seconds(steps), found.seconds(enough.steps)
        time = f" in {then:.1f} s instead of {now:.1f} s" if now and then else ""
        yield scene.problem(
            loop.schedule,
            f"is {steps}; {enough.steps} steps of {SAMPLER_LABELS[found.sampler]} are as near "
            f"here: they differ from the converged picture by {enough.distance:.0%} of what "
            f"another seed does, {steps} steps by {here:.0%}.",
            f"{enough.steps} steps are enough{time}.",
            port="steps",
            fix=scene.set_value(loop.schedule, "steps", enough.steps),
        )
