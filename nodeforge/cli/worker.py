"""`nodeforge worker`: other machines whose cards run workflows, by ssh."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import click

from nodeforge import models
from nodeforge.cli.cache import human_size
from nodeforge.cli.user_settings import user_settings
from nodeforge.engine.remote.address import Address, Machine, MachineError, check_name, machine_of
from nodeforge.settings import Settings, update_settings

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


@click.group("worker")
def command() -> None:
    """Use the cards of other machines, by ssh.

    NodeForge must be installed there, in the same version. A machine's name is then a device: for
    --device, for the settings 'device' and 'worker_devices'.
    """


@command.command("add")
@click.argument("address")
@click.option("--name", help="What it is called here; its host's name by default.")
@click.option("--device", help="What is used there: auto, cuda:1, cpu, ...")
def add(address: str, name: str | None, device: str | None) -> None:
    """Add the machine at ADDRESS: ssh://user@host, if need be with :port and /path/of/nodeforge."""
    made = Address.parse(address)
    if device is not None:
        made = Address.parse(str(replace(made, device=device)))
    name = name or made.host.partition(".")[0]
    check_name(name)

    def change(settings: Settings) -> Settings:
        if settings.machines.get(name, str(made)) != str(made):
            raise MachineError(
                f"there is a machine '{name}' already, at {settings.machines[name]}.",
                way_out="Give this one another name (--name), or remove that one.",
            )
        return replace(settings, machines={**settings.machines, name: str(made)})

    update_settings(user_settings().home, change)
    click.echo(f"{name}: {made}\nTry it: nodeforge worker test {name}")


@command.command("list")
def list_machines() -> None:
    """The machines, with their addresses."""
    machines = user_settings().machines
    for name, address in sorted(machines.items()):
        click.echo(f"{name:<20}{address}")
    if not machines:
        click.echo("No machine yet: nodeforge worker add ssh://user@host", err=True)


@command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget a machine; nothing is changed on it."""

    def change(settings: Settings) -> Settings:
        if name not in settings.machines:
            raise _unknown(name, settings)
        left = {key: text for key, text in settings.machines.items() if key != name}
        return replace(settings, machines=left)

    update_settings(user_settings().home, change)
    click.echo(f"{name} is forgotten.")


@command.command("test")
@click.argument("name")
def test(name: str) -> None:
    """Connect to a machine, and tell what is there; ssh may ask for a passphrase."""
    from nodeforge.engine.remote.checking import check_machine

    settings = user_settings()
    found = check_machine(settings, _machine(name, settings), at_terminal=sys.stdin.isatty())
    click.echo(f"{name} answers after {found.seconds:.1f} s, with NodeForge {found.version}.")
    for each in found.devices:
        memory = f", {human_size(each['total'])}" if each["total"] else ""
        click.echo(f"  {each['device']:<10}{each['name']}{memory}")
    for said in found.differences:
        click.echo(f"  {said}", err=True)


@command.command("copy")
@click.argument("name")
@click.argument("model", nargs=-1, required=True)
@click.option("--as", "called", help="What it is to be called there.")
def copy(name: str, model: tuple[str, ...], called: str | None) -> None:
    """Copy models to a machine, by their names here or their paths; what is there stays."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from nodeforge.engine.remote.remote_client import client_by_ssh

    settings = user_settings()
    machine = _machine(name, settings)
    chosen = [_model(settings, each) for each in model]
    if called and len(chosen) > 1:
        raise MachineError("--as names one model, and several are to be copied.")
    client = client_by_ssh(settings, machine, lambda _: None)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    try:
        with Progress(*columns, TransferSpeedColumn(), transient=True) as screen:
            for info in chosen:
                task = screen.add_task(info.name)
                client.copy_model(
                    info.kind,
                    called or info.name,
                    info.path,
                    lambda done, of, task=task: screen.update(task, completed=done, total=of),
                )
                screen.console.print(f"{called or info.name} is on {name}.")
    finally:
        client.close()


@command.command("attach", hidden=True)
@click.option("--keep", default="15m", help="How long to stay without a client: 90s, 15m, 2h.")
@click.option("--device", default="auto")
def attach(keep: str, device: str) -> None:
    """What runs on the other machine: relays to a worker that it finds, or starts."""
    from nodeforge.engine.remote.detached import attach as relay

    relay(user_settings(), device, _seconds(keep))


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if match is None or not float(match[1]):
        raise MachineError(f"'{text}' is no time.", way_out="Write 90s, 15m or 2h.")
    return float(match[1]) * _UNITS[match[2]]


def _machine(name: str, settings: Settings) -> Machine:
    machine = machine_of(settings, name)
    if machine is None:
        raise _unknown(name, settings)
    return machine


def _unknown(name: str, settings: Settings) -> MachineError:
    known = ", ".join(sorted(settings.machines)) or "none"
    return MachineError(
        f"there is no machine '{name}'; there are: {known}.",
        way_out="Add it: nodeforge worker add ssh://user@host",
    )


def _model(settings: Settings, model: str) -> models.ModelInfo:
    """The model of that path, or of that name in the model folders."""
    folders = models.ModelFolders(settings)
    if Path(model).exists():
        wanted = Path(model).resolve()
        found = next((each for each in folders.scan() if each.path.resolve() == wanted), None)
        return found or replace(models.recognise(wanted), name=wanted.name)
    found = next((each for each in folders.scan() if each.name == model), None)
    if found is None:
        raise MachineError(
            f"there is no model '{model}' here.", way_out="See: nodeforge models list"
        )
    return found
