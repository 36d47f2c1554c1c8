"""Which program made a cached result: another one may compute other numbers."""

from __future__ import annotations

from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

from nodeforge import __version__
from nodeforge.settings import in_checkout, shipped

_LIBRARIES = ("torch", "diffusers", "transformers")


def cache_version() -> str:
    """A folder name for this set of versions; in a checkout, of this state of the code."""
    digest = blake2b(digest_size=8)
    digest.update(__version__.encode())
    for library in _LIBRARIES:
        digest.update(f" {library} {version(library)}".encode())
    if in_checkout():
        package = Path(__file__).parent.parent
        rooms = ("diffusion", "models", "imaging", "values")
        code = [*(package / room for room in rooms), shipped("nodes")]
        files = [file for folder in code for file in sorted(folder.rglob("*.py"))]
        configs = shipped("resources") / "configs"
        for file in (*files, *(each for each in sorted(configs.rglob("*")) if each.is_file())):
            digest.update(file.read_bytes())
    return f"{__version__}-{digest.hexdigest()}"
