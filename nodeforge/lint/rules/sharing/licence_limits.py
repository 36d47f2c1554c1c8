"""What a model may be used for is known before its pictures are sold."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF808",
    Severity.HINT,
    why="Some models are free for research or for private use alone.",
    source=(
        "modelspec.license; the licences of FLUX.1 dev, FLUX.2 dev and klein 9B (non-commercial), "
        "SDXL Turbo and SD Turbo (Stability AI Community)."
    ),
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.family is None or loop.model.info is None:
            continue
        variant = loop.model.variant or loop.family.variant
        told = loop.family.licence_of(variant)
        loader = next((p for p in loop.upstream("model") if _names_file(scene, p)), None)
        if told and loader:
            yield scene.problem(
                loader,
                f"{loop.label} is under {told}.",
                "Read the licence before you sell pictures or the service.",
                port="file",
            )


def _names_file(scene: LintContext, path: str) -> bool:
    spec = scene.nodes[path].spec
    return spec is not None and "prediction" in spec.input
