"""The workflows that ship as examples of the linter's rules: a bad one and a good one each."""

from __future__ import annotations

from nodeforge.formats.workflow import load
from nodeforge.graph.document import Document
from nodeforge.settings import shipped

FOLDER = "lint"
"""In ``resources``."""


def rule_example(code: str) -> tuple[Document, Document] | None:
    """A workflow in which the rule `code` finds something, and the same mended; None where the
    rule has none."""
    folder = shipped("resources") / FOLDER / code
    bad, good = folder / "bad.json", folder / "good.json"
    return (load(bad), load(good)) if bad.is_file() and good.is_file() else None
