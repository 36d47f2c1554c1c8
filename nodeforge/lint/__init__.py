"""Problems found without running. One rule a module; `run` refuses on errors."""

from nodeforge.lint.companions import companion_locks
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.registry import all_rules, lint, rules_by_key
from nodeforge.lint.rule import Rule

__all__ = [
    "FixGrade",
    "Problem",
    "Rule",
    "Severity",
    "all_rules",
    "companion_locks",
    "lint",
    "rules_by_key",
]
