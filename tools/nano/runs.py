"""Where runs live and what every step of the recipe is asked for on its command line."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
import torch

from tools.nano.muon import fast_type
from tools.nano.presets import PRESETS, Preset

Given = ParamSpec("Given")
Made = TypeVar("Made")
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

from_option = click.option(
    "--from",
    "start",
    type=click.Path(exists=True, path_type=Path),
    help="Start from the weights of this model's folder, unless the run has a checkpoint.",
)


def run_options(command: Callable[..., bool]) -> Callable[..., bool]:
    """How long one call trains; the next call goes on where it stopped."""
    minutes = click.option("--minutes", type=float, help="Stop after this long, resumable.")
    steps = click.option("--steps", type=int, help="Another number of steps than the preset's.")
    return minutes(steps(command))


def device_of(preset: Preset) -> torch.device:
    """The preset's device, or the CPU where it is missing (to try the recipe out)."""
    return torch.device(preset.device if torch.cuda.is_available() else "cpu")


def set_up(preset: Preset) -> torch.device:
    """The preset's device, ready: one thread on a CPU, as two beside other work are slower."""
    device = device_of(preset)
    if device.type == "cpu":
        torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    return device


def half_precision(device: torch.device) -> torch.autocast:
    """bfloat16 where it is fast.

    On a CPU with AVX2 alone, convolutions in it take 300 times as long as in float32.
    """
    fast = fast_type(device) == torch.bfloat16
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


def fast(step: Callable[Given, Made], device: torch.device) -> Callable[Given, Made]:
    """Compiled on a card, for steps of a shape or two; on a CPU that takes longer than it saves."""
    return torch.compile(step) if device.type == "cuda" else step
