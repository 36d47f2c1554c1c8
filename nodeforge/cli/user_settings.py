"""The user's settings, for commands."""

from __future__ import annotations

import click

from nodeforge.settings import Settings, load_settings


def user_settings() -> Settings:
    """The settings; values of a wrong kind are named on the error stream.

    Raises:
        RequestError: the settings file is no JSON object.
    """
    settings = load_settings()
    for problem in settings.problems:
        click.echo(f"{settings.file}: {problem}", err=True)
    return settings
