"""`nodeforge cache`: what runs have kept on disk."""

from __future__ import annotations

from pathlib import Path

import click

from nodeforge.cli.user_settings import user_settings
from nodeforge.engine.cache import DiskTier, SharedTier, shared_problem
from nodeforge.settings import Settings


@click.group("cache")
def command() -> None:
    """Show or clear the results that runs have kept on disk."""


@command.command()
def show() -> None:
    """Where the cache is, how much it holds, and its limit; the shared one, too."""
    settings = user_settings()
    tier = _tier(settings)
    _tell(tier)
    if settings.shared_cache:
        chosen = Path(settings.shared_cache)
        if problem := shared_problem(chosen):
            click.echo(f"Shared: {' '.join(problem)}", err=True)
        _tell(SharedTier(chosen, "", settings.shared_cache_bytes))


@command.command()
def clear() -> None:
    """Delete every result of this machine. Nothing but time is lost; a shared folder stays."""
    click.echo(f"{human_size(_tier(user_settings()).clear())} freed")


def _tell(tier: DiskTier) -> None:
    sizes = [state.st_size for state in tier.entries()]
    held = f"{human_size(sum(sizes))} of {human_size(tier.limit)}"
    click.echo(f"{tier.root}\n{len(sizes)} results, {held}")


def _tier(settings: Settings) -> DiskTier:
    return DiskTier(settings.result_cache, "", settings.disk_cache_bytes)


def human_size(size: float) -> str:
    """`size` bytes as a person reads it: ``3.4 GiB``."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
