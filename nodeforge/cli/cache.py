"""`nodeforge cache`: what runs have kept on disk."""

from __future__ import annotations

import click

from nodeforge.cli.user_settings import user_settings
from nodeforge.engine.cache import DiskTier


@click.group("cache")
def command() -> None:
    """Show or clear the results that runs have kept on disk."""


@command.command()
def show() -> None:
    """Where the cache is, how much it holds, and its limit."""
    tier = _tier()
    sizes = [state.st_size for state in tier.entries()]
    click.echo(
        f"{tier.root}\n{len(sizes)} results, {human_size(sum(sizes))} of {human_size(tier.limit)}"
    )


@command.command()
def clear() -> None:
    """Delete every result. Nothing but time is lost."""
    click.echo(f"{human_size(_tier().clear())} freed")


def _tier() -> DiskTier:
    settings = user_settings()
    return DiskTier(settings.cache / "results", "", settings.disk_cache_bytes)


def human_size(size: float) -> str:
    """`size` bytes as a person reads it: ``3.4 GiB``."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
