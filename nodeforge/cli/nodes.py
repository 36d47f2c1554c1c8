"""`nodeforge nodes`: the catalogue."""

from __future__ import annotations

import itertools
import json

import click

from nodeforge.settings import shipped
from nodeforge.spec import Catalogue, NodeSpec


def shipped_catalogue() -> Catalogue:
    """The node types that come with NodeForge; reading them needs no worker."""
    return Catalogue.read(shipped("resources") / "catalogue.json")


@click.command("nodes")
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
def command(as_json: bool) -> None:
    """List the node types that come with NodeForge."""
    catalogue = shipped_catalogue()
    if as_json:
        click.echo(json.dumps(catalogue.to_json(), indent=2))
        return
    specs = sorted(catalogue.values(), key=lambda spec: spec.type)
    for category, group in itertools.groupby(specs, key=lambda spec: spec.category):
        click.echo(click.style(category, bold=True))
        for spec in group:
            click.echo(f"  {spec.type:<26}{_signature(spec)}\n      {spec.summary}")


def _signature(spec: NodeSpec) -> str:
    inputs = ", ".join(port.name + ("[]" if port.many else "") for port in spec.inputs)
    outputs = ", ".join(port.name for port in spec.outputs)
    return f"({inputs})" + (f" → {outputs}" if outputs else "")
