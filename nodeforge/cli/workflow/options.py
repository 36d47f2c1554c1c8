"""Options that several commands have: each is declared here, and means the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nodeforge.engine.remote import is_cluster, machine_of
from nodeforge.settings import MOST_WORKERS, load_settings

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def known_device(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A device's name as click's callback; whether it is there, only torch can tell."""
    if value is None or re.fullmatch(r"auto|mps|cpu|(cuda|xpu)(:\d+)?", value):
        return value
    if machine_of(load_settings(), value) is not None:
        return value
    raise click.BadParameter(f"'{value}' is no device, and no machine's name.", ctx, option)


def known_cluster(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A cluster's address as click's callback."""
    if value is None or is_cluster(value):
        return value
    raise click.BadParameter(
        f"'{value}' is no cluster: write ray, or ray://host:port.", ctx, option
    )


WORKFLOW: Option = click.argument("workflow", type=click.Path(path_type=Path))
ASSIGNMENTS: Option = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="NODE.PORT=VALUE",
    help="Set a value; LABEL=VALUE sets an entry of the form.",
)
SEED: Option = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="Set every unlinked seed."
)
DEVICE: Option = click.option(
    "--device",
    callback=known_device,
    metavar="[auto|cuda|cuda:N|mps|xpu|cpu|MACHINE]",
    help="Where networks run, also on another machine (nodeforge worker); the settings' choice "
    "by default.",
)
ON: Option = click.option(
    "--on",
    "cluster",
    callback=known_cluster,
    metavar="ray[://HOST:PORT]",
    help="Run on a Ray cluster, a worker a card; one is started on this machine where none runs.",
)
WORKERS: Option = click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    help="How many processes share the work, one a card, or on shares of the processor; the "
    "settings' number by default.",
)
TOGETHER: Option = click.option(
    "--zip", "together", is_flag=True, help="The axes change together, as one."
)
SKIPS: Option = click.option(
    "--skip",
    "skips",
    multiple=True,
    metavar="NODE.PORT=VALUE,...",
    help="Leave out the cells that have all of these values.",
)


def axes(text: str, *, required: bool = False) -> Option:
    """``--axis``, with the help of a command."""
    return click.option(
        "--axis", "axes", multiple=True, required=required, metavar="NODE.PORT=VALUES", help=text
    )


def out(text: str = "Where results are saved.", *, required: bool = False) -> Option:
    """``--out``, with the help of a command."""
    return click.option("--out", type=click.Path(path_type=Path), required=required, help=text)


def as_json(text: str = "One JSON object a line on stdout.") -> Option:
    """``--json``, with the help of a command."""
    return click.option("--json", "as_json", is_flag=True, help=text)


def workflow_and_values(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument WORKFLOW, ``--set`` and ``--seed``."""
    return WORKFLOW(ASSIGNMENTS(SEED(command)))
