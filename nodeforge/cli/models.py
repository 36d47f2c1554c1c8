"""`nodeforge models`: what is on disk, which kind and family it is, and its content hash."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from nodeforge import models
from nodeforge.cli.cache import human_size
from nodeforge.cli.user_settings import user_settings
from nodeforge.engine.worker_client.pickle_permission import allow_pickle
from nodeforge.engine.worker_client.smaller_model import FORMS, save_smaller
from nodeforge.errors import RequestError
from nodeforge.settings import Settings


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


@command.command("smaller")
@click.argument("model")
@click.option("--as", "form", type=click.Choice(tuple(FORMS)), default="int8", show_default=True)
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="The new file.")
def smaller(model: str, form: str, out: Path | None) -> None:
    """Write a model with its weights in 8 bits: half of 16, and it draws in as much less memory.

    MODEL is a .safetensors file of a denoiser, a text encoder or a whole checkpoint, by its path or
    by its name in the model folders. ComfyUI reads the new file, too.
    """
    settings = user_settings()
    made = save_smaller(settings, _file_of(settings, model), form, out)
    click.echo(
        f"{made.file}: {human_size(made.after)} instead of {human_size(made.before)}; "
        f"{made.matrices} matrices as {form}."
    )


def _file_of(settings: Settings, model: str) -> Path:
    if Path(model).exists():
        return Path(model)
    folders, kinds = models.ModelFolders(settings), ("checkpoint", "unet", "text_encoder")
    for kind in kinds[:-1]:
        with suppress(models.ModelFileError, RequestError):
            return folders.find(kind, model)
    return folders.find(kinds[-1], model)
