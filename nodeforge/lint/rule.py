"""A rule of the linter: what it is for, and what finds where it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodeforge.lint.problem import FixGrade, Problem, Severity

if TYPE_CHECKING:
    from nodeforge.lint.context import LintContext

Check = Callable[["LintContext"], Iterator[Problem]]

GROUPS = {
    1: "Structure",
    2: "Guidance",
    3: "Samplers and steps",
    4: "Strength and passes",
    5: "Size and mask",
    6: "Text",
    7: "Adapters and references",
    8: "VAE, numbers, sharing",
    9: "Videos",
}
"""The first digit of a code."""


@dataclass(frozen=True)
class Rule:
    """One rule. A module of `nodeforge.lint.rules` declares it as `RULE` beside its `check`.

    Args:
        code: ``NF``, a digit of `GROUPS` and two digits that are never used for another rule.
        level: Of its problems at nodes that a run needs; one level lower at others.
        why: Why it matters, sentences.
        source: Where that is known from: a paper, documentation, a measurement.
        fix: What its fixes are; None where it has none.
        types: The node types it looks at: it is not asked about workflows without them. Empty
            stands for all.
        since: The version of NodeForge that it came with.
        name: Of its module.
        summary: What should hold, one sentence: its module's docstring.
        check: Finds where it does not hold.
    """

    code: str
    level: Severity
    why: str
    source: str
    fix: FixGrade | None = None
    types: tuple[str, ...] = ()
    since: str = "0.1"
    name: str = ""
    summary: str = ""
    check: Check = lambda _: iter(())

    @property
    def group(self) -> str:
        return GROUPS[int(self.code[2])]
