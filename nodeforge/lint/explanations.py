"""What a rule is, in Markdown: the command line, the page and the window show the same."""

from __future__ import annotations

from nodeforge.graph.comparison.compare import compare
from nodeforge.graph.comparison.compare_text import DifferenceText
from nodeforge.graph.document import Document
from nodeforge.lint.problem import FixGrade, Severity
from nodeforge.lint.registry import all_rules
from nodeforge.lint.rule import GROUPS, Rule
from nodeforge.spec import Catalogue

_LEVELS = {
    Severity.ERROR: "Error: a run is refused.",
    Severity.WARNING: "Warning.",
    Severity.HINT: "Hint: never in the exit code.",
}
_FIXES = {
    FixGrade.SAFE: "Its fix is safe: no picture that was right changes.",
    FixGrade.CHOICE: "Its fix is a choice: one good value of several.",
}


def explain(
    rule: Rule, example: tuple[Document, Document] | None = None, heading: str = "#"
) -> str:
    """What `rule` looks for, why, and how to mend it.

    Args:
        example: A workflow in which it finds something, and the same mended.
        heading: The mark of the title's level.
    """
    lines = [
        f"{heading} {rule.code} {rule.name}",
        rule.summary,
        rule.why,
        " ".join(filter(None, (_LEVELS[rule.level], _FIXES[rule.fix] if rule.fix else ""))),
        f"Source: {rule.source} Since {rule.since}.",
    ]
    if example is not None:
        lines.append("What mends its example:")
        lines.append("\n".join(("```", *_difference(example), "```")))
    return "\n\n".join(lines) + "\n"


def listed() -> str:
    """A line for each rule, by group."""
    lines: list[str] = []
    for number, group in GROUPS.items():
        rules = [rule for rule in all_rules() if rule.code[2] == str(number)]
        lines += ["", f"{group}:"] if rules else []
        lines += [f"  {rule.code} {rule.level:<7} {rule.name}: {rule.summary}" for rule in rules]
    return "\n".join(lines[1:])


def _difference(example: tuple[Document, Document]) -> list[str]:
    """What turns the bad example into the good one, a line each."""
    catalogue = Catalogue.shipped()
    return list(DifferenceText(*example, catalogue).lines(compare(*example, catalogue)))
