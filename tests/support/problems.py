"""What the linter says above a hint."""

from collections.abc import Iterable

from nodeforge.lint import Problem, Severity


def serious(problems: Iterable[Problem]) -> list[Problem]:
    """Errors and warnings: hints are about a better way, and are tested with their rules."""
    return [problem for problem in problems if problem.severity is not Severity.HINT]
