"""Every entry of the form sets an input, under a label of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nodeforge.graph.document import Document
from nodeforge.graph.edits import RemoveFromForm
from nodeforge.graph.form import FormInput, form_entries
from nodeforge.graph.model import SUBGRAPH
from nodeforge.graph.ports import input_spec
from nodeforge.graph.presentation import Presentation
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF119",
    Severity.WARNING,
    why=(
        "People set a workflow by its form alone: an entry that sets nothing misleads them, and "
        "one whose label another has cannot be named on the command line."
    ),
    source="`nodeforge run --help-form`, which lists what can be set.",
    fix=FixGrade.CHOICE,
)


def check(scene: LintContext) -> Iterator[Problem]:
    document = Document(scene.graph, form=dict(scene.form))
    entries = form_entries(document, scene.catalogue)
    labels = Counter(entry.label for entry in entries)
    for entry in entries:
        path, _, port = entry.key.partition(".")
        if fact := _fault(document, scene, entry, labels[entry.label]):
            there = path in scene.whole.nodes or path in scene.whole.groups
            yield scene.problem(
                path if there else "",
                f"the form's entry “{entry.label}” {fact[0]}",
                fact[1],
                port=port if there and entry.port is not None else "",
                fix=RemoveFromForm(path, port),
                severity=Severity.WARNING,
            )


def _fault(
    document: Document, scene: LintContext, entry: FormInput, alike: int
) -> tuple[str, str] | None:
    """What is wrong with an entry, and the way out; None where it can be used."""
    path = entry.path
    node = next((n for n in (scene.whole.nodes, scene.whole.groups) if path in n), {}).get(path)
    if node is not None and node.type not in {*scene.catalogue, SUBGRAPH}:
        return None  # the rule `unknown_types`
    if entry.port is None or entry.port.widget is None:
        return f"is for {entry.key}, which is no input with a value.", "Take it off the form."
    if alike > 1:
        return f"has a label that {alike} entries have.", "Give each a label of its own."
    if "=" in entry.label:
        return "has a label with '='.", "Choose a label without '='."
    whole = input_spec(document.node(path), entry.port.name, scene.catalogue)
    if whole is not None and not Presentation.from_json(document.form[entry.key]).fits(whole):
        return "has a range without a number that the input takes.", "Change the range."
    return None
