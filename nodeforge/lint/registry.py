"""Finds the rules, every module in a folder of `nodeforge.lint.rules`, and asks them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph
from nodeforge.graph.planned import Resolve
from nodeforge.lint import rules
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem
from nodeforge.lint.rule import Rule
from nodeforge.lint.silences import heard, silences
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    found = []
    for group in pkgutil.iter_modules(rules.__path__, f"{rules.__name__}."):
        for module in pkgutil.iter_modules(importlib.import_module(group.name).__path__):
            loaded = importlib.import_module(f"{group.name}.{module.name}")
            summary = (loaded.__doc__ or "").partition("\n\n")[0].replace("\n", " ").strip()
            made = replace(loaded.RULE, name=module.name, summary=summary, check=loaded.check)
            found.append(made)
    return tuple(sorted(found, key=lambda rule: rule.code))


_MISSING_MODELS = "missing_models"


@cache
def rules_by_key() -> dict[str, Rule]:
    """Every rule by its code and by its name."""
    return {key: rule for rule in all_rules() for key in (rule.code, rule.name)}


def lint(
    workflow: Document | Graph,
    catalogue: Catalogue,
    models: ModelFolders | None = None,
    *,
    granted: Iterable[str | Path] = (),
    pictures: Callable[[str], Path | None] | None = None,
    resolve: Resolve | None = None,
    elsewhere: bool = False,
) -> list[Problem]:
    """What is wrong with `workflow`, the worst first, without what the workflow silences.

    Args:
        workflow: A document, or the graph of one.
        catalogue: All node types that are known.
        models: Where models are looked for; None asks nothing about files.
        granted: Absolute paths that the person gave, which a workflow may then name.
        pictures: Where a picture is that a value names, if it is there; None asks nothing about
            pictures.
        resolve: The file that a value means: then what stands in texts, folders and the headers of
            pictures counts, too; None reads none.
        elsewhere: Whether it will run on another machine, which alone knows its models.
    """
    document = workflow if isinstance(workflow, Document) else Document(workflow)
    scene = LintContext(
        document.graph, catalogue, models, granted, pictures, document.lock, resolve
    )
    scene.silences = silences(document.graph, document.lint)
    scene.conflicts, scene.form = document.conflicts, document.form
    scene.rules = rules_by_key()
    problems: list[Problem] = []
    for rule in all_rules():
        if rule.types and scene.types.isdisjoint(rule.types):
            continue
        if elsewhere and rule.name == _MISSING_MODELS:
            continue
        scene.rule = rule
        problems += rule.check(scene)
    problems = list({(p.code, p.node, p.port, p.fact): p for p in problems}.values())
    return sorted(
        heard(problems, scene.silences),
        key=lambda p: (p.severity.rank, p.node, p.port, p.code),
    )
