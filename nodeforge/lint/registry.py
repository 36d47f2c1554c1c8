"""Finds and runs the rules: every module in `nodeforge.lint.rules`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph
from nodeforge.lint import rules
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders

Check = Callable[[LintContext], Iterator[Problem]]


@dataclass(frozen=True)
class Rule:
    """One rule: its id, what it says, and what finds where it is broken."""

    id: str
    doc: str
    check: Check


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    found = []
    for module in pkgutil.iter_modules(rules.__path__):
        loaded = importlib.import_module(f"{rules.__name__}.{module.name}")
        found.append(Rule(module.name, (loaded.__doc__ or "").strip(), loaded.check))
    return tuple(sorted(found, key=lambda rule: rule.id))


def lint(
    workflow: Document | Graph,
    catalogue: Catalogue,
    models: ModelFolders | None = None,
    *,
    granted: Iterable[str | Path] = (),
    pictures: Callable[[str], Path | None] | None = None,
) -> list[Problem]:
    """What is wrong with `workflow`, errors first.

    Args:
        workflow: A document, or the graph of one.
        catalogue: All node types that are known.
        models: Where models are looked for; None asks nothing about files.
        granted: Absolute paths that the person gave, which a workflow may then name.
        pictures: Where a picture is that a value names, if it is there; None asks nothing about
            pictures.
    """
    document = workflow if isinstance(workflow, Document) else Document(workflow)
    scene = LintContext(document.graph, catalogue, models, granted, pictures, document.lock)
    problems = [problem for rule in all_rules() for problem in rule.check(scene)]
    return sorted(problems, key=lambda p: (p.severity is not Severity.ERROR, p.node, p.port))
