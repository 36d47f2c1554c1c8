"""A prompt beside an image prompt counts."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import number
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

IP_ADAPTER = "control.apply_ip_adapter"

RULE = Rule(
    "NF714",
    Severity.HINT,
    why="At a strength of 1 the image prompt outweighs the words; at about 0.5 both count.",
    source="diffusers documentation, ip_adapter.md.",
    types=(IP_ADAPTER,),
)

_PROMPT = 3
"""Words from which a prompt is one."""


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(IP_ADAPTER):
        strength = number(scene.value(path, "strength"))
        if strength is None or strength < 1:
            continue
        feed, seen = scene.feed(path, "conditioning"), set[str]()
        while feed and feed.node not in seen and scene.nodes[feed.node].type != "text.encode":
            seen.add(feed.node)
            feed = scene.feed(feed.node, "conditioning")
        text = scene.value(feed.node, "text") if feed and feed.node not in seen else None
        if type(text) is str and len(text.split()) >= _PROMPT:
            yield scene.problem(
                path,
                f"is {strength:g}, and the prompt hardly counts beside it.",
                "0.5 to 0.8 let both count.",
                port="strength",
            )
