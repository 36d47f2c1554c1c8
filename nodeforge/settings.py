"""Folders and limits. `NODEFORGE_HOME` moves everything that belongs to the user."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from nodeforge.errors import RequestError

GIB = 2**30


class MemoryMode(StrEnum):
    """Where a network's weights are."""

    AUTO = "auto"
    """On the device as long as they fit; what alone is too large is fed to it in pieces."""
    DEVICE = "device"
    """All on the device, also while nobody uses them."""
    LOW = "low"
    """In main memory; on the device while they are used."""
    VERY_LOW = "very low"
    """On disk; the denoiser is fed to the device layer by layer from main memory."""


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
    """The denoiser's in plain steps, one head after another, where no kernel saves memory."""
    XFORMERS = "xformers"
    """The denoiser's by the package of that name."""


def default_home() -> Path:
    """The user's folder: `NODEFORGE_HOME`, else where the system keeps an app's data."""
    if home := os.environ.get("NODEFORGE_HOME"):
        return Path(home).expanduser().absolute()
    from platformdirs import user_data_path  # only when needed: the command line starts faster

    return user_data_path("NodeForge", appauthor=False)


def shipped(name: str) -> Path:
    """A folder that comes with NodeForge: ``nodes``, ``workflows`` or ``resources``.

    In a checkout the folder beside the package wins, so that an edit there is seen.
    """
    package = Path(__file__).parent
    beside = package.parent / name
    if (package.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return package / "_shipped" / name


def in_checkout() -> bool:
    """Whether NodeForge runs from its source tree, where code changes between two runs."""
    return (Path(__file__).parent.parent / "pyproject.toml").is_file()


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
    memory_mode: MemoryMode = MemoryMode.AUTO
    precision: Precision = Precision.AUTO
    fp8_weights: bool = False
    compiled: bool = False
    attention: Attention = Attention.AUTO
    memory_cache_bytes: int = 2 * GIB
    disk_cache_bytes: int = 10 * GIB
    packs_allowed: dict[str, str] = field(default_factory=dict)

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
    def assets(self) -> Path:
        """Files the person gave us, copied and named by their SHA-256."""
        return self.home / "assets"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

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
    def file(self) -> Path:
        return self.home / "settings.json"


def load_settings(home: Path | None = None) -> Settings:
    """The settings in `home`, or the defaults where it has none.

    Raises:
        RequestError: the settings file is not what we write.
    """
    home = home or default_home()
    file = home / "settings.json"
    try:
        raw = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return Settings(home=home)
    except (OSError, ValueError) as error:
        raise _unreadable(file, str(error)) from error
    if not isinstance(raw, dict):
        raise _unreadable(file, "is not a JSON object")
    try:
        return Settings(home=home, **_known(raw))
    except (TypeError, KeyError, ValueError) as error:
        raise _unreadable(file, f"has a setting of the wrong kind ({error})") from error


def save_settings(settings: Settings) -> None:
    """Write `settings` whole: a temporary file, then a rename."""
    settings.home.mkdir(parents=True, exist_ok=True)
    raw = {name: value for name, value in asdict(settings).items() if name != "home"}
    part = settings.file.with_suffix(".part")
    part.write_text(json.dumps(raw, indent=2, sort_keys=True) + "\n", "utf-8")
    part.replace(settings.file)


def _known(raw: dict[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(Settings)} - {"home"}
    known = {name: value for name, value in raw.items() if name in names}
    if "model_folders" in known:
        known["model_folders"] = tuple(ModelFolder(**f) for f in known["model_folders"])
    if "extra_model_paths" in known:
        known["extra_model_paths"] = tuple(known["extra_model_paths"])
    choices = {"memory_mode": MemoryMode, "precision": Precision, "attention": Attention}
    for name, choice in choices.items():
        if name in known:
            known[name] = choice(known[name])
    return known


def _unreadable(file: Path, why: str) -> RequestError:
    return RequestError(
        f"cannot be read as settings: {why}.",
        place=str(file),
        way_out="Mend it, or move it away: the defaults are then used.",
    )
