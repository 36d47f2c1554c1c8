"""What feeds an input is of a type that fits there, also through subgraphs and reroutes."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.spec import fits, type_name

RULE = Rule(
    "NF103",
    Severity.ERROR,
    why=("Only a value of the right kind can be used: a VAE is no model, a mask is no latent."),
    source="The nodes' declarations.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    for end, start in scene.links.items():
        source, target = scene.nodes[start.node].spec, scene.nodes[end.node].spec
        made = source.output.get(start.port) if source else None
        taken = target.input.get(end.port) if target else None
        if made is None or taken is None or fits(made.type, taken.type):
            continue
        yield scene.problem(
            end.node,
            f"takes {type_name(taken.type)}, "
            f"'{scene.port_title(start)}' gives {type_name(made.type)}.",
            f"Link an output that gives {type_name(taken.type)}.",
            port=end.port,
        )
