"""Makes the page of the linter's rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nodeforge.formats.shipped.rule_examples import rule_example
from nodeforge.lint import all_rules
from nodeforge.lint.explanations import explain
from nodeforge.lint.rule import GROUPS

PAGE = Path(__file__).parent.parent / "docs" / "lint.md"

_START = """# The linter

Generated from the rules by `python -m tools.catalogue`.

The linter reads a workflow and the headers of its models, and runs nothing. An **error** refuses a
run: it would fail, or could not mean what the workflow says. A **warning** is a worse picture than
meant, or none of the effect that was asked for. A **hint** is a better way.

```sh
nodeforge lint my_workflow.json            # exit 2: errors, 1: warnings, 0: neither
nodeforge lint my_workflow.json --fix      # mend what is safe; --fix-all also where pictures change
nodeforge lint my_workflow.json --select NF2,steps --ignore NF204
nodeforge lint my_workflow.json --format sarif    # or json, github
nodeforge lint --explain NF203             # what a rule is for; 'all' lists them
```

In the window problems appear as you edit: on the nodes and their ports, under the words of a
prompt, and in *Problems*, with *Fix*, *Why* and *I know*. A rule is silenced by *I know*, or by
hand in the file: at a node, at a subgraph for all inside, or at the top for the whole workflow. The
key is the rule's code or name, the text the reason. Errors cannot be silenced.

```json
"guidance": {"type": "sampling.guidance", "lint": {"NF203": "burnt colours are wanted"}}
```
"""


def page() -> str:
    """The page as it should be."""
    return "\n".join((_START, *_table(), *_rules()))


def _table() -> Iterator[str]:
    for number, group in GROUPS.items():
        yield from (f"### {group}", "", "| | rule | level | |", "|---|---|---|---|")
        for rule in all_rules():
            if rule.code[2] == str(number):
                place = f"{rule.code} {rule.name}".lower().replace(" ", "-")
                name = f"[{rule.code}](#{place}) | `{rule.name}`"
                yield f"| {name} | {rule.level} | {rule.summary} |"
        yield ""


def _rules() -> Iterator[str]:
    yield from ("## The rules", "")
    for rule in all_rules():
        yield explain(rule, rule_example(rule.code), "###")
