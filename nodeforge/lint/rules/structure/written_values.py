"""A text that a node reads in a form of its own is in that form."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nodeforge.errors import NodeForgeError
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.block_weights import parse_blocks
from nodeforge.values.layer_names import parse_layer_names
from nodeforge.values.variations import parse_variations

_READ: dict[str, tuple[str, Callable[[str], object]]] = {
    "models.load_lora": ("block_weights", parse_blocks),
    "sampling.noise": ("variations", parse_variations),
    "sampling.perturbed_attention": ("layers", parse_layer_names),
    "sampling.skip_layers": ("layers", parse_layer_names),
}
"""From the type of a node to the port and what reads its text in a run."""

RULE = Rule(
    "NF116",
    Severity.ERROR,
    why=(
        "Weights of blocks, variations of seeds and names of layers are lists with signs between "
        "them. A run would read them after minutes, and stop there."
    ),
    source="The nodes' documentation; the run reads them by the same functions.",
    types=tuple(_READ),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(*_READ):
        port, read = _READ[scene.nodes[path].type]
        text = scene.value(path, port)
        if type(text) is not str:
            continue  # the rule `ranges`
        try:
            read(text)
        except NodeForgeError as error:
            yield scene.problem(path, error.fact, error.way_out, port=port)
