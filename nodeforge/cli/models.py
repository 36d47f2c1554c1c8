"""`nodeforge models`: what is on disk, which kind and family it is, and its content hash."""

from __future__ import annotations

from pathlib import Path

import click

from nodeforge import models
from nodeforge.cli.cache import human_size
from nodeforge.cli.user_settings import user_settings
from nodeforge.engine.pickle_permission import allow_pickle


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


@command.command("allow")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def allow(file: Path) -> None:
    """Let the tensors of a pickle (.pth, .ckpt, .pt) be read, as it is now.

    Nothing else of it is read, and no code in it runs: its tensors are copied into a safetensors
    file, which is used wherever the pickle is chosen. After any change to it, allow it again.
    """
    count = allow_pickle(user_settings(), file)
    click.echo(f"{file.name}: {count} tensors; it may be used as it is now.")
