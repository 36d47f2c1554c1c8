"""`nodeforge nodes`: the catalogue."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import click

from nodeforge.cli.user_settings import user_settings
from nodeforge.cli.workflow import options
from nodeforge.engine.content.pack_content import content_hash
from nodeforge.errors import RequestError
from nodeforge.settings import Settings, update_settings
from nodeforge.spec import Catalogue, NodeSpec


@click.command("nodes")
@options.as_json("Everything that is known, as JSON.")
@click.option("--allow", metavar="PACK", help="Let a pack of yours run as it is now.")
def command(as_json: bool, allow: str | None) -> None:
    """List the node types that come with NodeForge."""
    if allow is not None:
        _allow(allow)
        return
    catalogue = Catalogue.shipped()
    if as_json:
        click.echo(json.dumps(catalogue.to_json(), indent=2))
        return
    specs = sorted(catalogue.values(), key=lambda spec: spec.type)
    for category, group in itertools.groupby(specs, key=lambda spec: spec.category):
        click.echo(click.style(category, bold=True))
        for spec in group:
            click.echo(f"  {spec.type:<26}{_signature(spec)}\n      {spec.summary}")


def _allow(name: str) -> None:
    settings = user_settings()
    folder = settings.packs / name
    if Path(name).name != name or not (folder / "__init__.py").is_file():
        raise RequestError(
            f"there is no pack '{name}'.",
            place=str(settings.packs),
            way_out="A pack is a folder with an __init__.py.",
        )
    source = content_hash(folder)

    def allow(now: Settings) -> Settings:
        return replace(now, packs_allowed={**now.packs_allowed, name: source})

    update_settings(settings.home, allow)
    click.echo(f"{name} may run as it is now; after any change to it, allow it again.")


def _signature(spec: NodeSpec) -> str:
    inputs = ", ".join(port.name + ("[]" if port.many else "") for port in spec.inputs)
    outputs = ", ".join(port.name for port in spec.outputs)
    return f"({inputs})" + (f" → {outputs}" if outputs else "")
