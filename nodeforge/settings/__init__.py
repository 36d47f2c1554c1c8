"""Folders and limits. `NODEFORGE_HOME` moves everything that belongs to the user."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from nodeforge.errors import RequestError

GIB = 2**30
MOST_WORKERS = 64
"""Processes that may share the jobs of one queue."""
_NOT_IN_FILE = ("home", "problems")


class MemoryMode(StrEnum):
    """Where a network's weights are."""

    AUTO = "auto"
    """On the device as long as they fit; what alone is too large is fed to it in pieces."""
    DEVICE = "device"
    """All on the device, also while nobody uses them."""
    LOW = "low"
    """In main memory; on the device while they are used."""
    VERY_LOW = "very low"
    """On disk. Denoiser and text encoders come block by block from there as they compute, where
    they are transformers; others are fed to a card layer by layer from main memory."""


class Precision(StrEnum):
    """What networks compute in."""

    AUTO = "auto"
    FULL = "full"
    HALF = "half"


class Attention(StrEnum):
    """How networks compute attention."""

    AUTO = "auto"
    """By the kernel that torch finds best."""
    FLASH = "flash"
    EFFICIENT = "memory-efficient"
    CUDNN = "cudnn"
    MATH = "math"
    """In plain steps, with all pairs at once: the most memory."""
    SLICED = "sliced"
    """A UNet's in plain steps, one head after another, where no kernel saves memory.

    Transformers have no such steps: theirs is computed as with `AUTO`.
    """
    XFORMERS = "xformers"
    """The denoiser's by the package of that name."""
    FLASH_ATTN = "flash-attn"
    """A transformer's by the package of that name."""
    SAGE = "sage"
    """A transformer's in 8 bits, by the package SageAttention: near the others, and faster."""


def default_home() -> Path:
    """The user's folder: `NODEFORGE_HOME`, else where the system keeps an app's data."""
    if home := os.environ.get("NODEFORGE_HOME"):
        return Path(home).expanduser().absolute()
    from platformdirs import user_data_path  # only when needed: the command line starts faster

    return user_data_path("NodeForge", appauthor=False)


@cache
def shipped(name: str) -> Path:
    """A folder that comes with NodeForge: ``nodes``, ``workflows``, ``resources`` or ``docs``.

    In a checkout the folder beside the package wins, so that an edit there is seen.
    """
    package = Path(__file__).parent.parent
    beside = package.parent / name
    if (package.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return package / "_shipped" / name


def help_picture(type_id: str) -> Path:
    """The picture of a shipped node's inputs and outputs; not every node has one."""
    return shipped("resources") / "help" / "nodes" / f"{type_id}.webp"


def in_checkout() -> bool:
    """Whether NodeForge runs from its source tree, where code changes between two runs."""
    return (Path(__file__).parents[2] / "pyproject.toml").is_file()


@dataclass(frozen=True)
class ModelFolder:
    """A folder of models that is not ours.

    Args:
        path: Where it is.
        layout: ``nodeforge``, ``comfyui`` or ``a1111``: how its subfolders are named.
    """

    path: str
    layout: str = "nodeforge"


@dataclass(frozen=True)
class Settings:
    """What a user may change, and where things are. Sizes are in bytes."""

    home: Path = field(default_factory=default_home)
    model_folders: tuple[ModelFolder, ...] = ()
    extra_model_paths: tuple[str, ...] = ()
    output_folder: str = ""
    device: str = "auto"
    workers: int = 1
    """How many processes run the jobs of the queue and of a sweep, each one at a time."""
    worker_devices: tuple[str, ...] = ()
    """The device of each; without, each has a card of its own, or a share of the processor."""
    machines: dict[str, str] = field(default_factory=dict)
    """Other machines by name, as ``ssh://`` addresses: a device may be one of these names."""
    memory_mode: MemoryMode = MemoryMode.AUTO
    precision: Precision = Precision.AUTO
    fp8_weights: bool = False
    compiled: bool = False
    attention: Attention = Attention.AUTO
    text_attention: Attention | None = None
    """Of text encoders; None is as `attention`, where that is a kernel of torch's."""
    vae_attention: Attention | None = None
    """Of VAEs, likewise."""
    memory_cache_bytes: int = 2 * GIB
    disk_cache_bytes: int = 10 * GIB
    shared_cache: str = ""
    """A folder in which several machines keep results, as on a NAS; empty for none."""
    shared_cache_bytes: int = 100 * GIB
    packs_allowed: dict[str, str] = field(default_factory=dict)
    pickles_allowed: dict[str, str] = field(default_factory=dict)
    """Pickles whose tensors may be read: content keys to names of files."""
    problems: tuple[str, ...] = field(default=(), compare=False)
    """Sentences on values of the settings file that are of a wrong kind, and are not used."""

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def outputs(self) -> Path:
        return Path(self.output_folder) if self.output_folder else self.home / "outputs"

    @property
    def inputs(self) -> Path:
        """Pictures that workflows may read by name."""
        return self.home / "inputs"

    @property
    def wildcards(self) -> Path:
        """Files of options for dynamic prompts."""
        return self.home / "wildcards"

    @property
    def assets(self) -> Path:
        """Files the person gave us, copied and named by their SHA-256."""
        return self.home / "assets"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def result_cache(self) -> Path:
        """Results and checkpoints by key, in a folder for each set of versions."""
        return self.cache / "results"

    @property
    def packs(self) -> Path:
        """Node packs of other people; each is off until the user allows it."""
        return self.home / "packs"

    @property
    def worker_folder(self) -> Path:
        """The worker's current folder."""
        return self.home / "worker"

    @property
    def pack_copies(self) -> Path:
        """Read-only copies of allowed packs, by content hash; packs run from there."""
        return self.home / "worker" / "packs"

    @property
    def converted(self) -> Path:
        """Safetensors copies of allowed pickles, by content key."""
        return self.home / "converted"

    @property
    def file(self) -> Path:
        return self.home / "settings.json"


def load_settings(home: Path | None = None) -> Settings:
    """The settings in `home`, or the defaults where it has none.

    A value of a wrong kind costs that value alone; `Settings.problems` names it.

    Raises:
        RequestError: the settings file is no JSON object.
    """
    home = home or default_home()
    return _made(_raw(home / "settings.json"), home)


def save_settings(settings: Settings) -> None:
    """Write `settings` in place of what is there.

    What the file holds and this version does not know or cannot read is kept, unless that
    setting has another value now.

    Raises:
        RequestError: they cannot be written; the old ones stay.
    """
    from nodeforge.settings.whole_file import (
        write_whole,  # only when needed: most processes only read
    )

    try:
        raw = _raw(settings.file)
    except RequestError:
        raw = {}
    data = json.dumps(_merged(raw, settings), indent=2, sort_keys=True).encode() + b"\n"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"cannot be made: {error.strerror}.",
            place=str(settings.home),
            way_out="Make room, or set NODEFORGE_HOME to another folder.",
        ) from error
    write_whole(settings.file, lambda file: file.write(data))


