"""`nodeforge run WORKFLOW --help-form`: what the form of a workflow lets one set."""

from __future__ import annotations

import itertools
import json
from typing import Any

import click

from nodeforge.graph.document import Document
from nodeforge.graph.form import FormInput, form_entries, is_given
from nodeforge.graph.ports import input_value
from nodeforge.spec import Catalogue, PortSpec
from nodeforge.spec.widget import LimitedWidget
from nodeforge.values.setting_names import AUTO

NO_FORM = "This workflow has no form. 'nodeforge run --set NODE.PORT=VALUE' sets any input."


def show_form(document: Document, catalogue: Catalogue, *, as_json: bool = False) -> None:
    """Print the entries of the form, section after section: label, value, range and help."""
    entries = [
        each
        for each in form_entries(document, catalogue)
        if each.port is not None and not is_given(document, each.path, each.port.name)
    ]
    if as_json:
        click.echo(json.dumps([_described(document, catalogue, each) for each in entries]))
        return
    if not entries:
        click.echo(NO_FORM)
        return
    for title, section in itertools.groupby(entries, key=lambda entry: entry.section):
        if title:
            click.echo(click.style(title, bold=True))
        for entry in section:
            assert entry.port is not None
            told = _described(document, catalogue, entry)
            value = AUTO if told["value"] is None else json.dumps(told["value"], ensure_ascii=False)
            click.echo(f"  --set {_quoted(entry.label + '=')}…  {_kind(entry.port)}, now {value}")
            if told["help"]:
                click.echo(f"      {told['help']}")


def _described(document: Document, catalogue: Catalogue, entry: FormInput) -> dict[str, Any]:
    assert entry.port is not None
    node, name = document.node(entry.path), entry.port.name
    return {
        "label": entry.label,
        "port": entry.key,
        "section": entry.section,
        "type": entry.port.type,
        "allowed": _allowed(entry.port),
        "value": input_value(node, name, catalogue),
        "help": " ".join(entry.port.doc.split()),
    }


def _kind(port: PortSpec) -> str:
    allowed = _allowed(port)
    return f"{port.type} ({allowed})" if allowed else port.type


def _allowed(port: PortSpec) -> str:
    """The range or the options in words; empty where all are allowed."""
    return port.widget.allowed if isinstance(port.widget, LimitedWidget) else ""


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text
