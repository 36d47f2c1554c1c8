"""A seed is one that other programs read."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.spec import SeedWidget

RULE = Rule(
    "NF807",
    Severity.HINT,
    why=(
        "A1111 and Krita's plugin read seeds up to 2³² − 1: the picture cannot be made again "
        "there from what it says."
    ),
    source="A1111's source of seeds; krita-ai-diffusion.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.nodes.items():
        for port in node.spec.inputs if node.spec else ():
            if isinstance(port.widget, SeedWidget) and port.name in node.values:
                seed = node.values[port.name]
                if type(seed) is int and seed >= 2**32:
                    yield scene.problem(
                        path,
                        f"is {seed}; A1111 and Krita's plugin read seeds below 4294967296.",
                        "Choose a smaller one where others are to make the picture again.",
                        port=port.name,
                    )
