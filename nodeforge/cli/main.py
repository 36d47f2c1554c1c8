"""The `nodeforge` command. Each subcommand's module is imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
import traceback

import click

from nodeforge import __version__
from nodeforge.errors import Cancelled, NodeForgeError, RequestError

FAILED = 1
WRONG = 2

_COMMANDS = {
    "run": "Run a workflow and print the paths of what it saves.",
    "queue": "Queue workflows, and run them one after another.",
    "sweep": "Run a workflow over axes of values, as a grid of pictures.",
    "explore": "Run many candidates for a share of their steps, and finish the kept ones.",
    "measure": "Measure seconds and distances of a model by sampler and steps.",
    "lint": "Name what is wrong with a workflow, without running it.",
    "import": "Make a workflow of one of ComfyUI's, or of a picture of another program.",
    "replay": "Make a saved picture again, and tell what differs and why.",
    "diff": "Tell what changed in meaning between two workflows.",
    "merge": "Merge two workflows that come from one, by node and port.",
    "nodes": "List the node types.",
    "models": "List the models on this machine.",
    "worker": "Use the cards of other machines, by ssh.",
    "cache": "Show or clear what runs have kept.",
    "doctor": "Tell versions, devices and folders, and mend what is missing.",
}
_MODULES = {
    "import": "import_",
    "queue": "queue.commands",
    "sweep": "sweeps.sweep",
    "explore": "sweeps.explore",
}
"""Commands whose modules are not called as they are."""


class _Lazy(click.Group):
    """Knows its commands by name, and imports the module of one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = _MODULES.get(cmd_name, cmd_name)
        return importlib.import_module(f"nodeforge.cli.{module}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Lazy)
@click.version_option(__version__, prog_name="nodeforge")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
@click.pass_context
def nodeforge(ctx: click.Context, debug: bool) -> None:
    """NodeForge: a desktop studio for diffusion models.

    Without a command it opens its window: nodeforge [WORKFLOW].
    """
    ctx.obj = debug


def main() -> None:
    """Run the command line and end the process with its exit code."""
    debug = "--debug" in sys.argv
    try:
        code = nodeforge(standalone_mode=False)  # None, or what `ctx.exit` was given
        if sys.stdout is not None:
            sys.stdout.flush()
        sys.exit(code)
    except click.ClickException as error:
        error.show()
        sys.exit(WRONG)
    except (click.Abort, Cancelled, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(FAILED)
    except NodeForgeError as error:
        if debug:
            traceback.print_exc()
        click.echo(str(error), err=True)
        sys.exit(WRONG if isinstance(error, RequestError) else FAILED)
    except OSError as error:
        if error.filename is not None:
            raise
        click.echo(f"The output cannot be written: {error.strerror}.", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered has nowhere to go
        sys.exit(FAILED)
