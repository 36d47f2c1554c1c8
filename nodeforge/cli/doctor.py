"""`nodeforge doctor`: what is here, what is missing, and the command that mends it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from nodeforge import __version__, models
from nodeforge.cli.cache import human_size
from nodeforge.cli.system_libraries import mending_command, missing_packages
from nodeforge.engine.cache import shared_problem
from nodeforge.engine.worker_client.client import WorkerClient
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings, load_settings, shipped

_LIBRARIES = ("torch", "diffusers", "transformers", "peft", "PySide6-Essentials", "NodeGraphQt")
_TORCH_FOR_CARDS = "pip install torch --index-url https://download.pytorch.org/whl/cu128"


@click.command("doctor")
def command() -> None:
    """Tell versions, devices and folders, and how to mend what is missing."""
    settings = load_settings()
    missing = [
        *_versions(),
        *_torchvision(),
        *_folders(settings),
        *_system(),
        *_devices(settings),
    ]
    click.echo()
    for fact, mend in missing:
        click.echo(f"! {fact}\n    {mend}")
    if not missing:
        click.echo("Nothing is missing.")


def _versions() -> list[tuple[str, str]]:
    missing: list[tuple[str, str]] = []
    _row("NodeForge", __version__)
    _row("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for library in _LIBRARIES:
        try:
            _row(library, version(library))
        except PackageNotFoundError:
            _row(library, "missing")
            missing.append((f"{library} is not installed.", f"pip install {library}"))
    _tell_spandrel()
    if sys.version_info < (3, 12) and _newer_qt():
        fact = "PySide6 6.12 aborts on Python 3.10 and 3.11."
        missing.append((fact, "pip install 'PySide6-Essentials<6.12'"))
    return missing


def _torchvision() -> list[tuple[str, str]]:
    """Nothing here needs it, but transformers and diffusers import it where it is installed."""
    try:
        there = version("torchvision")
    except PackageNotFoundError:
        return []
    _row("torchvision", there)
    tried = subprocess.run(
        [sys.executable, "-c", "import torchvision"], capture_output=True, text=True, check=False
    )
    if not tried.returncode:
        return []
    why = (tried.stderr.strip().splitlines() or ["it ends Python"])[-1]
    return [
        (
            f"torchvision {there} does not fit torch ({why}): it takes transformers and diffusers, "
            "which import it, with it.",
            "pip uninstall torchvision",
        )
    ]


def _tell_spandrel() -> None:
    """Some upscalers want it, and nothing else does: it is told, and never missing."""
    absent = models.missing_for_spandrel()
    hint = f"not installed; for SwinIR, DAT, HAT, SPAN and others: {models.SPANDREL_COMMAND}"
    _row("spandrel", hint if absent else version("spandrel"))


def _newer_qt() -> bool:
    try:
        major, minor = version("PySide6-Essentials").split(".")[:2]
    except PackageNotFoundError:
        return False
    return (int(major), int(minor)) >= (6, 12)


def _folders(settings: Settings) -> list[tuple[str, str]]:
    missing: list[tuple[str, str]] = []
    for name in ("home", "models", "inputs", "outputs", "cache"):
        path: Path = getattr(settings, name)
        _row(name, f"{path}{_state(path)}")
        if path.exists() and not _writable(path):
            missing.append((f"{path} cannot be written.", f"chmod u+w '{path}'"))
    for name in ("nodes", "workflows", "resources"):
        if not shipped(name).is_dir():
            missing.append((f"the shipped folder '{name}' is missing.", "pip install nodeforge"))
    for folder in settings.model_folders:
        _row("model folder", f"{folder.path} ({folder.layout})")
    for file in settings.extra_model_paths:
        _row("model folders of", file)
    if settings.shared_cache:
        _row("shared cache", settings.shared_cache)
        if problem := shared_problem(Path(settings.shared_cache)):
            missing.append((f"the shared cache {problem[0]}", problem[1]))
    mend = f"Mend {settings.file}."
    missing += [(f"in the settings, {problem}", mend) for problem in settings.problems]
    missing += models.folder_problems(settings)
    found = models.ModelFolders(settings).scan()
    _row("models found", str(len(found)))
    _row("free disk", human_size(shutil.disk_usage(_existing(settings.home)).free))
    return missing


def _state(path: Path) -> str:
    return "" if path.exists() else " (made when needed)"


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK)


def _system() -> list[tuple[str, str]]:
    packages = missing_packages()
    if not packages:
        return []
    return [("the window needs system libraries.", f"sudo {mending_command(packages)}")]


def _devices(settings: Settings) -> list[tuple[str, str]]:
    client = WorkerClient(settings, lambda _: None)
    try:
        answer: dict[str, Any] = client.ask("devices").result(timeout=120)
    except (NodeForgeError, TimeoutError) as error:
        return [(f"the worker does not start: {error}", "nodeforge --debug doctor")]
    finally:
        client.close()
    devices = answer["devices"]
    for device in devices:
        total = device.get("total")
        _row(device["device"], f"{device['name']}{f', {human_size(total)}' if total else ''}")
    _row("attention", ", ".join(answer["attention"]))
    if shutil.which("nvidia-smi") and all(device["kind"] == "cpu" for device in devices):
        return [("there is an NVIDIA card, but torch cannot use it.", _TORCH_FOR_CARDS)]
    return []


def _row(name: str, value: str) -> None:
    click.echo(f"{name:<20}{value}")
