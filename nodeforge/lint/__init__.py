"""Problems found without running. One rule a file; `run` refuses on errors."""

from nodeforge.lint.companions import companion_locks
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.registry import Rule, all_rules, lint

__all__ = ["Problem", "Rule", "Severity", "all_rules", "companion_locks", "lint"]