def update_settings(home: Path, change: Callable[[Settings], Settings]) -> Settings:
    """Change the settings in `home`, one process at a time; returns the new ones.

    Args:
        home: The user's folder.
        change: The new settings from those that are there now; other processes may have changed
            them since they were loaded.

    Raises:
        RequestError: they cannot be read or written, or another process keeps them for 10 s.
    """
    from filelock import FileLock, Timeout

    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / "settings.lock", timeout=10):
            settings = change(load_settings(home))
            save_settings(settings)
            return settings
    except Timeout as error:
        raise RequestError(
            "another program is changing the settings.", place=str(home), way_out="Try again."
        ) from error
    except OSError as error:
        raise RequestError(
            f"cannot be written: {error.strerror}.",
            place=str(home / "settings.json"),
            way_out="Make room, or make the folder writable.",
        ) from error


def _raw(file: Path) -> dict[str, Any]:
    """What the settings file holds; nothing where there is none."""
    try:
        raw = json.loads(file.read_bytes())  # with any mark of its encoding that editors put there
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(file, f"it is not JSON ({error})") from error
    if not isinstance(raw, dict):
        raise _unreadable(file, "it is not a JSON object")
    return raw


def _kinds() -> dict[str, Any]:
    """The type of each setting that the file may hold."""
    return {n: kind for n, kind in get_type_hints(Settings).items() if n not in _NOT_IN_FILE}


def _made(raw: dict[str, Any], home: Path) -> Settings:
    """The settings in `raw`, each of its own kind."""
    if not raw:
        return Settings(home=home)
    from nodeforge.settings.checked_values import (
        checked_values,  # only when needed: most homes have no settings
    )

    values, problems = checked_values(raw, _kinds())
    return Settings(home=home, problems=tuple(problems), **values)


def _merged(raw: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """`raw` with the values of `settings` that are not in it already."""
    there, made = _made(raw, settings.home), dict(raw)
    for name, value in asdict(settings).items():
        before, now = getattr(there, name), getattr(settings, name)
        if name in _NOT_IN_FILE or (name in raw and before == now):
            continue
        unread = raw.get(name)
        if isinstance(value, dict) and isinstance(unread, dict):
            value = {**{key: unread[key] for key in unread.keys() - before.keys()}, **value}
        made[name] = value
    return made


def _unreadable(file: Path, why: str) -> RequestError:
    return RequestError(
        f"cannot be read as settings: {why}.",
        place=str(file),
        way_out="Mend it, or move it away: the defaults are then used.",
    )
