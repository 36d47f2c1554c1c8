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
        for folder in (package / "diffusion", package / "values", shipped("nodes")):
            for file in sorted(folder.rglob("*.py")):
                digest.update(file.read_bytes())
    return f"{__version__}-{digest.hexdigest()}"
