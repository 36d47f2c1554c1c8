"""Where runs live and what every step of the recipe is asked for on its command line."""

import os
from collections.abc import Callable
from pathlib import Path

import click
import torch

from tools.nano.presets import PRESETS, Preset

DEFAULT_RUNS = Path(os.environ.get("NODEFORGE_NANO_RUNS", "~/.cache/nodeforge-nano")).expanduser()

preset_option = click.option(
    "--preset", type=click.Choice(sorted(PRESETS)), default="cpu", show_default=True
)
runs_option = click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=DEFAULT_RUNS,
    show_default=True,
    help="Folder of checkpoints, caches and sample sheets.",
)


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """How long one call trains; the next call goes on where it stopped."""
    minutes = click.option("--minutes", type=float, help="Stop after this long, resumable.")
    steps = click.option("--steps", type=int, help="Another number of steps than the preset's.")
    return minutes(steps(command))


def device_of(preset: Preset) -> torch.device:
    """The preset's device, or the CPU where it is missing (to try the recipe out)."""
    return torch.device(preset.device if torch.cuda.is_available() else "cpu")


def quiet_threads(preset: Preset) -> None:
    """One thread on the CPU: two beside other work are slower than one."""
    if device_of(preset).type == "cpu":
        torch.set_num_threads(1)
