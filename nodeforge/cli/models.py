"""`nodeforge models`: what is on disk, which kind and family it is, and its content hash."""

from __future__ import annotations

import click

from nodeforge import models
from nodeforge.cli.cache import human_size
from nodeforge.cli.user_settings import user_settings


@click.group("models", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the models in all model folders."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_models)


@command.command("list")
def list_models() -> None:
    """Names, kinds and families, as workflows use them."""
    settings = user_settings()
    for fact, way_out in models.folder_problems(settings):
        click.echo(f"{fact}\n    {way_out}", err=True)
    for info in models.ModelFolders(settings).scan():
        family = info.family or ("any that fits" if info.families else info.reason)
        family = family or models.upscaler_label(info)
        told = f"{family} {info.variant}" if info.variant else family
        click.echo(f"{info.kind:<14}{info.name:<40}{told:<24}{human_size(info.size):>10}")


@command.command("scan")
def scan() -> None:
    """The same with each file's SHA-256, which takes as long as reading all of them."""
    for info in models.ModelFolders(user_settings()).scan():
        click.echo(f"{models.sha256(info.path)}  {info.kind}  {info.name}")
